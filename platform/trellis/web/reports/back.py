"""A report on earlier days, and how its totals went over them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from trellis.records.store import Store
from trellis.reports.result import Answer, Drawing, Series
from trellis.reports.schedule.keeping import as_it_stood, days_of
from trellis.web.reports.charts import chart_data
from trellis.web.reports.links import Drill
from trellis.web.reports.words import Words

MOST_SERIES = 3
NOT: dict[str, Any] = {"days": (), "stood": "", "over_days": None, "looks_back": False}


def looked_back(store: Store, answer: Answer, words: Words, wanted: str) -> tuple[Answer, dict[str, Any]]:
    """The report, or how it stood on the day that is asked for; the days there are, and the chart over them."""
    kept = days_of(store, answer.report)
    days = [(each.day.isoformat(), words.value(each.day)) for each in reversed(kept)]
    on = next((each for each in kept if each.day.isoformat() == wanted), None)
    drawing = _over_days(answer, words, kept)
    chart = None
    if drawing is not None:
        chart = chart_data(_with(answer, drawing), words, Drill(_with(answer, drawing), ""))
    shown = as_it_stood(store, answer, on) if on is not None else answer
    return shown, {"days": days, "stood": wanted if on is not None else "", "over_days": chart, "looks_back": True}


def _with(answer: Answer, drawing: Drawing) -> Answer:
    return replace(answer, drawing=drawing, can_drill=False)


def _over_days(answer: Answer, words: Words, kept: list[Any]) -> Drawing | None:
    """A line for each of the first measures that are of one type."""
    if len(kept) < 2:
        return None
    places = [n for n, h in enumerate(answer.headings) if h.role == "measure" and h.type.kind in ("number", "money")]
    if not places:
        return None
    first = answer.headings[places[0]]
    places = [n for n in places if answer.headings[n].type == first.type and not answer.headings[n].as_percent]
    totals = [each.total for each in kept]
    series = tuple(
        Series(
            answer.headings[n].label,
            tuple(t.values[n] if t is not None and len(t.values) > n else None for t in totals),
            type=first.type,
            heading=answer.headings[n],
        )
        for n in places[:MOST_SERIES]
    )
    return (
        Drawing("line", tuple(words.value(each.day) for each in kept), series, None, measure=first) if series else None
    )
