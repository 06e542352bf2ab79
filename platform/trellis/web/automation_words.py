"""What automation is called on its pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _l

from trellis.automation.workflows.codec import thaw
from trellis.formula.reader import Reader
from trellis.formula.types import Money, Ref, Value
from trellis.model.automation import triggers
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.records.refusal import Fault
from trellis.web.faults import fault_text

STATES: Mapping[str, tuple[Any, str]] = {
    "ready": (_l("Working"), "blue"),
    "waiting": (_l("Waiting"), "yellow"),
    "paused": (_l("Paused"), "gray"),
    "done": (_l("Done"), "green"),
    "stopped": (_l("Stopped"), "gray"),
    "failed": (_l("Failed"), "red"),
    "cancelled": (_l("Cancelled"), "gray"),
}
OUTCOMES: Mapping[str, tuple[Any, str]] = {
    "done": (_l("Done"), "green"),
    "skipped": (_l("Left out"), "gray"),
    "waiting": (_l("Waiting"), "yellow"),
    "retried": (_l("Tried again later"), "yellow"),
    "failed": (_l("Failed"), "red"),
    "stopped": (_l("Stopped"), "gray"),
}
VERBS: Mapping[str, tuple[Any, str]] = {
    "set": (_l("Set fields"), "pencil"),
    "refuse": (_l("Refuse"), "ban"),
    "create": (_l("Create a record"), "plus"),
    "update": (_l("Change a record"), "edit"),
    "delete": (_l("Delete a record"), "trash"),
    "restore": (_l("Restore a record"), "restore"),
    "link": (_l("Link"), "link"),
    "unlink": (_l("Unlink"), "unlink"),
    "find": (_l("Find"), "search"),
    "each": (_l("For each"), "list-details"),
    "assign": (_l("Assign"), "user-check"),
    "notify": (_l("Tell people"), "bell"),
    "send": (_l("Send a message"), "send"),
    "wait": (_l("Wait"), "clock"),
    "if": (_l("If"), "git-branch"),
    "switch": (_l("Choose a way"), "arrows-split-2"),
    "approve": (_l("Ask for approval"), "checkbox"),
    "request": (_l("Call another system"), "world"),
    "document": (_l("Make a document"), "file-text"),
    "run": (_l("Run a workflow"), "player-play"),
    "convert": (_l("Convert"), "arrows-split-2"),
    "log": (_l("Note"), "note"),
    "stop": (_l("Stop"), "player-stop"),
}
TRIGGERS: Mapping[str, Any] = {
    "record": _l("a change of a record"),
    "schedule": _l("a schedule"),
    "date": _l("a date"),
    "stuck": _l("a stage that takes too long"),
    "button": _l("a button"),
    "webhook": _l("a request from outside"),
    "email": _l("a mail"),
    "form": _l("a form"),
    "sla": _l("a service level"),
    "run": _l("another workflow"),
    "enrol": _l("somebody, by hand"),
    "trial": _l("a trial"),
}
KINDS: Mapping[type, str] = {
    triggers.OnRecord: "record",
    triggers.Before: "before",
    triggers.OnSchedule: "schedule",
    triggers.OnDate: "date",
    triggers.OnButton: "button",
    triggers.OnWebhook: "webhook",
    triggers.OnMail: "email",
    triggers.OnForm: "form",
    triggers.OnSla: "sla",
    triggers.OnRun: "run",
}
TOLD: Mapping[str, Any] = {
    "to": _l("To whom"),
    "until": _l("Until"),
    "left": _l("Left out"),
    "count": _l("Number"),
    "outcome": _l("Outcome"),
    "said": _l("Decisions"),
    "status": _l("Status"),
    "holds": _l("Holds"),
    "value": _l("Value"),
}
"""What a step's line tells, by the names that the log has for it."""
SAID: Mapping[str, Any] = {
    "approved": _l("Approved"),
    "rejected": _l("Rejected"),
    "returned": _l("Sent back"),
    "opted out": _l("wants no more"),
    "nothing reaches it": _l("nothing arrives there"),
    "has had it": _l("has had it"),
}
"""Words of the log that are no values of records."""
EVENTS: Mapping[str, Any] = {
    "created": _l("created"),
    "updated": _l("changed"),
    "deleted": _l("deleted"),
    "restored": _l("restored"),
}


Titles = Mapping[tuple[str, Any], str]
NONE: Titles = {}


def refs_told(detail: Mapping[str, Any]) -> Iterator[Ref]:
    """The records that a step's line names, whose titles the log does not hold."""
    for stored in detail.values():
        yield from _refs(thaw(stored))


def _refs(value: Value) -> Iterator[Ref]:
    if isinstance(value, Ref):
        yield value
    elif isinstance(value, (list, tuple, dict)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _refs(each)


def shown_value(value: Value, reader: Reader, titles: Titles = NONE) -> str:
    """A value of a run's log as a person reads it. `titles`: what records are called, where the log does not say it."""
    from babel.dates import format_date, format_datetime
    from babel.numbers import format_currency, format_decimal

    from trellis.model.locales import babel_locale

    locale = babel_locale(reader.language)
    if value is None or value == "":
        return "—"
    if isinstance(value, bool):
        return "✓" if value else "✗"
    if isinstance(value, Ref):
        return value.title or titles.get((value.entity, value.id)) or value.entity
    if isinstance(value, Money):
        return str(format_currency(value.amount, value.currency, locale=locale))
    if isinstance(value, (list, tuple)):
        return ", ".join(shown_value(each, reader, titles) for each in value)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {shown_value(each, reader, titles)}" for key, each in value.items())
    if hasattr(value, "hour") and hasattr(value, "year"):
        return str(format_datetime(value.astimezone(reader.time_zone), "medium", locale=locale))
    if hasattr(value, "year"):
        return str(format_date(value, "medium", locale=locale))
    if isinstance(value, (int, float)) or hasattr(value, "as_tuple"):
        return str(format_decimal(value, locale=locale))
    return str(value)


def error_text(error: Mapping[str, Any]) -> str:
    """What went wrong, in the reader's language as far as it is known to it."""
    faults = error.get("faults") or ()
    if not faults:
        return str(error.get("text") or "")
    texts = []
    for one in faults:
        words = one["message"]
        texts.append(fault_text(Fault("", words, None, {k: thaw(v) for k, v in one["params"].items()})))
    return " ".join(
        f"{one['field']}: {text}" if one["field"] else text for one, text in zip(faults, texts, strict=True)
    )


class Told(NamedTuple):
    """One thing that a step's line tells; `is_key`: its name is one of the configuration, not a word."""

    name: str
    value: str
    is_key: bool = False


def told(
    detail: Mapping[str, Any], reader: Reader, entity: Entity | None = None, titles: Titles = NONE
) -> Iterator[Told]:
    """What a step's line tells. `entity`: whose fields it names, where that is known."""
    if detail.get("faults"):
        yield Told("", error_text(detail))
    for key, stored in detail.items():
        if key in ("faults", "runs") or (key == "text" and detail.get("faults")):
            continue
        value = thaw(stored)
        if key in ("values", "set") and isinstance(value, dict):
            for name, each in value.items():
                field = entity.fields.get(name) if entity is not None else None
                shown = field.label.in_language(reader.language) if field is not None else name
                yield Told(shown, _chosen(field, each, reader) or shown_value(each, reader, titles), field is None)
        elif value not in (None, (), [], {}):
            label = "" if key in ("text", "records", "found", "record") else str(TOLD.get(key, key))
            yield Told(label, _in_words(key, value, reader, titles), key not in TOLD)


def _chosen(field: Field | None, value: Value, reader: Reader) -> str:
    """A choice by its label; "" for what is none."""
    options = getattr(field.type, "options", None) if field is not None else None
    by_key = {one.key: one.label for one in options()} if callable(options) else {}
    return by_key[value].in_language(reader.language) if isinstance(value, str) and value in by_key else ""


def _in_words(key: str, value: Value, reader: Reader, titles: Titles) -> str:
    """A value of the log; what steps say of themselves in the reader's language."""
    if key == "outcome":
        return str(SAID.get(str(value), value))
    if key == "left" and isinstance(value, (list, tuple)):
        parts = (str(each).rpartition(": ") for each in value)
        return ", ".join(f"{address}: {SAID.get(why, why)}" for address, _colon, why in parts)
    if key == "said" and isinstance(value, (list, tuple)):
        return "; ".join(_answer(each) for each in value if isinstance(each, dict))
    return shown_value(value, reader, titles)


def _answer(said: Mapping[str, Any]) -> str:
    comment = f" ({said['comment']})" if said.get("comment") else ""
    return f"{said.get('by')}: {SAID.get(str(said.get('outcome')), said.get('outcome'))}{comment}"
