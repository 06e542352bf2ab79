"""What goes with an entity that a layer leaves out, where it takes reading formulas to find it."""

from __future__ import annotations

from typing import Any

CORE = """
entity: rival
fields: {name: {type: text}, size: {type: integer}}
---
entity: deal
fields:
  name: {type: text}
  amount: {type: money}
  rivals: {type: links, to: rival}
views: {open: {columns: [name, rivals]}}
---
report: lost-to
entity: deal
filter: not is_blank(rivals)
group: [name]
---
report: wins
entity: deal
label: Wins by rivals
measures: {rivals: count(), won: 'count(name == "rivals")'}
---
report: rivals-by-size
entity: rival
group: [size]
---
dashboard: sales
widgets:
  lost:   {table: lost-to, at: [0, 0, 3, 2]}
  wins:   {number: wins, at: [3, 0, 3, 2]}
  deals:  {list: deal.open, columns: [name, rivals], sort: [-rivals.name], at: [0, 2, 3, 2]}
  rivals: {list: rival, at: [3, 2, 3, 2]}
  news:   {feed: [deal, rival], at: [6, 0, 3, 2]}
  spied:  {feed: rival, at: [6, 2, 3, 2]}
---
menu: main
groups: {sales: {items: [deal, rival, {report: lost-to}, {report: wins}]}}
"""
WITHOUT = "template: t\nversion: 1.0.0\nwithout: [entity.rival]\n"


def test_reports_and_widgets_that_ask_for_what_went_go_along(model_of: Any) -> None:
    model = model_of(CORE, WITHOUT)
    assert set(model.reports) == {"wins"}  # a word in quotes, a label, a measure of that name are no field
    widgets = model.dashboards["sales"].widgets
    assert set(widgets) == {"wins", "deals", "news"}
    assert widgets["news"].entities == ("deal",)
    assert widgets["deals"].columns == ("name",)


def test_a_report_of_ones_own_that_asks_for_what_went_is_told(compile_yaml: Any) -> None:
    own = WITHOUT + "---\nreport: mine\nentity: deal\nfilter: not is_blank(rivals)\n"
    compiled = compile_yaml(CORE, own)
    assert [(p.code, p.mark.line) for p in compiled.problems if p.is_error] == [("E402", 7)]
