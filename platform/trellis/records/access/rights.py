"""What a person may do, asked beforehand: buttons, menus and forms show only what would not be refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from trellis.records.reading.catalog import system_scope
from trellis.records.refusal import Forbidden

if TYPE_CHECKING:
    from trellis.records.session import Session

MANY = frozenset(
    {"page", "api", "assistant", "bulk"}
)  # by what means people change many records with the right `bulk-edit`


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


def within(session: Session, action: str, entity: str, ids: Sequence[UUID]) -> set[UUID]:
    """Those of the records that the action is allowed with, in the bin or not."""
    if session.permit.is_unlimited(action, entity):
        return set(ids)
    if not ids or not session.permit.may(action, entity):
        return set()
    scope = system_scope(session, entity)
    reach = session.permit.reach(action, scope)
    statement = sa.select(scope.alias.c.id).select_from(scope.joined()).where(scope.alias.c.id.in_(list(ids)))
    return set(session.execute(statement if reach is None else statement.where(reach)).scalars())


def require_all(session: Session, action: str, entity: str, ids: Sequence[UUID]) -> None:
    """Raise Forbidden unless the action is allowed with every one of the records."""
    if len(within(session, action, entity, ids)) != len(set(ids)):
        raise Forbidden(entity, action)


def may_change_many(session: Session, entity: str) -> bool:
    """Whether this person may change many records of the entity at once."""
    return may(session, "bulk-edit", entity)


def require_many(session: Session, entity: str, means: str) -> None:
    """Refuse people who change many records at once and may not; imports have a right of their own."""
    session.entity(entity)
    if means in MANY and not may_change_many(session, entity):
        raise Forbidden(entity, "bulk-edit")


def out_of_many(session: Session, entity: str, ids: Sequence[UUID], means: str) -> set[UUID]:
    """Those of the records that this person may read, but not change together with others.

    Where a grant names no narrower level, whatever may be read may be: the action itself says what else it needs.
    """
    if means not in MANY or session.permit.is_open_to_many(entity):
        return set()
    return within(session, "read", entity, ids) - within(session, "bulk-edit", entity, ids)


def writable_fields(session: Session, entity: str) -> list[str]:
    """The fields that this person may set."""
    definition = session.entity(entity)
    modes = session.permit.modes(entity)
    return [
        key
        for key, field in definition.fields.items()
        if field.is_writable and modes.get(key) is None and field.readonly != "always"
    ]
