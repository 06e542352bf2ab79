"""What a person has chosen for themselves: theme, and whatever a page keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

if TYPE_CHECKING:
    from uuid import UUID

    from trellis.storage.tenant import Tenant


def read_preference(tenant: Tenant, person: UUID, key: str) -> Any:
    """What the person chose under a key; None when nothing."""
    table = tenant.tables.platform.preference
    with tenant.begin() as connection:
        query = sa.select(table.c.value).where(table.c.user == person, table.c.key == key)
        return connection.execute(query).scalar()


def keep_preference(tenant: Tenant, person: UUID, key: str, value: Any) -> None:
    """Remember a choice; None forgets it."""
    table = tenant.tables.platform.preference
    with tenant.begin() as connection:
        if value is None:
            connection.execute(sa.delete(table).where(table.c.user == person, table.c.key == key))
            return
        row = insert(table).values(user=person, key=key, value=value)
        connection.execute(
            row.on_conflict_do_update(
                index_elements=[table.c.user, table.c.key], set_={"value": value, "updated_at": sa.func.now()}
            )
        )
