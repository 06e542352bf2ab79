"""People that a step names: by a field, a formula, a role, a team, an e-mail address."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis.automation.workflows.context import refs_of
from trellis.formula.types import Ref, Value
from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.records.session import Session

USER, TEAM = "user", "team"
MOST_LEVELS = 20  # of managers above somebody


def people_of(session: Session, value: Value) -> list[UUID]:
    """The active people that a value names, each once, in its order."""
    found: list[UUID] = []
    for each in _each(value):
        found.extend(_people(session, each))
    return list(dict.fromkeys(found))


def _each(value: Value) -> Iterable[Any]:
    return value if isinstance(value, (list, tuple)) else [value]


def _people(session: Session, value: Any) -> Iterator[UUID]:
    if isinstance(value, Mapping):
        if "role" in value:
            yield from users(session, role=str(value["role"]))
        if "team" in value:
            yield from _of_team(session, value["team"])
        if "managers" in value:
            levels = value.get("levels")
            yield from managers(session, value["managers"], int(levels) if levels is not None else MOST_LEVELS)
        return
    if isinstance(value, str):
        yield from users(session, email=value)
        return
    for ref in refs_of(value):
        if ref.entity == USER:
            yield from users(session, ids=[ref.id])
        elif ref.entity == TEAM:
            yield from users(session, team=ref.id)


def _of_team(session: Session, team: Any) -> Iterator[UUID]:
    for ref in refs_of(team):
        yield from users(session, team=ref.id)
    if isinstance(team, str) and TEAM in session.model.entities:
        table = session.table(TEAM)
        key = session.entity(TEAM).natural_key or session.entity(TEAM).title_field or "name"
        same = sa.func.lower(table.c[short(key)]) == team.lower()
        for id in session.execute(sa.select(table.c.id).where(same, table.c.deleted_at.is_(None))).scalars():
            yield from users(session, team=id)


def users(
    session: Session,
    *,
    ids: Iterable[UUID] | None = None,
    role: str | None = None,
    team: UUID | None = None,
    email: str | None = None,
) -> list[UUID]:
    """Active people, by name, so that an order is one."""
    table = session.table(USER)
    statement = sa.select(table.c.id).where(table.c.deleted_at.is_(None), table.c.active.is_not(False))
    if ids is not None:
        statement = statement.where(table.c.id.in_(list(ids)))
    if role is not None:
        statement = statement.where(table.c.roles.contains([role]))
    if team is not None:
        statement = statement.where(table.c.team == team)
    if email is not None:
        statement = statement.where(sa.func.lower(table.c.email) == email.lower())
    return list(session.execute(statement.order_by(table.c.name, table.c.id)).scalars())


def managers(session: Session, value: Value, levels: int) -> Iterator[UUID]:
    """The managers above people, the nearest first; one who is away for good is passed over."""
    table = session.table(USER)
    seen: set[UUID] = set()
    for user in people_of(session, value):
        current: UUID | None = user
        found = 0
        while current is not None and current not in seen and found < min(levels, MOST_LEVELS):
            seen.add(current)
            manager = session.execute(sa.select(table.c.manager).where(table.c.id == current)).scalar()
            active = users(session, ids=[manager]) if manager is not None else []
            yield from active
            found += len(active)
            current = manager


def name_of(session: Session, user: UUID) -> str:
    """What a person is called."""
    table = session.table(USER)
    return str(session.execute(sa.select(table.c.name).where(table.c.id == user)).scalar() or "")


def ref_of(user: UUID) -> Ref:
    """A person as a link's value."""
    return Ref(USER, user)
