"""What an event says about a record: how it was before, and as what the event left it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from trellis.formula.env import RecordLike
from trellis.model.fields.base import Invalid
from trellis.records.events import SECRET

if TYPE_CHECKING:
    from trellis.automation.workflows.run import Run
    from trellis.formula.types import Value
    from trellis.records.graph import LiveRecord
    from trellis.records.session import Session


class Before:
    """The record as it was before the change that set the run off: what the event tells, else as it is now."""

    def __init__(self, record: RecordLike, changed: Mapping[str, Value], *, is_new: bool) -> None:
        self._record = record
        self._changed = changed
        self._is_new = is_new

    @property
    def entity(self) -> str:
        """The entity's key."""
        return self._record.entity

    @property
    def id(self) -> UUID | None:
        """The record's id."""
        return self._record.id

    def get(self, name: str) -> Value:
        """A field's value; blank for a record that was created."""
        if self._is_new:
            return None
        return self._changed[name] if name in self._changed else self._record.get(name)


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
