"""Who came in a period, and how many of them did something again in each period after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa

from trellis.formula import exact
from trellis.formula.formula import Formula
from trellis.formula.types import NUMBER, Value
from trellis.model.reports.keys import Key, fiscal_start
from trellis.model.reports.periods import Period
from trellis.model.text import Text
from trellis.records.reading.gather import Question, grouped, measures_in
from trellis.reports import conditions
from trellis.reports.asking import Asking
from trellis.reports.counted import Counted, condition
from trellis.reports.kinds.trend import cut_after
from trellis.reports.registry import report_kind
from trellis.reports.result import Answer, Behind, Drawing, Heading, Line, Series
from trellis.reports.seen import hides

if TYPE_CHECKING:
    from trellis.formula.sql.scope import SqlScope

SIZE = Text("Size")
AGAIN = Text("those who did it again in that period")
ALL = "all"  # every cohort
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
        events = asking.store.gather(self._events(asking))
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
            own = (key.condition(cohort, asking.reader),)
            lines.append(Line((cohort, size, *row), conditions=own, behind=_behind(asking, f"{cohort}", row)))
        if lines:
            total = self._total(unit, cohorts, sizes, active, width, today)
            known = (f"not ({key.condition(None, asking.reader)})",)  # who came at no time is in no cohort
            lines.append(replace(total, conditions=known, behind=_behind(asking, ALL, total.values[2:])))
        return Answer(
            report,
            asking.chosen,
            tuple(headings),
            tuple(lines),
            self._drawing(asking, cohorts, rates, width),
            asking.condition,
            asking.can_drill,
            cut_after(MOST) if is_cut else (),
        )

    def counted(self, asking: Asking, number: str) -> Counted | None:
        """Who is found again: `2026-04-01 3` in the third period after, `all 3` of every cohort."""
        report, spec, key = asking.report, asking.report.spec, asking.report.groups[0]
        unit, (cohort, _space, at) = key.period, number.partition(" ")
        who = next((node.of for node in measures_in(spec.count) if node.of is not None), None)
        if unit is None or not at.isdecimal() or int(at) >= spec.periods or who is None:
            return None
        if who.type.entities != (report.entity,) or _keeps_who(asking):
            return None
        try:
            came = None if cohort == ALL else date.fromisoformat(cohort)
        except ValueError:
            return None

        def predicate(scope: SqlScope) -> sa.ColumnElement[bool]:
            today = unit.start(asking.reader.today(), fiscal_start(asking.reader))
            sizes = asking.gather(sets=((0,),)) if came is None else ()
            every = [came] if came is not None else [b.keys[0] for b in sizes if b.keys[0] is not None]
            pairs = [(c, unit.shift(c, int(at))) for c in every if _between(unit, c, today) >= int(at)]
            question = self._events(asking)
            keys = (Key("who", Text(""), Formula("", who, who.type)), *question.keys)
            rows = grouped(asking.store.session, replace(question, keys=keys, measures=(), sets=((0, 1, 2),)))
            again = sa.select(rows.c.k0).where(sa.tuple_(rows.c.k1, rows.c.k2).in_(pairs))
            return sa.and_(scope.alias.c.id.in_(again))

        return Counted(report.entity, predicate, spec.name(int(at)), None if came is None else (key, came))

    def _events(self, asking: Asking) -> Question:
        """What brings them back, by when they came and when it was."""
        spec = asking.report.spec
        own = conditions.where(asking.store, asking.report, spec.filter, asking.chosen, spec.entity)
        return Question(spec.entity, own, (spec.came, spec.period), (spec.count,), ((0, 1),), asking.chosen.variables)

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
        series = []
        for cohort, row in zip(cohorts[-24:], rates[-24:], strict=True):
            behind = _behind(asking, f"{cohort}", row)
            own = tuple(behind.get(f"p{n}") for n in range(len(row)))
            series.append(Series(cohort, tuple(row), key, NUMBER, behind=own))
        heading = Heading("rate", asking.report.label, NUMBER, as_percent=True, can_drill=False)
        return Drawing(str(wanted), names, tuple(series), None, measure=heading, types=self.charts)


def _behind(asking: Asking, cohort: str, row: Sequence[Value]) -> Mapping[str, Behind]:
    """Who is found again in each period."""
    if _keeps_who(asking):
        return {}
    return {f"p{n}": Behind((condition(asking, f"{cohort} {n}"),), says=AGAIN) for n in range(len(row))}


def _keeps_who(asking: Asking) -> bool:
    """Whether the names would tell what is kept from this person: the filter of what brings them back asks for it."""
    spec = asking.report.spec
    return spec.filter is not None and hides(asking.store, spec.entity, [spec.filter.formula])


def _rate(active: Mapping[tuple[date, int], Value], cohort: date, n: int, size: Value) -> Value:
    return exact.divide(Decimal(active.get((cohort, n), 0)) * 100, Decimal(size)) if size else None


def _between(unit: Period, first: date, last: date) -> int:
    """How many periods lie between the beginnings of two."""
    if unit.days:
        return (last - first).days // unit.days
    return ((last.year - first.year) * 12 + last.month - first.month) // unit.months
