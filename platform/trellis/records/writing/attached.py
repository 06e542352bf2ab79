"""Files that a record is to hold: a person's own uploads, or what the record has held before; never another's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from trellis.model.field import Field
from trellis.model.fields.files import FileField
from trellis.records.draft import Draft
from trellis.records.refusal import Fault
from trellis.records.writing.hands import is_by_hand

if TYPE_CHECKING:
    from trellis.records.session import Session


def check(session: Session, drafts: Sequence[Draft]) -> None:
    """Note files that are not the writer's to give; what a file is called is what was said when it was sent."""
    if session.principal.is_system:
        return
    for draft in drafts:
        if not is_by_hand(draft.means):
            continue
        for field in draft.entity.fields.values():
            if isinstance(field.type, FileField) and draft.has_changed(field.key) and draft.value(field.key):
                _check_field(session, draft, field)


def _check_field(session: Session, draft: Draft, field: Field) -> None:
    held = {entry["id"]: entry for entry in draft.before(field.key) or ()}
    new = [entry["id"] for entry in draft.value(field.key) if entry["id"] not in held]
    known = held | _sent(session, draft, field, new)
    known |= _held_before(session, draft, field, [id for id in new if id not in known])
    for entry in draft.value(field.key):
        if entry["id"] not in known:
            message = "“{name}” is not here. Send the file again."
            draft.fault(Fault("file", message, field.key, {"name": entry["name"]}))
    draft.set(field.key, tuple(known.get(entry["id"], entry) for entry in draft.value(field.key)))


def _sent(session: Session, draft: Draft, field: Field, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What this person has sent for the field."""
    table = session.tables.platform.file
    mine = sa.and_(
        table.c.created_by == session.principal.id, table.c.entity == draft.entity.key, table.c.field == field.key
    )
    return _described(session, ids, mine)


def _held_before(session: Session, draft: Draft, field: Field, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What the field has held before, by its history: a value from there may be given back.

    Of other fields' changes nothing counts: anybody may write the id of somebody's file into a text.
    """
    if draft.is_new or not ids:
        return {}
    table, history = session.tables.platform.file, session.tables.platform.history
    each = sa.func.jsonb_array_elements(history.c.changes).table_valued(sa.column("value", JSONB)).lateral("change")
    change = each.c.value
    told = sa.exists(
        sa.select(sa.literal(1))
        .select_from(history.join(each, sa.true()))
        .where(
            history.c.entity == draft.entity.key,
            history.c.record == draft.record.id,
            change[0].astext == field.key,
            sa.func.strpos(sa.cast(change, sa.Text), sa.cast(table.c.id, sa.Text)) > 0,
        )
    )
    return _described(session, ids, told)


def _described(session: Session, ids: Sequence[str], condition: sa.ColumnElement[bool]) -> dict[str, dict[str, Any]]:
    valid = [id for id in map(_uuid, ids) if id is not None]
    if not valid:
        return {}
    table = session.tables.platform.file
    rows = session.execute(sa.select(table).where(table.c.id.in_(valid), condition)).mappings()
    return {str(row["id"]): {"id": str(row["id"]), **{k: row[k] for k in ("name", "size", "type")}} for row in rows}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
