"""Who came in a period, and how many of them did something again in each period after."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from trellis.formula import exact
from trellis.formula.types import NUMBER, Value
from trellis.model.reports.keys import fiscal_start
from trellis.model.reports.periods import Period
from trellis.model.text import Text
from trellis.records.reading.gather import Question
from trellis.reports import conditions
from trellis.reports.asking import Asking
from trellis.reports.kinds.trend import CUT
from trellis.reports.registry import report_kind
from trellis.reports.result import Answer, Drawing, Heading, Line, Series

SIZE = Text("Size")
MOST = 500


@report_kind("cohort")
class Cohort:
    """Retention: a line for each cohort, a column for each period since."""

    charts: ClassVar[tuple[str, ...]] = ("heatmap", "line")

    def answer(self, asking: Asking) -> Answer:
        """The answer: sizes of the cohorts, and who is found again in which period."""
        report, spec, key = asking.report, asking.report.spec, asking.report.groups[0]
        unit = key.period
        assert unit is not None
        sizes = {b.keys[0]: b.values[0] for b in asking.gather(sets=((0,),)) if b.keys[0] is not None}
        own = conditions.where(asking.store, report, spec.filter, asking.chosen, spec.entity)
        events = asking.store.gather(
            Question(
                spec.entity,
                own,
                (spec.came, spec.period),
                (spec.count,),
                ((0, 1),),
                asking.chosen.variables,
            )
        )
        active: dict[tuple[date, int], Value] = {}
        for bundle in events:
            came, at = bundle.keys
            if came in sizes and at is not None:
                active[came, _between(unit, came, at)] = bundle.values[0]
        today = unit.start(asking.reader.today(), fiscal_start(asking.reader))
        cohorts, is_cut = unit.each(min(sizes), max(sizes), MOST) if sizes else ([], False)
        width = min(report.spec.periods, 1 + max((_between(unit, c, today) for c in cohorts), default=0))
        headings = [
            asking.key_heading(key),
            Heading("size", SIZE, NUMBER),
            *(Heading(f"p{n}", spec.name(n), NUMBER, as_percent=True, can_drill=False) for n in range(width)),
        ]
        lines, rates = [], []
        for cohort in cohorts:
            size = sizes.get(cohort, 0)
            so_far = _between(unit, cohort, today)
            row = [_rate(active, cohort, n, size) if n <= so_far else None for n in range(width)]
            rates.append(row)
            lines.append(Line((cohort, size, *row), conditions=(key.condition(cohort, asking.reader),)))
        if lines:
            lines.append(self._total(unit, cohorts, sizes, active, width, today))
        return Answer(
            report,
            asking.chosen,
            tuple(headings),
            tuple(lines),
            self._drawing(asking, cohorts, rates, width),
            asking.condition,
            asking.can_drill,
            ((CUT, {"count": MOST}),) if is_cut else (),
        )

    def _total(
        self,
        unit: Period,
        cohorts: list[date],
        sizes: Mapping[date, Value],
        active: Mapping[tuple[date, int], Value],
        width: int,
        today: date,
    ) -> Line:
        """Of all that were there long enough."""
        row: list[Value] = []
        for n in range(width):
            there = [c for c in cohorts if _between(unit, c, today) >= n]
            whole = sum(sizes.get(c, 0) for c in there)
            again = sum(active.get((c, n), 0) for c in there)
            row.append(exact.divide(Decimal(again) * 100, Decimal(whole)) if whole else None)
        return Line((None, sum(sizes.values()), *row), "total", 0, ())

    def _drawing(self, asking: Asking, cohorts: list[date], rates: list[list[Value]], width: int) -> Drawing | None:
        if not cohorts:
            return None
        spec, key = asking.report.spec, asking.report.groups[0]
        wanted = asking.wishes.chart if asking.wishes.chart in self.charts else "heatmap"
        names: tuple[Any, ...] = tuple(spec.name(n) for n in range(width))
        series = tuple(
            Series(cohort, tuple(row), key, NUMBER) for cohort, row in zip(cohorts[-24:], rates[-24:], strict=True)
        )
        heading = Heading("rate", asking.report.label, NUMBER, as_percent=True, can_drill=False)
        return Drawing(str(wanted), names, series, None, measure=heading, types=self.charts)


def _rate(active: Mapping[tuple[date, int], Value], cohort: date, n: int, size: Value) -> Value:
    return exact.divide(Decimal(active.get((cohort, n), 0)) * 100, Decimal(size)) if size else None


def _between(unit: Period, first: date, last: date) -> int:
    """How many periods lie between the beginnings of two."""
    if unit.days:
        return (last - first).days // unit.days
    return ((last.year - first.year) * 12 + last.month - first.month) // unit.months
