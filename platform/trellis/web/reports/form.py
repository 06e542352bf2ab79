"""The controls of a report's params."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import url_for

from trellis.formula.types import Money, Ref, Value
from trellis.model.reports.report import Param, Report
from trellis.records.refusal import Forbidden, Missing
from trellis.records.store import Store
from trellis.reports.params import Chosen
from trellis.web.faults import fault_text
from trellis.web.reports.words import Words
from trellis.web.widgets.bound import editable_text
from trellis.web.widgets.link import Picked, picked, targets


@dataclass(frozen=True)
class Control:
    """One param: what it is edited with, what stands in it, what is wrong with it."""

    key: str
    label: str
    kind: str  # date, choice, boolean, record, number, text
    text: str = ""
    options: tuple[tuple[str, str], ...] = ()
    chosen: Picked | None = None
    source: str = ""
    error: str = ""
    required: bool = False


KINDS = {"date": "date", "datetime": "date", "boolean": "boolean", "number": "number", "money": "number"}


def controls(store: Store, report: Report, chosen: Chosen) -> list[Control]:
    """The controls in order."""
    return [control(store, param, chosen) for param in report.params.values()]


def control(store: Store, param: Param, chosen: Chosen) -> Control:
    """What one param is edited with."""
    reader, type_ = store.principal.reader, param.field.type
    value = chosen.values.get(param.key)
    error = " ".join(fault_text(f) for f in chosen.faults if f.field == param.key)
    given: dict[str, Any] = {
        "key": param.key,
        "label": Words(reader).text(param.label),
        "error": error,
        "required": param.field.required,
    }
    kind = type_.formula_type().kind
    typed = chosen.texts.get(param.key)
    if kind == "record" and len(to := targets(param.field)) == 1:
        one = _picked(store, value) if isinstance(value, Ref) else None
        return Control(**given, kind="record", chosen=one, source=url_for("PickerView.pick", entity=to[0]))
    options = getattr(type_, "options", None)
    if kind == "text" and options is not None:
        pairs = tuple((c.key, c.label.in_language(reader.language)) for c in options())
        return Control(**given, kind="choice", text=typed or str(value or ""), options=pairs)
    return Control(
        **given, kind=KINDS.get(kind, "text"), text=typed if typed is not None else _text(param, value, store)
    )


def _text(param: Param, value: Value, store: Store) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(store.principal.reader.time_zone).date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Money):
        return f"{value.amount}"
    return editable_text(param.field.type, value, store.principal.reader)


def _picked(store: Store, ref: Ref) -> Picked:
    try:
        title = ref.title or store.read(ref.entity, ref.id, fields=()).title
    except (Missing, Forbidden, KeyError):
        title = "—"
    return picked(ref, title or "—")
