"""Cohorts, recency-frequency-money, and targets, against plain Python."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from tests.conftest import layers_of
from tests.reports.following import astray

from trellis.formula.reader import Reader
from trellis.formula.types import Money
from trellis.records.principal import Principal
from trellis.records.refusal import Refused
from trellis.records.store import Store
from trellis.reports.result import Answer, behind
from trellis.reports.run import run

if TYPE_CHECKING:
    from trellis.storage.catalogue import Catalogue

SHOP = """
role: guest
grants: {"*": {read: all}}
---
role: clerk
allow: [reports]
grants: {"*": {read: all}, purchase: {read: all, fields: {paid: hidden}}}
---
entity: member
fields: {name: {type: text, required: true}, joined: {type: date}}
---
entity: purchase
fields:
  member: {type: link, to: member, inverse: purchases}
  at: {type: date}
  paid: {type: money}
  owner: {type: user}
---
entity: goal
fields:
  owner: {type: user}
  month: {type: date}
  value: {type: money}
---
report: retention
type: cohort
entity: member
cohort: month(joined)
event: {entity: purchase, by: member, at: at, filter: paid > param.least}
params: {least: {type: decimal}}
periods: 4
---
report: generous
type: cohort
entity: member
cohort: month(joined)
event: {entity: purchase, by: member, at: at, filter: paid > 50}
periods: 4
---
report: fifths
type: rfm
entity: purchase
by: member
at: at
amount: paid
---
report: classes
type: rfm
entity: purchase
by: member
at: at
amount: paid
scale: thresholds
thresholds: {recency: [40], frequency: [3]}
---
report: achieved
type: target
entity: purchase
group: {who: owner, month: month(at)}
measures: {paid: sum(paid)}
target: {entity: goal, value: sum(value), match: {who: owner, month: month}}
"""
NOW = datetime(2026, 6, 17, 9, tzinfo=UTC)
TODAY = NOW.date()


class Shop:
    """The tenant with its records in plain Python."""

    def __init__(self, store: Store) -> None:
        chance = random.Random(3)
        self.store = store
        self.people = [store.create("user", {"name": n, "email": f"{n}@example.com"}).id for n in ("a", "b", "c")]
        self.members: dict[Any, date | None] = {}
        self.purchases: list[dict[str, Any]] = []
        for n in range(24):
            joined = None if n == 0 else date(2026, 1, 1) + timedelta(days=chance.randrange(150))
            member = store.create("member", {"name": f"M{n}", "joined": joined}).id
            self.members[member] = joined
            for _ in range(chance.choice([0, 1, 1, 2, 3, 6])):
                at = (joined or date(2026, 1, 5)) + timedelta(days=chance.randrange(90))
                values = {
                    "member": member,
                    "at": min(at, TODAY),
                    "paid": Money(Decimal(chance.choice([5, 20, 80, 300])), "EUR"),
                    "owner": chance.choice(self.people[:2]),
                }
                store.create("purchase", values)
                self.purchases.append(values)
        self.goals = [(self.people[0], date(2026, 3, 1), 100), (self.people[2], date(2026, 3, 10), 50)]
        for owner, month, value in self.goals:
            store.create("goal", {"owner": owner, "month": month, "value": Money(Decimal(value), "EUR")})

    def ask(self, key: str, **given: str) -> Answer:
        return run(self.store, self.store.tenant.model.reports[key], given)


@pytest.fixture(scope="module")
def shop(catalogue: Catalogue) -> Iterator[Shop]:
    tenant = catalogue.create("reports-shop", layers_of(SHOP, "reports-shop"), "test")
    try:
        yield Shop(Store(tenant, Principal.system(Reader(now=NOW, currency="EUR"))))
    finally:
        catalogue.drop("reports-shop")


def test_every_number_leads_to_the_records_that_it_counts(shop: Shop) -> None:
    for key in shop.store.tenant.model.reports:
        assert list(astray(shop.store, shop.ask(key))) == [], key
    wanted = [behind(line, heading) for line in shop.ask("achieved").lines for heading in shop.ask("achieved").headings]
    assert {b.entity for b in wanted if b is not None} == {None, "goal"}


def test_a_number_is_a_filter_for_those_alone_who_may_run_the_report(shop: Shop) -> None:
    text = 'counted("retention", "all 1")'
    assert shop.store.count("member", where=[text]).n > 0
    tenant, roles = shop.store.tenant, frozenset({"guest"})
    guest = Store(tenant, Principal(Reader(now=NOW, roles=roles), shop.people[0], roles=roles))
    wrong = [
        (guest, "member", text),  # reads members, but no reports
        (shop.store, "purchase", text),  # is about members
        (shop.store, "member", 'counted("retention", "all 99")'),
        (shop.store, "member", 'counted("retention", "gone 1")'),
        (shop.store, "member", 'counted("retention", "all ²")'),
        (shop.store, "member", 'counted("nothing", "all 1")'),
        (shop.store, "member", "counted(name, name)"),
        (shop.store, "member", 'any(purchases, counted("retention", "all 1"))'),
    ]
    for store, entity, filter in wrong:
        with pytest.raises(Refused):
            store.count(entity, where=[filter])


def test_a_cohort_does_not_name_those_whom_a_hidden_field_has_found(shop: Shop) -> None:
    tenant, roles = shop.store.tenant, frozenset({"clerk"})
    clerk = Store(tenant, Principal(Reader(now=NOW, roles=roles), shop.people[0], roles=roles))
    answer = run(clerk, tenant.model.reports["generous"], {})
    assert any(line.values[2] for line in answer.lines)  # how many they are is told
    opened = [one for one in answer.headings if behind(answer.lines[0], one) is not None]
    assert [one.key for one in opened] == ["size"]
    assert answer.drawing is not None
    assert not any(any(series.behind or ()) for series in answer.drawing.series)
    text = 'counted("generous", "all 0")'
    assert shop.store.count("member", where=[text]).n > 0
    with pytest.raises(Refused):
        clerk.count("member", where=[text])


@pytest.mark.parametrize("least", [None, 10])
def test_a_cohort_is_found_again_in_the_months_after(shop: Shop, least: int | None) -> None:
    answer = shop.ask("retention", **({} if least is None else {"least": str(least)}))
    sizes = Counter(j.replace(day=1) for j in shop.members.values() if j is not None)
    again: dict[Any, set[Any]] = defaultdict(set)
    for purchase in shop.purchases:
        joined = shop.members[purchase["member"]]
        if joined is not None and (least is None or purchase["paid"].amount > least):
            months = (purchase["at"].year - joined.year) * 12 + purchase["at"].month - joined.month
            again[joined.replace(day=1), months].add(purchase["member"])
    for line in answer.lines[:-1]:
        cohort, size, *rates = line.values
        assert size == sizes[cohort]
        for n, rate in enumerate(rates):
            expected = pytest.approx(len(again[cohort, n]) / sizes[cohort] * 100)
            is_past = (TODAY.year - cohort.year) * 12 + TODAY.month - cohort.month >= n
            assert (None if rate is None else float(rate)) == (expected if is_past else None)
    assert answer.lines[-1].values[1] == sum(sizes.values())
    assert len(answer.headings) == 2 + 4


def customers(shop: Shop) -> dict[Any, tuple[int, int, Decimal]]:
    found: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for purchase in shop.purchases:
        found[purchase["member"]].append(purchase)
    return {
        member: (
            (TODAY - max(p["at"] for p in all_)).days,
            len(all_),
            sum((p["paid"].amount for p in all_), Decimal(0)),
        )
        for member, all_ in found.items()
    }


def test_quintiles_make_segments_that_hold_everybody(shop: Shop) -> None:
    found = customers(shop)
    answer = shop.ask("fifths")
    segments = {str(line.values[0]): line.values[1] for line in answer.lines[:-1]}
    assert sum(segments.values()) == len(found)

    def fifth(values: list[Any], value: Any) -> int:
        return min(5, bisect_left(sorted(values), value) * 5 // len(values) + 1)

    champions = 0
    for days, times, paid in found.values():
        r = fifth([-d for d, _, _ in found.values()], -days)
        f = fifth([t for _, t, _ in found.values()], times)
        m = fifth([p for _, _, p in found.values()], paid)
        champions += r >= 4 and f >= 4 and m >= 4
    assert segments.get("Champions", 0) == champions
    assert answer.lines[-1].values[-1] == Money(
        sum((p for _, _, p in found.values()), Decimal(0)), "EUR", sum((p for _, _, p in found.values()), Decimal(0))
    )


def test_thresholds_make_the_eight_classes_with_the_mean_where_none_is_given(shop: Shop) -> None:
    found = customers(shop)
    mean = sum((p for _, _, p in found.values()), Decimal(0)) / len(found)
    names = {
        (True, True, True): "Important: valued",
        (False, True, True): "Important: keep",
        (True, False, True): "Important: develop",
        (False, False, True): "Important: win back",
        (True, True, False): "General: valued",
        (False, True, False): "General: keep",
        (True, False, False): "General: develop",
        (False, False, False): "General: win back",
    }
    expected = Counter(names[d <= 40, t >= 3, p >= mean] for d, t, p in found.values())
    answer = shop.ask("classes")
    assert {str(line.values[0]): line.values[1] for line in answer.lines[:-1]} == expected


def test_what_was_reached_stands_beside_what_was_wanted(shop: Shop) -> None:
    answer = shop.ask("achieved")
    paid: dict[Any, Decimal] = defaultdict(Decimal)
    for purchase in shop.purchases:
        paid[purchase["owner"], purchase["at"].replace(day=1)] += purchase["paid"].amount
    wanted = {(owner, month.replace(day=1)): value for owner, month, value in shop.goals}
    found = {
        (v[0].id, v[1]): (v[2].amount, None if v[3] is None else v[3].amount, None if v[4] is None else float(v[4]))
        for v in (line.values for line in answer.lines if line.kind == "line")
    }
    assert found == {
        key: (
            paid.get(key, 0),
            wanted.get(key),
            pytest.approx(float(paid.get(key, 0)) / wanted[key] * 100) if key in wanted else None,
        )
        for key in {*paid, *wanted}
    }
    last = answer.lines[-1].values
    assert (last[2].amount, last[3].amount) == (sum(paid.values()), 150)
