"""What is taken away at night: old attempts, unused tokens, sessions that are over, old lines of the history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from trellis.automation import clocks, jobs
from trellis.identity.throttle import forget_old_attempts

HISTORY_KEPT = timedelta(days=400)
MAIL_KEPT = timedelta(days=90)
RATES_KEPT = timedelta(hours=1)


@jobs.kind("identity.tidy", retry=jobs.Backoff(tries=3))
def tidy(work: jobs.Work) -> None:
    """Take it away for one tenant."""
    now, tables = datetime.now(UTC), work.tenant.tables.platform
    with work.finishing() as connection:
        forget_old_attempts(connection, work.tenant)
        connection.execute(sa.delete(tables.rate).where(tables.rate.c.began < now - RATES_KEPT))
        connection.execute(sa.delete(tables.token).where(tables.token.c.expires_at < now))
        connection.execute(sa.delete(tables.session).where(tables.session.c.expires_at < now))
        connection.execute(sa.delete(tables.sign_in).where(tables.sign_in.c.at < now - HISTORY_KEPT))
        old = sa.and_(tables.mail.c.state != "waiting", tables.mail.c.created_at < now - MAIL_KEPT)
        connection.execute(sa.delete(tables.mail).where(old))


@clocks.clock("identity.tidy", cron="41 3 * * *")
def every_night(strike: clocks.Strike) -> None:
    """Ask for it."""
    strike.defer_for_each_tenant("identity.tidy")
