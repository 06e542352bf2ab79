"""Forecasts of teams: people below their managers, and what managers add or take off, kept apart."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import layers_of
from tests.reports.crm import NOW
from tests.reports.following import astray
from tests.reports.recompute import differences

from trellis.formula.reader import Reader
from trellis.formula.types import Money, Ref
from trellis.model.compile import compile_layers
from trellis.records.graph import StoreGraph
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.reports.run import run
from trellis.reports.team import without_circles
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant

CRM = """
entity: user
title: name
fields: {name: {type: text}, email: {type: email}, manager: {type: link, to: user}}
---
entity: deal
fields:
  name: {type: text}
  owner: {type: user, role: owner}
  amount: {type: money}
  close_date: {type: date}
---
pipeline: sales
entity: deal
stages: {new: {forecast: pipeline}, sure: {forecast: commit}, won: {type: won, forecast: closed}}
---
entity: change
fields: {person: {type: user}, month: {type: date}, amount: {type: money}}
---
role: rep
grants: {"*": {read: all}, change: {read: false}}
allow: [reports]
---
report: team
type: forecast
entity: deal
date: close_date
roll_up: true
group: {person: {formula: owner}}
measures: {amount: sum(amount), deals: count()}
adjust: {entity: change, value: sum(amount), match: {period: month, person: person}}
"""


def eur(amount: int) -> Money:
    return Money(Decimal(amount), "EUR", Decimal(amount))


@pytest.fixture(scope="module")
def tenant(catalogue: Catalogue) -> Iterator[Tenant]:
    tenant = catalogue.create("reports-team", layers_of(CRM, "reports-team"), "test")
    store = Store(tenant, Principal.system(Reader(currency="EUR", now=NOW)))
    people: dict[str, UUID] = {}
    for name, manager in (("Ann", None), ("Ben", "Ann"), ("Cleo", "Ben"), ("Dan", "Ben"), ("Eve", None)):
        over = people.get(manager or "")
        values = {"name": name, "email": f"{name}@example.com".lower(), "manager": over}
        people[name] = store.create("user", values).id
    day = date(2026, 6, 20)
    for owner, stage, amount in (("Ben", "sure", 100), ("Cleo", "new", 20), ("Dan", "won", 7), ("Eve", "sure", 3)):
        values = {"owner": people[owner], "stage": stage, "amount": eur(amount), "close_date": day}
        store.create("deal", values)
    for person, amount in (("Cleo", 5), ("Ann", -1)):
        store.create("change", {"person": people[person], "month": date(2026, 6, 1), "amount": eur(amount)})
    yield tenant
    catalogue.drop("reports-team")


def asked(tenant: Tenant, role: str | None = None) -> Any:
    reader = Reader(currency="EUR", now=NOW, roles=frozenset({role} if role else ()))
    principal = Principal(reader, uuid4(), roles=reader.roles) if role else Principal.system(reader)
    store = Store(tenant, principal)
    return store, run(store, tenant.model.reports["team"], {})


def rows(answer: Any) -> list[tuple[str, str, int, Any, Any, Any]]:
    names = [h.key for h in answer.headings]
    found = []
    for line in answer.lines:
        by_key = dict(zip(names, line.values, strict=True))
        person = by_key["person"]
        amounts = (by_key.get(k) for k in ("commit_at_least", "adjustment", "adjusted"))
        plain = (None if v is None else int(v.amount) for v in amounts)
        title = person.title if isinstance(person, Ref) else ""
        found.append((line.kind, title, line.depth, *plain))
    return found


def test_managers_hold_their_peoples_numbers_and_the_adjustments_apart(tenant: Tenant) -> None:
    store, answer = asked(tenant)
    assert rows(answer) == [
        ("subtotal", "", 0, 110, 4, 114),
        ("subtotal", "Ann", 1, 107, 4, 111),
        ("line", "Ann", 2, 0, -1, -1),
        ("subtotal", "Ben", 2, 107, 5, 112),
        ("line", "Ben", 3, 100, None, 100),
        ("line", "Cleo", 3, 0, 5, 5),
        ("line", "Dan", 3, 7, None, 7),
        ("line", "Eve", 1, 3, None, 3),
        ("total", "", 0, 110, 4, 114),
    ]
    with store.transaction():
        assert differences(store, StoreGraph(store.session), answer) == []


def test_a_teams_number_leads_to_the_teams_records(tenant: Tenant) -> None:
    store, answer = asked(tenant)
    ben = next(line for line in answer.lines if line.kind == "subtotal" and line.depth == 2)
    assert len(store.matching("deal", where=ben.conditions)) == 3
    assert list(astray(store, answer)) == []


def test_a_large_teams_number_does_too(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trellis.reports.team.FEW", 0)
    store, answer = asked(tenant)
    ben = next(line for line in answer.lines if line.kind == "subtotal" and line.depth == 2)
    assert [c for c in ben.conditions or () if c.startswith('counted("team", "team ')] != []
    assert list(astray(store, answer)) == []


def test_who_may_not_see_adjustments_sees_a_forecast_without_them(tenant: Tenant) -> None:
    _, answer = asked(tenant, "rep")
    assert "adjustment" not in [h.key for h in answer.headings]
    assert rows(answer)[1][:4] == ("subtotal", "Ann", 1, 107)


def test_only_people_are_rolled_up() -> None:
    wrong = CRM.replace("group: {person: {formula: owner}}", "group: [name]")
    found = compile_layers(layers_of(wrong, "wrong"))
    assert any("people are rolled up" in p.message for p in found.problems)


@given(st.dictionaries(st.integers(0, 8), st.integers(0, 8)))
def test_nobody_reports_to_themselves(above: dict[int, int]) -> None:
    ids = [uuid4() for _ in range(9)]
    found = without_circles({ids[one]: ids[over] for one, over in above.items()})
    for id in found:
        seen, at = set(), id
        while at in found:
            assert at not in seen
            seen.add(at)
            at = found[at]
