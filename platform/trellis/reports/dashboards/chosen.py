"""What a reader has narrowed a dashboard by, and what that means for the question of one widget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from trellis.formula.types import Ref, Value
from trellis.model.dashboards.dashboard import Dashboard, DashboardFilter, Widget
from trellis.model.dashboards.reach import RANGE, Reach, reach
from trellis.model.dashboards.spans import Span, read_span
from trellis.model.reports.keys import fiscal_start, literal, quoted
from trellis.records.refusal import Fault
from trellis.reports.params import read_values

if TYPE_CHECKING:
    from trellis.formula.reader import Reader
    from trellis.model.entity import Entity
    from trellis.model.model import Model
    from trellis.model.reports.report import Report

ME = "me"
EVER = "all"  # of a date range: no matter when


@dataclass(frozen=True)
class Choice:
    """The filters that are set: values, days, and the texts that an address says for them."""

    values: Mapping[str, Value] = field(default_factory=dict)
    spans: Mapping[str, Span] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class Narrowed:
    """What a widget's question says more: params of its report, conditions; the filters that do not reach it."""

    given: Mapping[str, str] = field(default_factory=dict)
    filters: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    span: Span | None = None

    @property
    def parts(self) -> list[tuple[str, str]]:
        """The same as the address of a report says it."""
        return [*self.given.items(), *(("filter", text) for text in self.filters)]


def read_choice(dashboard: Dashboard, given: Mapping[str, str], reader: Reader) -> Choice:
    """The filters of an address: what is not there has its default, what is empty narrows nothing."""
    params = {key: f.param for key, f in dashboard.filters.items() if f.param is not None}
    typed = {key: _myself(f, given[key], reader) for key, f in dashboard.filters.items() if key in given}
    chosen = read_values(params, typed, reader)
    texts = {key: _text(value) for key, value in chosen.values.items()} | dict(chosen.texts)
    faults, spans = list(chosen.faults), {}
    for key, narrowed in dashboard.filters.items():
        if narrowed.type != RANGE:
            continue
        text = given.get(key, narrowed.default or "").strip()
        if not text or text == EVER:
            continue
        texts[key] = text
        span = read_span(text, reader.today(), fiscal_start(reader))
        if span is None:
            faults.append(Fault("period", "“{text}” is no period.", key, {"text": text}))
        else:
            spans[key] = span
    return Choice(chosen.values, spans, texts, tuple(faults))


def narrow(
    model: Model, dashboard: Dashboard, widget: Widget, choice: Choice, reader: Reader, span: Span | None = None
) -> Narrowed:
    """What one widget asks; `span` takes the place of the period that is chosen."""
    given, filters, missed = dict(widget.params), [], []
    if widget.filter is not None:
        filters.append(widget.filter.source.strip())
    asked: Span | None = None
    if widget.period is not None and (report := _report(model, dashboard, widget)) is not None:
        asked = span or read_span(widget.period, reader.today(), fiscal_start(reader))
        if asked is not None and report.date is not None:
            filters.append(_within(report.date.source.strip(), asked))
            given |= {key: "" for key in ("from", "to") if key in report.params}
    known = {**model.reports, **dashboard.reports} if dashboard.reports else model.reports
    for key, narrowed in dashboard.filters.items():
        if key not in choice.values and key not in choice.spans:
            continue
        how = reach(narrowed, widget, known, model.entities)
        if how is None:
            if widget.takes is None and narrowed.type != RANGE:  # without a date it is about now, whatever is chosen
                missed.append(key)
            continue
        if narrowed.type == RANGE:
            asked = span or choice.spans[key]
            given |= _ends(how, asked)
            if how.path:
                filters.append(_within(how.path, asked))
        elif how.params:
            given |= dict.fromkeys(how.params, choice.texts[key])
        else:
            filters.append(_equals(narrowed, how.path, choice.values[key], _entity(model, dashboard, widget)))
    return Narrowed(given, tuple(f for f in filters if f), tuple(missed), asked)


def _ends(how: Reach, span: Span) -> dict[str, str]:
    """A report with a date of its own is narrowed by it, and its own params say nothing then."""
    ends = {"from": span.first, "to": span.last}
    return {key: "" if how.path or ends[key] is None else ends[key].isoformat() for key in how.params}  # type: ignore[union-attr]


def _within(path: str, span: Span) -> str:
    path = path if path.replace("_", "a").replace(".", "a").isalnum() else f"({path})"
    ends = [(">=", span.first), ("<=", span.last)]
    return " and ".join(f"{path} {sign} {literal(day)}" for sign, day in ends if day is not None)


def _report(model: Model, dashboard: Dashboard, widget: Widget) -> Report | None:
    key = widget.report or ""
    return dashboard.reports.get(key) or model.reports.get(key)


def _entity(model: Model, dashboard: Dashboard, widget: Widget) -> Entity:
    report = _report(model, dashboard, widget)
    return model.entities[report.entity if report is not None else widget.entity or ""]


def _equals(narrowed: DashboardFilter, path: str, value: Value, entity: Entity) -> str:
    if isinstance(value, Ref):
        return f"{path}.id == {quoted(str(value.id))}"
    field_ = entity.fields.get(path)
    if field_ is not None and field_.type.formula_type().kind == "list":
        return f"{literal(value)} in {path}"
    return f"{path} == {literal(value)}"


def _myself(narrowed: DashboardFilter, text: str, reader: Reader) -> str:
    """`me` in the address of a filter by person: a link that everybody reads for themselves."""
    if narrowed.type == "user" and text.strip() == ME and reader.me is not None:
        return str(reader.me.id)
    return text


def _text(value: Value) -> str:
    if isinstance(value, Ref):
        return str(value.id)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
