"""Dashboards are checked: what they name, where widgets stand, whether a filter reaches anything."""

from __future__ import annotations

from typing import Any

import pytest

from trellis.model.dashboards.reach import reach
from trellis.model.kinds.registry import KINDS

DEALS = """
entity: deal
label: Deal
fields:
  name: {type: text}
  amount: {type: money}
  owner: {type: user, role: owner}
  kind: {type: choice, choices: [big, small]}
  won_on: {type: date}
views: {open: {type: list, label: Open deals, columns: [name, amount]}, plan: {type: calendar, start: won_on}}
---
report: won
label: Won deals
entity: deal
date: won_on
group: [owner]
measures: {deals: count(), amount: sum(amount), part: share(sum(amount))}
---
report: undated
entity: deal
group: [owner]
---
report: rows
type: table
entity: deal
columns: [name]
---
"""
WRONG = {
    "a measure that there is not": (
        "{number: won, measure: amounts}",
        "E319",
        "unknown measure of the report 'amounts'",
    ),
    "a measure without a total": ("{number: won, measure: part}", "E330", "has no total"),
    "a report without a total": ("{number: rows}", "E330", "a table is not shown as 'number'"),
    "a report without groups as a ranking": ("{leaders: rows}", "E330", "a table is not shown as 'leaders'"),
    "a report that is no funnel": ("{funnel: won}", "E330", "a summary is not shown as 'funnel'"),
    "a comparison without a date": ("{number: undated, compare: previous_period}", "E330", "there is no date"),
    "a period that there is not": ("{number: won, period: this_quartr}", "E301", "unknown period 'this_quartr'"),
    "a gauge without a target": ("{gauge: won}", "E204", "'target' is missing"),
    "a target that is a text": ("{gauge: won, target: '=\"much\"'}", "E406", "a number or a money is expected"),
    "a param that there is not": ("{chart: won, params: {form: 1}}", "E319", "unknown param of the report 'form'"),
    "a view that there is not": ("{list: deal.opne}", "E316", "unknown view 'opne'"),
    "a column that there is not": ("{list: deal, columns: [amuont]}", "E304", "unknown field 'amuont'"),
    "a calendar without a day": ("{calendar: deal.open}", "E330", "'deal' has no calendar"),
    "a condition that is none": ("{list: deal, filter: amount + 1}", "E4", ""),
    "an entity that there is not": ("{feed: [deal, dael]}", "E301", "unknown entity 'dael'"),
    "a role that there is not": ("{text: hello, roles: [sailor]}", "E313", "unknown role 'sailor'"),
    "a page that is not over TLS": ('{page: "http://example.com/"}', "E215", "not the address"),
    "a page that is a script": ('{page: "javascript:alert(1)"}', "E215", "not the address"),
    "a page that says more to the browser": ('{page: "https://a.example; script-src *"}', "E215", "not the address"),
    "a filter of the dashboard that there is not": ("{chart: won, filters: [ownr]}", "E316", "unknown filter"),
    "beyond the twelfth column": ("{chart: won, at: [8, 0, 6, 4]}", "E208", "does not fit into 12 columns"),
    "above the first row": ("{chart: won, at: [0, -1, 6, 4]}", "E208", "does not fit into 12 columns"),
    "a word that there is not": ("{chart: won, colour: red}", "E203", "unknown key 'colour'"),
}


def _problems(compile_yaml: Any, text: str) -> list[Any]:
    return [p for p in compile_yaml(DEALS + text).problems if p.code != "W613"]


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_with_a_widget_is_told_at_its_place(compile_yaml: Any, what: str) -> None:
    widget, code, message = WRONG[what]
    found = _problems(compile_yaml, f"dashboard: d\nwidgets:\n  a: {widget}\n")
    assert [p for p in found if p.code.startswith(code) and message in p.message], found
    assert all(p.path.startswith("widgets.a") for p in found)


def test_widgets_do_not_lie_upon_each_other(compile_yaml: Any) -> None:
    text = "dashboard: d\nwidgets:\n  a: {chart: won, at: [0, 0, 6, 4]}\n  b: {table: won, at: [5, 3, 4, 4]}\n"
    (problem,) = _problems(compile_yaml, text)
    assert (problem.code, problem.path, problem.message) == ("E208", "widgets.b.at", "overlaps with 'a'")


def test_widgets_without_a_place_stand_below_and_beside_the_others(compile_yaml: Any) -> None:
    text = (
        "dashboard: d\nwidgets: {a: {chart: won, at: [0, 0, 6, 4]}, b: {number: won}, c: {number: won}, e: {text: x}}\n"
    )
    widgets = compile_yaml(DEALS + text).model.dashboards["d"].widgets
    places = {key: (w.at.x, w.at.y, w.at.width, w.at.height) for key, w in widgets.items()}
    assert places["b"] == (6, 0, 3, 2)
    assert places["c"] == (9, 0, 3, 2)
    assert not any(
        one.at.overlaps(other.at) for one in widgets.values() for other in widgets.values() if one is not other
    )


def test_a_filter_that_reaches_no_widget_is_advised_against(compile_yaml: Any) -> None:
    text = """
dashboard: d
filters: {period: {type: date_range, default: this_year}, owner: {type: user}, sort: {type: choice, choices: [x]}}
widgets: {a: {list: deal.open}}
"""
    found = _problems(compile_yaml, text)
    assert [(p.code, p.path) for p in found] == [("W630", "filters.period"), ("W630", "filters.sort")]
    assert not any(p.is_error for p in found)


def test_a_filter_reaches_a_field_of_another_name_when_that_is_said(compile_yaml: Any) -> None:
    text = "dashboard: d\nfilters: {sort: {type: choice, choices: [big], field: kind}}\nwidgets: {a: {list: deal}}\n"
    assert not _problems(compile_yaml, text)


def test_a_team_is_reached_by_the_owner_and_a_link_by_the_only_one(compile_yaml: Any) -> None:
    text = """
entity: shop
label: Shop
fields: {name: {type: text}}
---
entity: till
label: Till
fields: {name: {type: text}, shop: {type: link, to: shop}, keeper: {type: user, role: owner}}
---
dashboard: d
filters: {squad: {type: team}, place: {type: link, to: shop}, person: {type: user}}
widgets: {tills: {list: till}, deals: {chart: won}}
"""
    model = compile_yaml(DEALS + text).model
    board = model.dashboards["d"]

    def paths(widget: str) -> list[str | None]:
        found = [reach(f, board.widgets[widget], model.reports, model.entities) for f in board.filters.values()]
        return [None if how is None else how.path for how in found]

    assert paths("tills") == ["keeper.team", "shop", "keeper"]
    assert paths("deals") == ["owner.team", None, "owner"]


def test_a_widget_is_called_like_what_it_shows(compile_yaml: Any) -> None:
    text = "dashboard: d\nwidgets: {a: {chart: won}, b: {list: deal.open}, c: {text: hi}}\n"
    widgets = compile_yaml(DEALS + text).model.dashboards["d"].widgets
    assert [str(w.label) for w in widgets.values()] == ["Won deals", "Open deals", "C"]


def test_the_schema_knows_every_kind_of_widget() -> None:
    forms = KINDS["dashboard"].schema["properties"]["widgets"]["additionalProperties"]["x-forms"]["keys"]
    assert set(forms) >= {"number", "chart", "table", "funnel", "gauge", "leaders", "list", "calendar", "feed", "work"}
    assert all(form["required"] == [name] for name, form in forms.items())
