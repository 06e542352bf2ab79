"""A webhook as it is kept, and what it can listen to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis.model.sealing import unseal
from trellis.records.refusal import Missing

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from trellis.storage.tenant import Tenant

EVERY = "*"
EVENTS = ("created", "updated", "moved", "deleted", "restored", "linked", "unlinked", "converted", "merged")
ACTIVE, PAUSED, DISABLED = "active", "paused", "disabled"


@dataclass(frozen=True)
class Webhook:
    """An address that is told of events, with the rights of its owner."""

    id: UUID
    name: str
    url: str
    entity: str  # "*": every entity
    events: tuple[str, ...]
    formula: str | None
    owner: UUID
    state: str
    reason: str | None  # why it is not active: by_hand, failing, gone, owner, restored
    state_at: datetime
    failing_since: datetime | None
    created_at: datetime
    updated_at: datetime
    secret: str  # sealed
    old_secret: str | None  # sealed
    old_until: datetime | None

    @property
    def is_active(self) -> bool:
        """Whether it is told of what happens now."""
        return self.state == ACTIVE

    def keys(self, now: datetime) -> list[str]:
        """The secrets that messages are signed with now, the newest first. Raises ValueError: sealed elsewhere."""
        sealed = [self.secret]
        if self.old_secret and self.old_until is not None and self.old_until > now:
            sealed.append(self.old_secret)
        return [unseal(one) for one in sealed]


def read_webhooks(connection: Connection, tenant: Tenant, *, active: bool = False) -> list[Webhook]:
    """The tenant's webhooks by name, all or those that are active."""
    table = tenant.tables.platform.webhook
    query = sa.select(*_columns(table)).order_by(table.c.name, table.c.id)
    if active:
        query = query.where(table.c.state == ACTIVE)
    return [_webhook(row) for row in connection.execute(query)]


def read_webhook(connection: Connection, tenant: Tenant, id: UUID, *, lock: bool = False) -> Webhook:
    """One webhook; `lock` keeps it as it is until the transaction ends. Raises Missing."""
    table = tenant.tables.platform.webhook
    query = sa.select(*_columns(table)).where(table.c.id == id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise Missing(str(id))
    return _webhook(row)


def _columns(table: sa.Table) -> Sequence[sa.Column[Any]]:
    return [table.c[f.name] for f in fields(Webhook)]


def _webhook(row: sa.Row[Any]) -> Webhook:
    values = dict(row._mapping)
    return Webhook(**{**values, "events": tuple(values["events"])})
