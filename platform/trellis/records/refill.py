"""What old records need after a new configuration: the values of roll-ups that are new or say something else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from trellis.records.principal import Principal
from trellis.records.rollups import recompute
from trellis.records.session import Session

if TYPE_CHECKING:
    from trellis.formula.reader import Reader
    from trellis.model.model import Model
    from trellis.storage.tenant import Tenant

BATCH = 1000


def refill(tenant: Tenant, before: Tenant, reader: Reader) -> None:
    """Compute the roll-ups that are not what they were, a thousand records a transaction."""
    for entity, names in changed_rollups(before.model, tenant.model).items():
        last: UUID | None = None
        while True:
            session = Session(tenant, Principal.system(reader))
            with session.transaction():
                ids = list(_next(session, entity, last))
                recompute(session, {(entity, name): set(ids) for name in names})
            if len(ids) < BATCH:
                break
            last = ids[-1]


def changed_rollups(before: Model, after: Model) -> dict[str, list[str]]:
    """The roll-ups by entity that the earlier Model does not have, or computes in another way."""
    changed: dict[str, list[str]] = {}
    for entity in after.entities.values():
        earlier = before.entities.get(entity.key)
        for field in entity.fields.values():
            if field.rollup is None:
                continue
            old = earlier.fields.get(field.key) if earlier else None
            if old is None or old.rollup is None or old.rollup.source != field.rollup.source:
                changed.setdefault(entity.key, []).append(field.key)
    return changed


def _next(session: Session, entity: str, last: UUID | None) -> Iterator[UUID]:
    table = session.table(entity)
    query = sa.select(table.c.id).order_by(table.c.id).limit(BATCH)
    if last is not None:
        query = query.where(table.c.id > last)
    yield from session.execute(query).scalars()
