"""What a person may do, asked beforehand: buttons, menus and forms show only what would not be refused."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from trellis.records.reading.catalog import system_scope

if TYPE_CHECKING:
    from trellis.records.session import Session


def may(session: Session, action: str, entity: str) -> bool:
    """Whether there can be a record that the action is allowed with."""
    return entity in session.model.entities and session.permit.may(action, entity)


def may_with(session: Session, action: str, entity: str, id: UUID) -> bool:
    """Whether the action is allowed with this record, in the bin or not."""
    if not may(session, action, entity):
        return False
    scope = system_scope(session, entity)
    table = scope.alias
    reach = session.permit.reach(action, scope)
    statement = sa.select(sa.literal(1)).select_from(scope.joined()).where(table.c.id == id)
    return session.execute(statement if reach is None else statement.where(reach)).first() is not None


def writable_fields(session: Session, entity: str) -> list[str]:
    """The fields that this person may set."""
    definition = session.entity(entity)
    modes = session.permit.modes(entity)
    return [
        key
        for key, field in definition.fields.items()
        if field.is_writable and modes.get(key) is None and field.readonly != "always"
    ]
