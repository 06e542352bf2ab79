"""The records that a person has looked at lately."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

if TYPE_CHECKING:
    from trellis.records.store import Store

KEPT = 8


def recent_ids(store: Store, limit: int = KEPT) -> list[tuple[str, UUID]]:
    """(entity, id) of the records looked at last."""
    user = store.principal.id
    if user is None:
        return []
    table = store.tenant.tables.platform.recent
    query = (
        sa.select(table.c.entity, table.c.record).where(table.c.user == user).order_by(table.c.at.desc()).limit(limit)
    )
    with store.transaction() as connection:
        return [(row.entity, row.record) for row in connection.execute(query)]


def remember(store: Store, entity: str, id: UUID) -> None:
    """Notes that the person has looked at a record now."""
    table = store.tenant.tables.platform.recent
    place = {"user": store.principal.id, "entity": entity, "record": id}
    again = insert(table).values(**place)
    with store.transaction() as connection:
        connection.execute(
            again.on_conflict_do_update(index_elements=["user", "entity", "record"], set_={"at": sa.func.now()})
        )
