"""Emptying the recycle bin by age: what was deleted long enough ago is deleted for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from trellis.model.entity import Entity
from trellis.records import auditing
from trellis.records.recycling import bin as recycle
from trellis.records.refusal import Forbidden, Missing, Refused

if TYPE_CHECKING:
    from trellis.records.session import Session

NEVER = timedelta.max
LONGEST = timedelta(days=365 * 500)  # before that, nothing was deleted
AT_ONCE = 200  # records in one transaction


@dataclass
class Purged:
    """What became of one entity's bin. `held`: records that something else still points to."""

    entity: str
    due: int = 0
    done: int = 0
    held: int = 0


def age_of(session: Session, entity: Entity) -> timedelta | None:
    """How long an entity's records stay in the bin; None: until somebody deletes them for good."""
    age = entity.purge_after if entity.purge_after is not None else session.tenant.profile.purge_after
    return None if age == NEVER else age


def purge_old(session: Session, *, older_than: timedelta | None = None, dry_run: bool = False) -> list[Purged]:
    """Delete for good what has been in the bin for long enough, some hundred to a transaction.

    `older_than` takes the place of what the configuration says; those that keep theirs for ever do so all the same.
    """
    found: dict[str, Purged] = {}
    waiting: dict[str, list[UUID]] = {}
    for entity in session.model.entities.values():
        age = older_than if older_than is not None else age_of(session, entity)
        if entity.internal or entity.purge_after == NEVER or age is None or age > LONGEST:
            continue
        before = session.reader.now - age
        with session.transaction():
            ids = _due(session, entity, before)
        if ids:
            found[entity.key] = Purged(entity.key, due=len(ids))
            waiting[entity.key] = ids
    is_moving = not dry_run
    while is_moving:  # what held a record may be gone in the next round
        is_moving = False
        for key, ids in waiting.items():
            left = _purge(session, key, ids)
            is_moving = is_moving or len(left) < len(ids)
            waiting[key] = left
    for key, purged in found.items():
        purged.held = 0 if dry_run else len(waiting[key])
        purged.done = 0 if dry_run else purged.due - purged.held
        if purged.done:
            with session.transaction():
                auditing.note(session, "data.purged", entity=key, details={"count": purged.done, "how": "age"})
    return list(found.values())


def _due(session: Session, entity: Entity, before: datetime) -> list[UUID]:
    table = session.table(entity.key)
    statement = sa.select(table.c.id).where(table.c.deleted_at < before).order_by(table.c.deleted_at, table.c.id)
    return list(session.execute(statement).scalars())


def _purge(session: Session, entity: str, ids: Sequence[UUID]) -> list[UUID]:
    """Purge records; those that are held are left."""
    left: list[UUID] = []
    for start in range(0, len(ids), AT_ONCE):
        with session.write() as connection:
            for id in ids[start : start + AT_ONCE]:
                try:
                    with connection.begin_nested():
                        recycle.purge(session, entity, id, means="purge")
                except Missing:
                    continue  # gone with what it belongs to
                except (Refused, Forbidden):
                    left.append(id)
    return left
