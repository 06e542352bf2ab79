"""What an event says about a record: how it was before, and as what the event left it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from trellis.automation.workflows.context import Before
from trellis.model.fields.base import Invalid
from trellis.records.events import SECRET

if TYPE_CHECKING:
    from trellis.automation.workflows.run import Run
    from trellis.formula.types import Value
    from trellis.records.graph import LiveRecord
    from trellis.records.session import Session


def before_the_event(session: Session, run: Run, record: LiveRecord) -> Before:
    """The record as it was before the change that set a run off."""
    event = run.event or {}
    return as_it_was(session, record, event.get("changes") or {}, is_new=event.get("kind") == "created")


def as_it_was(session: Session, record: LiveRecord, changes: Mapping[str, Any], *, is_new: bool) -> Before:
    """The record with the old values of an event's changes."""
    return Before(record, _values(session, record, changes, 0), is_new=is_new)


def as_it_became(session: Session, record: LiveRecord, changes: Mapping[str, Any]) -> LiveRecord:
    """The record with the new values of an event's changes, whatever has happened to it since."""
    made = record.copy()
    for name, value in _values(session, record, changes, 1).items():
        made.set(name, value)
    return made


def _values(session: Session, record: LiveRecord, changes: Mapping[str, Any], side: int) -> dict[str, Value]:
    found = {}
    for name, pair in changes.items():
        field = record.definition.fields.get(name)
        if field is None or SECRET in pair or field.type.formula_type().kind == "records":
            continue
        try:
            found[name] = None if pair[side] is None else field.type.parse(pair[side], session.reader)
        except (Invalid, ValueError, TypeError, KeyError):
            continue  # the field takes other values by now
    return found
