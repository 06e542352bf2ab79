"""A single number of a report: its total, what it was in the period before, how it has gone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from trellis.formula.env import Env
from trellis.formula.types import Value
from trellis.model.dashboards.spans import Span, before
from trellis.model.reports.keys import PeriodKey, fiscal_start, literal
from trellis.model.reports.periods import PERIODS
from trellis.records.refusal import Missing
from trellis.reports.asking import Asking, Wishes, ask, number
from trellis.reports.dashboards.chosen import Choice, Narrowed, narrow
from trellis.reports.over import change
from trellis.reports.registry import kind_of
from trellis.reports.result import Answer, Behind, Heading, behind

if TYPE_CHECKING:
    from trellis.model.dashboards.dashboard import Dashboard, Widget
    from trellis.model.reports.report import Measure, Report
    from trellis.records.store import Store

POINTS = 12


@dataclass(frozen=True)
class Figure:
    """A number with what stands around it. `difference` is in its own unit, `change` in percent of what it was."""

    report: Report
    heading: Heading
    value: Value
    narrowed: Narrowed
    before: Value = None
    change: Any = None
    difference: Any = None
    span: Span | None = None  # the days that it is compared with
    points: tuple[Value, ...] = ()
    also: tuple[Heading, Value] | None = None
    target: Value = None
    reached: Any = None  # percent of the target
    past: Narrowed | None = None  # what is asked for the days that it is compared with
    answer: Answer | None = None  # of a report over time, or with targets: as it ran
    before_behind: Behind | None = None  # the records of what it was, where the answer has them
    target_behind: Behind | None = None


@dataclass(frozen=True)
class Figures:
    """Makes the numbers of one dashboard for one reader."""

    store: Store
    dashboard: Dashboard
    choice: Choice
    place: str | None = None

    def figure(self, widget: Widget, report: Report) -> Figure:
        """The number of a widget. Raises Refused, Missing."""
        if report.type == "trend":
            return self._of_trend(widget, report)
        narrowed = self.narrowed(widget)
        asking = self._asking(report, narrowed)
        measure = self._measure(asking, widget.measure)
        also = next((m for m in asking.measures if m.key == widget.also), None)
        wanted = [measure, *([also] if also is not None else [])]
        values = self._totals(asking, wanted)
        found = Figure(report, asking.measure_heading(measure), values[0], narrowed)
        if also is not None:
            found = replace(found, also=(asking.measure_heading(also), values[1]))
        found = self._compared(found, widget, report)
        return replace(found, points=self._points(widget, report, narrowed))

    def gauge(self, widget: Widget, report: Report) -> Figure:
        """The number of a widget beside its target."""
        if report.type == "target":
            return self._of_target(widget, report)
        found = self.figure(replace(widget, compare=None, spark="none"), report)
        target = widget.target.evaluate(Env(None, self.store.principal.reader)) if widget.target is not None else None
        return replace(found, target=target, reached=_part(found.value, target))

    def narrowed(self, widget: Widget, span: Span | None = None) -> Narrowed:
        """What the widget asks for what is chosen."""
        model, reader = self.store.tenant.model, self.store.principal.reader
        return narrow(model, self.dashboard, widget, self.choice, reader, span)

    # ── parts ────────────────────────────────────────────────────────────────────────────────────────────

    def _asking(self, report: Report, narrowed: Narrowed) -> Asking:
        return ask(self.store, report, narrowed.given, Wishes(filters=narrowed.filters, place=self.place))

    def _measure(self, asking: Asking, key: str | None) -> Measure:
        """The measure that is wanted, else the first that has a total. Raises Missing where it is kept from them."""
        found = next((m for m in asking.measures if m.key == key or (key is None and m.over is None)), None)
        if found is None:
            raise Missing(f"measure {key}")
        return found

    def _totals(self, asking: Asking, measures: list[Measure]) -> tuple[Value, ...]:
        bundles = asking.gather(keys=(), sets=((),), measures=tuple(m.formula for m in measures))
        if bundles:
            return bundles[0].values
        nothing = dict(zip((m.key for m in asking.measures), asking.nothing(), strict=True))
        return tuple(nothing[m.key] for m in measures)

    def _compared(self, found: Figure, widget: Widget, report: Report) -> Figure:
        span = found.narrowed.span
        if widget.compare is None or span is None:
            return found
        past = before(span, self.store.principal.reader.today(), widget.compare)
        if past is None:
            return found
        then = self.narrowed(widget, past)
        asking = self._asking(report, then)
        value = self._totals(asking, [self._measure(asking, widget.measure)])[0]
        return _with_change(replace(found, before=value, span=past, past=then))

    def _points(self, widget: Widget, report: Report, narrowed: Narrowed) -> tuple[Value, ...]:
        """The number in each of the last periods, up to the end of the one that is chosen or today."""
        if report.date is None or widget.spark == "none" or not (widget.spark or widget.compare):
            return ()
        reader = self.store.principal.reader
        unit = PERIODS[widget.spark or _unit_of(narrowed.span)]
        last = unit.start(
            min(narrowed.span.last or reader.today(), reader.today()) if narrowed.span else reader.today()
        )
        first = unit.shift(last, 1 - POINTS)
        days = Span(first, unit.end(last) - timedelta(days=1))
        source = f"({report.date.source.strip()})"
        asking = self._asking(report, self.narrowed(widget, days))
        if narrowed.span is None:
            more = f"{source} >= {literal(days.first)} and {source} <= {literal(days.last)}"
            asking = replace(asking, wishes=replace(asking.wishes, filters=(*asking.wishes.filters, more)))
        key = PeriodKey("period", asking.report.label, report.date, unit)
        measure = self._measure(asking, widget.measure)
        bundles = asking.gather(keys=(key,), sets=((0,),), measures=(measure.formula,))
        known = {b.keys[0]: b.values[0] for b in bundles}
        nothing = dict(zip((m.key for m in asking.measures), asking.nothing(), strict=True))[measure.key]
        return tuple(known.get(unit.shift(first, n), nothing) for n in range(POINTS))

    def _of_trend(self, widget: Widget, report: Report) -> Figure:
        """The period at hand of a report over time, with the one that it compares with itself."""
        narrowed = self.narrowed(widget)
        asking = self._asking(report, narrowed)
        answer = kind_of(report.type).answer(asking)
        measure = self._measure(asking, widget.measure)
        values = _column(answer, measure.key)
        past = _column(answer, f"{measure.key}.before")
        found = Figure(report, _heading(answer, measure.key), values[-1] if values else None, narrowed)
        found = replace(found, points=tuple(values[-POINTS:]) if widget.spark != "none" else ())
        if widget.compare is None and not past:
            return found
        earlier = past[-1] if past else values[-2] if len(values) > 1 else None
        unit = report.groups[0].period
        assert unit is not None
        first = unit.start(self.store.principal.reader.today(), fiscal_start(self.store.principal.reader))
        span = Span(first, unit.end(first) - timedelta(days=1), unit=unit)
        how = report.compare or "previous_period"
        lines = [line for line in answer.lines if line.kind == "line"]
        opened = None
        if past and lines:
            opened = behind(lines[-1], _heading(answer, f"{measure.key}.before"))
        elif len(lines) > 1:
            opened = behind(lines[-2], _heading(answer, measure.key))
        found = replace(found, answer=answer, before_behind=opened)
        return _with_change(replace(found, before=earlier, span=before(span, first - timedelta(days=1), how)))

    def _of_target(self, widget: Widget, report: Report) -> Figure:
        narrowed = self.narrowed(widget)
        asking = self._asking(report, narrowed)
        answer = kind_of(report.type).answer(asking)
        measure = self._measure(asking, widget.measure)
        told = _total(answer)
        value, target = told.get(measure.key), told.get("target")
        opened = behind(answer.total, _heading(answer, "target")) if answer.total is not None else None
        return Figure(
            report,
            _heading(answer, measure.key),
            value,
            narrowed,
            target=target,
            reached=_part(value, target),
            answer=answer,
            target_behind=opened,
        )


def _unit_of(span: Span | None) -> str:
    """Months for a quarter and longer, weeks for a month, days for less."""
    if span is None or not span.days or span.days > 62:
        return "month"
    return "week" if span.days > 13 else "day"


def _with_change(found: Figure) -> Figure:
    now, was = number(found.value), number(found.before)
    if now is None or was is None:
        return found
    return replace(found, change=change(now, was), difference=now - was)


def _part(value: Value, whole: Value) -> Any:
    """How much of a whole, in percent."""
    part, all_ = number(value), number(whole)
    if part is None or not all_:
        return None
    moved = change(part, all_)
    return None if moved is None else moved + 100


def _heading(answer: Answer, key: str) -> Heading:
    return next(h for h in answer.headings if h.key == key)


def _column(answer: Answer, key: str) -> list[Value]:
    at = next((n for n, h in enumerate(answer.headings) if h.key == key), None)
    return [] if at is None else [line.values[at] for line in answer.lines if line.kind == "line"]


def _total(answer: Answer) -> Mapping[str, Value]:
    total = answer.total
    return {} if total is None else dict(zip((h.key for h in answer.headings), total.values, strict=True))
