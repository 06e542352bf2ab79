"""What a tenant that comes from a backup must not do by itself: tell others, twice or from a copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trellis.storage.hooks import after_restore

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from trellis.storage.tenant import Tenant


def stay_silent(connection: Connection, tenant: Tenant) -> None:
    """Pause the webhooks, and let go of the events that nobody had been told of when the backup was made."""
    import sqlalchemy as sa  # the command line reads this module at every start

    tables = tenant.tables.platform
    paused = sa.update(tables.webhook).where(tables.webhook.c.state == "active")
    connection.execute(paused.values(state="paused", reason="restored", state_at=sa.func.now()))
    connection.execute(sa.delete(tables.event))


after_restore.append(stay_silent)
