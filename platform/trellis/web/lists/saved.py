"""Views that people save for themselves: a list's address under a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

if TYPE_CHECKING:
    from trellis.records.store import Store

PARTS = ("view", "q", "sort", "cols", "f", "on", "where", "group", "pipeline")
LONGEST_LABEL = 60


@dataclass(frozen=True)
class SavedView:
    """A saved view: its label, whose it is, and the parts of the address that it stands for."""

    id: UUID
    label: str
    definition: Mapping[str, Any]
    is_mine: bool = True

    @property
    def key(self) -> str:
        """What `?view=` says for it."""
        return f"my-{self.id.hex}"


def saved_views(store: Store, entity: str) -> list[SavedView]:
    """The person's own views of an entity, and those that others share."""
    user = store.principal.id
    if user is None:
        return []
    table = store.tenant.tables.platform.saved_view
    query = (
        sa.select(table.c.id, table.c.label, table.c.definition, table.c.owner)
        .where(table.c.entity == entity, sa.or_(table.c.owner == user, table.c.shared))
        .order_by(table.c.position, table.c.created_at)
    )
    with store.transaction() as connection:
        rows = connection.execute(query).all()
    return [SavedView(row.id, row.label, row.definition, row.owner == user) for row in rows]


def save_view(store: Store, entity: str, label: str, definition: Mapping[str, Any]) -> SavedView:
    """Saves a view under a label; one of the same label is replaced."""
    table = store.tenant.tables.platform.saved_view
    user, kept = store.principal.id, {key: definition[key] for key in PARTS if definition.get(key)}
    label = label.strip()[:LONGEST_LABEL]
    with store.transaction() as connection:
        same = sa.and_(table.c.entity == entity, table.c.owner == user, table.c.label == label)
        found = connection.execute(sa.select(table.c.id).where(same)).scalar()
        if found is not None:
            connection.execute(sa.update(table).where(same).values(definition=kept, updated_at=sa.func.now()))
            return SavedView(found, label, kept)
        made: UUID = uuid7()
        values = {"id": made, "entity": entity, "label": label, "owner": user, "definition": kept}
        connection.execute(sa.insert(table).values(values))
        return SavedView(made, label, kept)


def delete_view(store: Store, entity: str, id: UUID) -> bool:
    """Deletes one of the person's own views; says whether there was one."""
    table = store.tenant.tables.platform.saved_view
    with store.transaction() as connection:
        gone = sa.delete(table).where(table.c.id == id, table.c.entity == entity, table.c.owner == store.principal.id)
        return bool(connection.execute(gone).rowcount)
