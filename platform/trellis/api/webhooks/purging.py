"""The log does not grow for ever: what is done and old goes, a piece at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from trellis.automation import clocks
from trellis.automation.jobs import Work, defer, kind

KEPT = timedelta(days=30)
AT_ONCE = 5000
PURGE = "webhooks.purge"


@clocks.clock(PURGE, cron="23 2 * * *")
def nightly(strike: clocks.Strike) -> None:
    """Every night, for every tenant."""
    strike.defer_for_each_tenant(PURGE)


@kind(PURGE)
def purge(work: Work) -> None:
    """Remove messages that are a month old and done, with their attempts."""
    messages, attempts = work.tenant.tables.platform.webhook_message, work.tenant.tables.platform.webhook_attempt
    with work.finishing() as connection:
        old = sa.and_(messages.c.at < datetime.now(UTC) - KEPT, messages.c.state != "waiting")
        ids = list(connection.execute(sa.select(messages.c.id).where(old).limit(AT_ONCE)).scalars())
        if ids:
            connection.execute(sa.delete(attempts).where(attempts.c.message.in_(ids)))
            connection.execute(sa.delete(messages).where(messages.c.id.in_(ids)))
        if len(ids) == AT_ONCE:
            defer(connection, PURGE)
