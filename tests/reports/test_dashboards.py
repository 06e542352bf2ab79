"""Dashboards: a widget's number is the report's, filters reach what they fit, nobody sees more than they may."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from tests.conftest import layers_of
from tests.reports.crm import BERLIN, CRM, World, total

from trellis.model.compile.compiled import compile_layers
from trellis.records.refusal import Missing, Refused
from trellis.records.store import Store
from trellis.reports.dashboards.chosen import read_choice
from trellis.reports.dashboards.figures import Figure, Figures
from trellis.reports.dashboards.seen import dashboards_of, home_of, may_open
from trellis.reports.run import report_of, run

if TYPE_CHECKING:
    from trellis.model.dashboards.dashboard import Widget
    from trellis.model.model import Model

BOARDS = """
report: closed
label: Deals by owner
entity: deal
date: close_date
filter: close_date >= param.from and owner == param.owner
params: {from: {type: date, default: '=date(2026, 6, 1)'}, owner: {type: user}}
group: [owner]
measures: {deals: count(), amount: sum(amount), mean: avg(amount), margin: sum(margin)}
---
report: opened
type: trend
entity: deal
date: opened_at
period: month
periods: 6
compare: previous_period
measures: {deals: count()}
---
report: by-industry
entity: account
group: [industry]
---
report: margins
entity: deal
group: [margin > 2]
measures: {margin: sum(margin)}
---
dashboard: sales
roles: [rep, lead]
filters:
  owner: {type: user}
  period: {type: date_range, default: this_quarter}
  industry: {type: choice, choices: [retail, food]}
widgets:
  amount:  {number: closed, measure: amount, compare: previous_period, also: deals}
  all:     {number: closed, measure: amount, filters: none}
  may:     {number: closed, measure: deals, period: previous_month}
  small:   {number: closed, measure: deals, filter: amount < 100}
  opened:  {number: opened}
  goal:    {gauge: closed, measure: amount, target: 10000}
  branch:  {chart: by-industry}
  accounts: {list: account, filter: employees > 5}
---
dashboard: hidden
roles: [blind]
widgets: {margin: {number: margins}}
---
dashboard: words
widgets: {hello: {text: Hello}}
"""

Look = Callable[..., Figure]


@pytest.fixture(scope="module")
def model() -> Model:
    """The small CRM with dashboards; its tables are the same."""
    found = compile_layers(layers_of(f"{CRM}\n---\n{BOARDS}", "reports-boards"))
    assert found.model is not None, [p.message for p in found.problems]
    return found.model


@pytest.fixture
def door(world: World, model: Model) -> Callable[[Store], Store]:
    """The same door onto the CRM that has dashboards."""
    return lambda store: Store(replace(store.tenant, model=model), store.principal)


@pytest.fixture
def look(world: World, model: Model, door: Any) -> Look:
    """A widget's number for what an address says."""

    def figure(key: str, store: Store | None = None, **given: str) -> Figure:
        seen = door(store or world.boss())
        dashboard = model.dashboards["sales"]
        widget: Widget = dashboard.widgets[key]
        choice = read_choice(dashboard, given, seen.principal.reader)
        assert not choice.faults
        figures = Figures(seen, dashboard, choice)
        report = report_of(seen, widget.report or "")
        return figures.gauge(widget, report) if widget.kind == "gauge" else figures.figure(widget, report)

    return figure


def _closed(world: World, first: date | None, last: date | None, **more: Any) -> list[dict[str, Any]]:
    return [
        d
        for d in world.deals
        if (first is None or (d["close_date"] is not None and first <= d["close_date"] <= (last or date.max)))
        and all(d[key] == value for key, value in more.items())
    ]


def _base(value: Any) -> Decimal:
    return Decimal(value.base)


def test_a_number_is_of_the_period_and_compared_with_as_many_days_of_the_one_before(world: World, look: Look) -> None:
    found = look("amount")
    assert _base(found.value) == total(d["amount"] for d in _closed(world, date(2026, 4, 1), date(2026, 6, 30)))
    assert _base(found.before) == total(d["amount"] for d in _closed(world, date(2026, 1, 1), date(2026, 3, 19)))
    assert found.also is not None
    assert found.also[1] == len(_closed(world, date(2026, 4, 1), date(2026, 6, 30)))
    assert len(found.points) == 12
    june = total(d["amount"] for d in _closed(world, date(2026, 6, 1), date(2026, 6, 30)))
    assert _base(found.points[-1]) == june


def test_a_number_without_the_filters_is_the_total_of_its_report(world: World, look: Look, door: Any) -> None:
    store = door(world.boss())
    answer = run(store, report_of(store, "closed"), {})
    at = [h.key for h in answer.headings].index("amount")
    assert answer.total is not None
    assert look("all", period="this_year").value == answer.total.values[at]


def test_a_period_sets_aside_what_the_report_begins_with(world: World, look: Look) -> None:
    assert look("may").value == len(_closed(world, date(2026, 5, 1), date(2026, 5, 31)))
    spring = look("amount", period="2026-02-01..2026-03-31")
    assert _base(spring.value) == total(d["amount"] for d in _closed(world, date(2026, 2, 1), date(2026, 3, 31)))


def test_a_person_narrows_by_the_param_or_the_field(world: World, look: Look) -> None:
    ben = world.people["ben"]
    found = look("amount", owner=str(ben), period="this_year")
    expected = _closed(world, date(2026, 1, 1), date(2026, 12, 31), owner=ben)
    assert _base(found.value) == total(d["amount"] for d in expected)
    assert (
        look("amount", owner="me", period="this_year").value
        == look("amount", owner=str(world.people["anna"]), period="this_year").value
    )


def test_a_widgets_own_condition_holds_too(world: World, look: Look) -> None:
    small = [d for d in _closed(world, None, None) if d["amount"] is not None and d["amount"].amount < 100]
    shown = [d for d in small if d["close_date"] is not None and d["close_date"].year == 2026]
    assert look("small", period="this_year").value == len(shown)


def test_a_trend_gives_the_period_at_hand_and_the_one_before(world: World, look: Look) -> None:
    def of(month: int) -> int:
        local = [d["opened_at"].astimezone(BERLIN) for d in world.deals]
        return sum((at.year, at.month) == (2026, month) for at in local)

    found = look("opened")
    assert (found.value, found.before, found.points) == (of(6), of(5), tuple(of(m) for m in range(1, 7)))


def test_a_gauge_says_how_much_of_the_target_is_reached(look: Look) -> None:
    found = look("goal", period="this_year")
    assert found.target == 10000
    assert float(found.reached) == pytest.approx(float(_base(found.value)) / 100)


def test_who_reads_only_their_own_sees_only_their_own_in_numbers(world: World, look: Look) -> None:
    ben = world.people["ben"]
    found = look("amount", world.store("ben", "rep"), period="this_year")
    expected = _closed(world, date(2026, 1, 1), date(2026, 12, 31), owner=ben)
    assert _base(found.value) == total(d["amount"] for d in expected)
    assert (
        look("amount", world.store("ben", "rep"), owner=str(world.people["anna"]), period="this_year").value.base == 0
    )


def test_what_is_hidden_has_no_number(world: World, model: Model, door: Any) -> None:
    blind = door(world.store("cleo", "blind"))
    with pytest.raises(Missing):
        report_of(blind, "margins")
    dashboard = model.dashboards["sales"]
    figures = Figures(blind, dashboard, read_choice(dashboard, {}, blind.principal.reader))
    with pytest.raises(Missing):
        figures.figure(dashboard.widgets["amount"], report_of(blind, "closed"))
    with pytest.raises(Refused):
        figures.figure(
            replace(dashboard.widgets["may"], filter=dashboard.widgets["small"].filter), report_of(blind, "closed")
        )


def test_home_is_the_first_dashboard_of_ones_role(world: World, model: Model, door: Any) -> None:
    rep, boss = door(world.store("ben", "rep")), door(world.boss())
    first = home_of(rep)
    assert first is not None
    assert first.key == "sales"
    assert home_of(boss) is None
    chosen = home_of(boss, "sales")
    assert chosen is not None
    assert [d.key for d in dashboards_of(boss)] == ["sales", "hidden"]


def test_a_dashboard_without_anything_to_see_is_not_there(world: World, model: Model, door: Any) -> None:
    blind = door(world.store("cleo", "blind"))
    assert not may_open(blind, model.dashboards["hidden"])
    assert not may_open(blind, model.dashboards["words"])
    assert may_open(blind, model.dashboards["sales"])


def test_what_is_no_value_is_told(world: World, model: Model) -> None:
    given = {"period": "this_sometime", "owner": "nobody"}
    choice = read_choice(model.dashboards["sales"], given, world.boss().principal.reader)
    assert {f.field for f in choice.faults} == {"period", "owner"}


def test_a_filter_that_does_not_fit_a_widget_leaves_it_alone_and_is_named(
    world: World, model: Model, door: Any
) -> None:
    store, dashboard = door(world.boss()), model.dashboards["sales"]
    choice = read_choice(dashboard, {"industry": "food", "owner": "me"}, store.principal.reader)
    figures = Figures(store, dashboard, choice)
    assert figures.narrowed(dashboard.widgets["amount"]).missed == ("industry",)
    assert figures.narrowed(dashboard.widgets["branch"]).filters == (
        'owner.id == "' + str(world.people["anna"]) + '"',
        'industry == "food"',
    )
    assert figures.narrowed(dashboard.widgets["all"]).filters == ()
