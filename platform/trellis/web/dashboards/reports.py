"""Reports on dashboards: charts, tables, funnels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask_babel import gettext as _

from trellis.reports.asking import number
from trellis.web.cells.numbers import number_text, percent_text
from trellis.web.dashboards.looking import Looking, Values, drawer
from trellis.web.dashboards.numbers import figure_text
from trellis.web.navigation import entity_address
from trellis.web.reports.charts import chart_data
from trellis.web.reports.table import table_of


@drawer("chart")
def chart(looking: Looking) -> Values:
    """The chart, and a sentence for those who do not see it."""
    answer = looking.answer(looking.widget.chart)
    data = chart_data(answer, looking.words, looking.drill(answer))
    if data is None or answer.is_empty:
        return {"chart": None}
    count = len(data["categories"])
    label = _(
        "Chart of %(measure)s with %(count)s values; the report says the same in a table.",
        measure=data["title"],
        count=count,
    )
    return {"chart": data, "label": label}


@drawer("table")
def table(looking: Looking) -> Values:
    """The table, cut after some lines."""
    widget = looking.widget
    answer = looking.answer(columns=widget.columns)
    made = table_of(answer, looking.words, looking.drill(answer), record_address=entity_address)
    most = widget.limit or 50
    more = max(len(made.rows) - most, 0)
    made = replace(made, rows=made.rows[:most])
    return {
        "table": made if made.rows else None,
        "report": looking.report,
        "more": number_text(more, looking.words.language) if more else "",
    }


@drawer("funnel")
def funnel(looking: Looking) -> Values:
    """The stages as bars; of one that records went through, the part that came on from the stage before."""
    answer, words = looking.answer(), looking.words
    keys = [h.key for h in answer.headings]
    at = keys.index("reached") if "reached" in keys else 1
    sizes = [float(number(line.values[at]) or 0) for line in answer.lines]
    most = max(sizes, default=0.0)
    drill = looking.drill(answer)
    rows: list[dict[str, Any]] = []
    for line, size in zip(answer.lines, sizes, strict=True):
        step = line.values[keys.index("step")] if "step" in keys else None
        rows.append(
            {
                "name": words.cell(answer.headings[0], line.values[0]),
                "text": figure_text(words, answer.headings[at], line.values[at]),
                "width": round(size / most * 100, 1) if most else 0,
                "step": percent_text(round(step), words.language) if step is not None else "",
                "href": drill.of(line, answer.headings[at]) or looking.address,
            }
        )
    return {"rows": rows if most else [], "has_steps": "step" in keys}
