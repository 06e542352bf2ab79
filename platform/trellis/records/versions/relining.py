"""Rows inside a record going back to what they were: for undoing what was done to many, and for old values."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dc_field
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis.formula.types import Value
from trellis.model.entity import Entity, Inverse
from trellis.model.field import Field
from trellis.model.fields.base import Invalid
from trellis.records.access import rights
from trellis.records.draft import Draft
from trellis.records.graph import LiveRecord, title_of
from trellis.records.refusal import Fault
from trellis.records.versions import history
from trellis.records.writing import lines
from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.records.session import Session

Given = dict[str, list[dict[str, Any]]]  # rows by list, as a save takes them


@dataclass
class Steps:
    """What changes did to the rows of one list, the newest first."""

    came: list[UUID] = dc_field(default_factory=list)
    gone: list[UUID] = dc_field(default_factory=list)
    spans: dict[tuple[UUID, str], list[Any]] = dc_field(default_factory=dict)  # the value before, and the one after


def steps(session: Session, entity: Entity, entries: Sequence[Mapping[Any, Any]]) -> dict[str, Steps]:
    """What the history's entries tell of a record's rows, by list."""
    parts = {i.name for i in lines.part_lists(session, entity)}
    found: dict[str, Steps] = {}
    for entry in entries:
        for path, old, new in entry["changes"] or []:
            name, _dot, rest = path.partition(".")
            key, _dot, field = rest.partition(".")
            id = lines._id(key)
            if name not in parts or id is None or "." in field:
                continue
            one = found.setdefault(name, Steps())
            if field:
                one.spans.setdefault((id, field), [old, new])[0] = old
            elif old is None:
                one.came.append(id)
            elif new is None:
                one.gone.append(id)
    return found


def undone(session: Session, draft: Draft, found: Mapping[str, Steps], faults: list[Fault]) -> Given:
    """The rows as they were before the steps; those that were changed since stay, and are told."""
    given: Given = {}
    for name, one in found.items():
        inverse = draft.entity.inverses[name]
        both = set(one.came) & set(one.gone)  # came and went again, or the other way: nothing is left to do
        back = revive(session, draft, inverse, [id for id in one.gone if id not in both])
        if len(back) < len(set(one.gone) - both):
            _tell(faults, Fault("since", "A row of it was changed since, and is not what it was.", name))
        stored = _stored(draft, inverse)
        rows: list[dict[str, Any]] = []
        for record in stored:
            spans = {field: span for (id, field), span in one.spans.items() if id == record.id}
            values, has_changed = _before(session, record, spans)
            if has_changed:
                _tell(faults, Fault("since", "A row of it was changed since, and is not what it was.", name))
            if record.id in one.came and record.id not in both and not has_changed:
                continue
            rows.append({"id": record.id, **({} if record.id in one.came else values)})
        if back or len(rows) < len(stored) or any(len(row) > 1 for row in rows):
            given[name] = rows
    return given


def _tell(faults: list[Fault], fault: Fault) -> None:
    if fault not in faults:
        faults.append(fault)


def _before(session: Session, record: LiveRecord, spans: Mapping[str, Sequence[Any]]) -> tuple[dict[str, Any], bool]:
    """The values of a row before the steps, and whether it was changed after them."""
    values, has_changed = {}, False
    for name, (old, new) in spans.items():
        field = record.definition.fields.get(name)
        if field is None or field.is_derived or history.SECRET in (old, new):
            continue
        try:
            before, after = (None if v is None else field.type.parse(v, session.reader) for v in (old, new))
        except Invalid:
            has_changed = True
            continue
        now = record.value(name)
        if _same(field, now, before):
            continue
        if not _same(field, now, after):
            has_changed = True
            continue
        values[name] = before
    return values, has_changed


def _same(field: Field, one: Value, other: Value) -> bool:
    if one is None or other is None:
        return one is None and other is None
    return bool(field.type.same(one, other))


def _stored(draft: Draft, inverse: Inverse) -> list[LiveRecord]:
    """The rows of a list as they are now, in order."""
    assert draft.old is not None
    draft.old.lists.pop(inverse.name, None)
    return list(draft.record.graph.children(draft.old, inverse.name))


def revive(session: Session, draft: Draft, inverse: Inverse, ids: Collection[UUID]) -> list[UUID]:
    """Bring rows of the record back that were deleted from it, under their old ids; which could be."""
    if not ids:
        return []
    table = session.table(inverse.entity)
    mine = (table.c[short(inverse.field)] == draft.record.id, table.c.deleted_at.is_not(None))
    statement = sa.update(table).where(table.c.id.in_(list(ids)), *mine).values(deleted_at=None, deleted_by=None)
    back = list(session.execute(statement.returning(table.c.id)).scalars())
    for record in draft.record.graph.load(inverse.entity, back):
        draft.told.append([f"{inverse.name}.{record.id}", None, title_of(record)])
    return back


def as_they_were(
    session: Session, draft: Draft, name: str, rows: Sequence[Mapping[str, Value]]
) -> tuple[Given, list[UUID]]:
    """The rows of a past moment as a save takes them, with those that came back."""
    inverse = draft.entity.inverses[name]
    part = session.model.entities[inverse.entity]
    there = {record.id for record in _stored(draft, inverse)}
    ids = [id for row in rows if isinstance(id := row.get("id"), UUID)]
    back = revive(session, draft, inverse, [id for id in ids if id not in there])
    stored = {record.id: record for record in _stored(draft, inverse)}
    modes, writable = session.permit.modes(part.key), set(rights.writable_fields(session, part.key))
    wanted: list[dict[str, Any]] = []
    for row in rows:
        record = stored.get(row["id"]) if isinstance(row.get("id"), UUID) else None
        if record is None:
            continue  # deleted for good
        values: dict[str, Any] = {"id": record.id}
        for key, value in row.items():
            field = part.fields.get(key)
            if field is None or key not in writable or modes.get(key) == "masked" or key == part.parent_field:
                continue
            if not field.is_derived and key != "position" and not _same(field, record.value(key), value):
                values[key] = value
        wanted.append(values)
    return {name: wanted}, back
