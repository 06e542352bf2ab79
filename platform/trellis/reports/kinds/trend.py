"""Measures over time, every period shown, beside the period or the year before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, ClassVar

from trellis.formula.types import NUMBER, Value
from trellis.model.reports.keys import Key, fiscal_start, literal
from trellis.model.reports.periods import Period
from trellis.model.reports.report import Measure
from trellis.model.text import Text
from trellis.records.reading.gather import Bundle
from trellis.reports.asking import Asking, number
from trellis.reports.conditions import both
from trellis.reports.over import OVER, behind_over, change, either
from trellis.reports.registry import report_kind
from trellis.reports.result import Answer, Behind, Drawing, Heading, Line, Series

BEFORE = {"previous_period": Text("Period before"), "previous_year": Text("Year before")}
CHANGE = Text("Change")
PERIODS = Text("the records of both periods")
MOST = 1000


@report_kind("trend")
class Trend:
    """The last periods up to now, or all that the filter leaves."""

    charts: ClassVar[tuple[str, ...]] = ("line", "area", "bar", "scatter")

    def answer(self, asking: Asking) -> Answer:
        """The answer: one statement over the periods and those that they are compared with."""
        report, key = asking.report, asking.report.groups[0]
        unit = key.period
        assert unit is not None
        first, last = self.span(asking, unit)
        start = self.shifted(asking, unit, first) if first is not None and report.compare else first
        keys: tuple[Key, ...] = (key,)
        where = asking.where
        sets: tuple[tuple[int, ...], ...] = ((0,), ())
        if first is not None and last is not None and start is not None:
            source = key.formula.source.strip()
            end = unit.end(last) - timedelta(days=1)
            where = (*where, f"({source}) >= {literal(start)} and ({source}) <= {literal(end)}")
            is_now = asking.compiled(f"({source}) >= {literal(first)}")
            keys, sets = (key, Key("now", Text(""), is_now)), ((0,), (1,))
        bundles = asking.gather(keys=keys, sets=sets, where=where)
        found = {b.keys[0]: b.values for b in bundles if b.made_of == (0,)}
        days, is_cut = self.days(unit, first, last, found)
        return self.arranged(asking, key, days, found, bundles, is_cut=is_cut)

    def span(self, asking: Asking, unit: Period) -> tuple[date | None, date | None]:
        """The first and the last period; None: what the filter leaves."""
        count = asking.report.spec
        if not count:
            return None, None
        last = unit.start(asking.reader.today(), fiscal_start(asking.reader))
        return unit.shift(last, 1 - count), last

    def shifted(self, asking: Asking, unit: Period, day: date) -> date:
        """The period that one is compared with."""
        if asking.report.compare == "previous_period":
            return unit.shift(day, -1)
        if unit.days:
            return day - timedelta(days=364)  # whole weeks, so that weekdays meet
        return unit.shift(day, -(12 // unit.months))

    def days(
        self, unit: Period, first: date | None, last: date | None, found: dict[Any, Any]
    ) -> tuple[list[date], bool]:
        """Every period that is shown, gaps included, and whether there are more."""
        known = [d for d in found if d is not None]
        if first is None or last is None:
            if not known:
                return [], False
            first, last = min(known), max(known)
        return unit.each(first, last, MOST)

    def arranged(
        self,
        asking: Asking,
        key: Key,
        days: Sequence[date],
        found: dict[Any, tuple[Value, ...]],
        bundles: Sequence[Bundle],
        *,
        is_cut: bool = False,
    ) -> Answer:
        """Lines and series."""
        report, nothing = asking.report, asking.nothing()
        unit, compare = key.period, asking.report.compare
        assert unit is not None
        now = [found.get(day, nothing) for day in days]
        before = [found.get(self.shifted(asking, unit, day), nothing) for day in days] if compare else []
        total = next((b.values for b in bundles if b.made_of == () or (b.made_of == (1,) and b.keys[1])), nothing)
        headings = [asking.key_heading(key)]
        columns: list[list[Value]] = []
        totals: list[Value] = []
        series: list[Series] = []
        for n, measure in enumerate(asking.measures):
            values = [row[n] for row in now]
            shown = OVER[measure.over](values, total[n]) if measure.over else values
            headings.append(asking.measure_heading(measure))
            columns.append(shown)
            totals.append(total[n] if measure.over in (None, "running") else None)
            if not series or not compare:
                series.append(Series(measure.label, tuple(shown), type=measure.type, heading=headings[-1]))
            if compare and measure.over is None:
                past = [row[n] for row in before]
                headings += [
                    replace(headings[-1], key=f"{measure.key}.before", label=BEFORE[compare], can_drill=False),
                    Heading(f"{measure.key}.change", CHANGE, NUMBER, as_percent=True, can_drill=False),
                ]
                columns += [past, [change(number(v), number(p)) for v, p in zip(values, past, strict=True)]]
                totals += [None, None]
                if len(series) == 1:
                    then = tuple(self.earlier(asking, key, day, measure) for day in days)
                    own = series[0].heading
                    series.append(Series(BEFORE[compare], tuple(past), None, measure.type, own, then))
        others = self.others(asking, key, days)
        lines = [
            Line((day, *(c[at] for c in columns)), conditions=(key.condition(day, asking.reader),), behind=others[at])
            for at, day in enumerate(days)
        ]
        ends = (key.condition(days[0], asking.reader), key.condition(days[-1], asking.reader)) if days else ("", "")
        span = both(ends[0].partition(" and ")[0], ends[1].rpartition(" and ")[2]) if days else ""
        whole = {m.key: Behind((span, *asking.conditions_of(m))) for m in asking.measures if m.over == "running"}
        lines.append(Line((None, *totals), "total", 0, (span,) if span else (), behind=whole if span else {}))
        return Answer(
            report,
            asking.chosen,
            tuple(headings),
            tuple(lines),
            self.drawing(asking, key, days, series),
            asking.condition,
            asking.can_drill,
            cut_after(MOST) if is_cut else (),
        )

    def earlier(self, asking: Asking, key: Key, day: date, measure: Measure) -> Behind:
        """The records of the period that one is compared with."""
        unit = key.period
        assert unit is not None
        own = key.condition(self.shifted(asking, unit, day), asking.reader)
        return Behind((own, *asking.conditions_of(measure)))

    def others(self, asking: Asking, key: Key, days: Sequence[date]) -> list[dict[str, Behind | None]]:
        """For each line the numbers that are not of its own records alone."""
        own = [(key.condition(day, asking.reader),) for day in days]
        found: list[dict[str, Behind | None]] = [{} for _ in days]
        for measure in asking.measures:
            more = asking.conditions_of(measure)
            for at, day in enumerate(days):
                if measure.over == "running":  # from the first period that is shown on
                    ends = own[0][0].partition(" and ")[0], own[at][0].rpartition(" and ")[2]
                    found[at][measure.key] = Behind((both(*ends), *more))
                elif measure.over is not None:
                    found[at][measure.key] = behind_over(measure.over, own, at, more)
                elif asking.report.compare:
                    then = self.earlier(asking, key, day, measure)
                    pair = either([own[at], then.conditions[:1]])
                    found[at][f"{measure.key}.before"] = then
                    found[at][f"{measure.key}.change"] = Behind((*pair, *more), says=PERIODS)
        return found

    def drawing(self, asking: Asking, key: Key, days: Sequence[date], series: Sequence[Series]) -> Drawing | None:
        """A line for now, another for before."""
        if not days or not series:
            return None
        wanted = asking.wishes.chart
        chart = asking.report.chart
        type_ = wanted if wanted in self.charts else chart.type if chart is not None else "line"
        if chart is not None and chart.y and not asking.report.compare:
            labels = {m.label for m in asking.measures if m.key in chart.y}
            series = [s for s in series if s.label in labels] or series
        heading = series[0].heading
        kept = [s for s in series if s.type == series[0].type and _in_percent(s) == _in_percent(series[0])]
        return Drawing(type_, tuple(days), tuple(kept), key, measure=heading, types=self.charts)


def cut_after(most: int) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """What is said where there are more periods than are shown."""
    return (("Only the first %(count)s periods are shown.", {"count": most}),)


def _in_percent(series: Series) -> bool:
    return series.heading is not None and series.heading.as_percent
