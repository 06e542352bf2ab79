"""Tables, trends, forecasts and funnels against plain Python."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.conftest import layers_of
from tests.reports.crm import CRM, NOW, World, total
from tests.reports.following import astray

from trellis.formula.reader import Reader
from trellis.formula.types import Money
from trellis.model.compile.compiled import compile_layers
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.reports.result import Answer
from trellis.reports.run import run
from trellis.storage.tenant import Tenant

Ask = Callable[..., Answer]


def plain(value: Any) -> Any:
    return value.amount if isinstance(value, Money) else value


# ── table ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_table_shows_fields_formulas_and_totals(world: World, ask: Ask) -> None:
    answer = ask(
        """type: table
entity: deal
filter: amount > 50
columns: {deal: name, of: account, amount: amount, twice: amount * 2}
totals: {amount: sum}
sort: [-amount, deal]
"""
    )
    deals = sorted(
        (d for d in world.deals if d["amount"] and d["amount"].amount > 50),
        key=lambda d: (-d["amount"].amount, d["name"]),
    )
    names = {a["id"]: a["name"] for a in world.accounts}
    found = [
        (v[1], v[2].title if v[2] else None, v[3].amount, v[4].amount) for v in (x.values for x in answer.lines[:-1])
    ]
    assert found == [(d["name"], names.get(d["account"]), d["amount"].amount, d["amount"].amount * 2) for d in deals]
    assert answer.lines[-1].values[3] == Money(
        total(d["amount"] for d in deals), "EUR", total(d["amount"] for d in deals)
    )


def test_a_table_shows_so_many_and_says_that_there_are_more(ask: Ask) -> None:
    answer = ask("type: table\nentity: deal\ncolumns: [name]\nlimit: 5")
    assert (len(answer.lines), answer.is_cut) == (5, True)


def test_a_subselection_finds_accounts_without_a_visit(world: World, ask: Ask) -> None:
    answer = ask('type: table\nentity: account\nfilter: "not any(visits, at > today() - days(90))"\ncolumns: [name]')
    assert len(answer.lines) == len(world.accounts)


# ── trend ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _months_back(count: int) -> list[date]:
    at = NOW.year * 12 + NOW.month - 1
    return [date((at - n) // 12, (at - n) % 12 + 1, 1) for n in range(count - 1, -1, -1)]


@pytest.mark.parametrize(("compare", "back"), [("previous_period", 1), ("previous_year", 12)])
def test_a_trend_shows_every_month_beside_another(world: World, ask: Ask, compare: str, back: int) -> None:
    answer = ask(
        f"type: trend\nentity: deal\ndate: opened_at\nperiod: month\nperiods: 8\ncompare: {compare}\n"
        "measures: {n: count()}"
    )

    def opened(month: date) -> int:
        zone = world.reader().time_zone
        return sum(d["opened_at"].astimezone(zone).date().replace(day=1) == month for d in world.deals)

    months = _months_back(8 + back)
    now, before = months[back:], months[:8]
    expected = []
    for month, past in zip(now, before, strict=True):
        n, p = opened(month), opened(past)
        expected.append((month, n, p, pytest.approx((n - p) / p * 100) if p else None))
    found = [(v[0], v[1], v[2], None if v[3] is None else float(v[3])) for v in (x.values for x in answer.lines[:-1])]
    assert found == expected
    assert answer.lines[-1].values[1] == sum(opened(m) for m in now)
    assert answer.drawing is not None
    assert [len(s.values) for s in answer.drawing.series] == [8, 8]


def test_weeks_begin_on_mondays_and_none_is_left_out(ask: Ask) -> None:
    answer = ask("type: trend\nentity: deal\ndate: close_date\nperiod: week")
    days = [line.values[0] for line in answer.lines[:-1]]
    assert {d.weekday() for d in days} == {0}
    assert {b - a for a, b in itertools.pairwise(days)} == {timedelta(days=7)}


# ── forecast ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_forecast_tells_categories_alone_and_together(world: World, ask: Ask) -> None:
    answer = ask(
        "type: forecast\nentity: deal\nfilter: not is_blank(close_date)\ndate: close_date\nperiod: quarter\n"
        "measures: {amount: sum(amount), weighted: sum(expected)}"
    )
    categories = {"won": "closed", "signing": "commit", "offer": "best_case", "new": "pipeline"}
    weights = {"won": 100, "signing": 90, "offer": 50, "new": 10}
    sums = dict.fromkeys(("closed", "commit", "best_case", "pipeline"), Decimal(0))
    weighted = Decimal(0)
    for deal in world.deals:
        if deal["stage"] != "lost" and deal["amount"] and deal["close_date"]:
            sums[categories[deal["stage"]]] += deal["amount"].amount
            weighted += round(deal["amount"].amount * weights[deal["stage"]] / 100, 10)
    closed, commit, best, pipeline = sums.values()
    found = [plain(v) for v in answer.lines[-1].values[1:]]
    assert found[:7] == [
        closed,
        commit,
        best,
        pipeline,
        closed + commit,
        closed + commit + best,
        commit + best + pipeline,
    ]
    assert found[7] == pytest.approx(weighted, abs=Decimal("0.5"))
    for at in range(1, 8):
        assert sum(plain(line.values[at]) for line in answer.lines[:-1]) == plain(answer.lines[-1].values[at])
    store, line = world.boss(), answer.lines[-1]
    for heading, value in zip(answer.headings[1:8], line.values[1:8], strict=True):
        where = [w for w in (answer.conditions, *heading.conditions) if w]
        assert store.totals("deal", {"amount": "sum"}, where=where)["amount"].amount == plain(value)


# ── funnel ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_snapshot_counts_where_records_stand(world: World, ask: Ask) -> None:
    answer = ask("type: funnel\npipeline: sales\nmeasures: {n: count(), amount: sum(amount)}")
    expected = [(s, sum(d["stage"] == s for d in world.deals)) for s in ("new", "offer", "signing", "won")]
    assert [line.values[:2] for line in answer.lines] == expected


def test_a_cohort_counts_how_far_records_have_come(make_tenant: Callable[..., Tenant]) -> None:
    text = CRM + "\n---\nreport: f\ntype: funnel\npipeline: sales\nmode: cohort\namount: amount\n"
    tenant = make_tenant(text)
    days = iter(range(1, 100))

    def at(day: int) -> Store:
        reader = Reader(now=NOW + timedelta(days=day), currency="EUR")
        return Store(tenant, Principal.system(reader))

    journeys = [
        ("new", "offer", "signing", "won"),
        ("new", "offer", "lost"),
        ("new", "signing", "won"),
        ("new",),
        ("offer", "lost"),
    ]
    day = 0
    for journey in journeys:
        day = next(days)
        values = {"name": "x", "amount": Money(Decimal(100), "EUR"), "stage": journey[0]}
        record = at(day).create("deal", values)
        for stage in journey[1:]:
            day += 2
            at(day).update("deal", record.id, {"stage": stage})
    answer = run(at(60), tenant.model.reports["f"], {})
    found = {v[0]: [plain(x) for x in v[1:]] for v in (line.values for line in answer.lines)}
    assert [found[s][0] for s in ("new", "offer", "signing", "won")] == [5, 4, 2, 2]
    assert [found[s][1] for s in ("new", "offer", "signing", "won")] == [500, 400, 200, 200]
    assert [found[s][2] for s in ("offer", "signing", "won")] == [80, 50, 100]
    assert [found[s][4] for s in ("new", "offer", "signing")] == [0, 2, 0]
    assert [found[s][5] for s in ("new", "offer", "signing")] == [1, 0, 0]
    assert found["offer"][6] == timedelta(days=2)
    assert list(astray(at(60), answer)) == []
    assert [len(at(60).matching("deal", where=line.behind["time"].conditions)) for line in answer.lines] == [3, 3, 2, 0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("type: funnel\nentity: account", "no such pipeline"),
        ("type: forecast\nentity: account\ndate: id", "no forecast categories"),
        ("type: ageing\nentity: deal", "'age' is missing"),
        ("type: ageing\nentity: deal\nage: name", "a number is expected here"),
        ("type: trend\nentity: deal", "'date' is missing"),
        ("type: trend\nentity: deal\ndate: name", "a date or a datetime is expected here"),
        ("type: table\nentity: deal", "'columns' is missing"),
        ("type: pivot\nentity: deal", "'rows' is missing"),
        ("entity: deal\ngroup: [month(name)]", "groups by a date or a moment"),
        ("entity: deal\ngroup: {a: {formula: name, bands: [1]}}", "ranges are of numbers"),
        ("entity: deal\ngroup: {a: {formula: amount, bands: [5, 1]}}", "go upwards"),
        ("entity: deal\ngroup: {a: {formula: account, level: 1}}", "a level is of a tree"),
        ("entity: deal\nmeasures: {a: amount}", "unknown name 'amount'"),
        ("entity: deal\nmeasures: {a: 1 + 1}", "made of aggregates"),
        ("entity: deal\nmeasures: {a: sum(name)}", "takes a number"),
        ("entity: deal\nmeasures: {a: first(amount)}", "no measure of a report"),
        ("entity: deal\nparams: {a: {type: date, default: soon}}", "not a value of this param"),
        ("entity: account\ngroup: [deals]", "no value"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(text: str, told: str) -> None:
    found = compile_layers(layers_of(f"{CRM}\n---\nreport: wrong\n{text}\n"))
    faults = [p for p in found.problems if p.is_error]
    assert any(told in p.message for p in faults), [p.message for p in faults]
    assert all(p.mark is not None and p.mark.line > CRM.count("\n") for p in faults)


def test_a_pipeline_flows_from_stage_to_stage_and_out_of_it(ask: Ask) -> None:
    answer = ask("type: funnel\nmode: cohort\npipeline: sales\nchart: {type: sankey}")
    drawing = answer.drawing
    assert drawing is not None
    assert drawing.type == "sankey"
    reached = {line.values[0]: line.values[1] for line in answer.lines}
    for stage in list(reached)[:-1]:
        assert sum(f.value for f in drawing.flows if f.source == stage) == reached[stage]
