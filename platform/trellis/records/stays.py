"""How long a record has been in each stage, from the stage history."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

if TYPE_CHECKING:
    from trellis.records.store import Store


def time_in_stages(store: Store, entity: str, id: UUID, field: str) -> dict[str, timedelta]:
    """The time spent in each stage so far, the current one included; call it for records that were read."""
    table = store.tenant.tables.platform.stage_history
    wanted = sa.select(table.c.stage, table.c.entered_at, table.c.left_at).where(
        table.c.entity == entity, table.c.record == id, table.c.field == field
    )
    spent: dict[str, timedelta] = defaultdict(timedelta)
    with store.transaction() as connection:
        for stage, entered, left in connection.execute(wanted):
            spent[stage] += (left or store.principal.reader.now) - entered
    return dict(spent)
