"""When the database's clock has been set back: what comes again and again goes on from the moment that it is now.

Without this it would wait until the clock has come once more to where it was. What a clock of days has done ahead of
its time is not done again, and neither are the moments of records, each of which is told once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from trellis.automation import clocks
from trellis.automation.beats import BEATS, EVERY
from trellis.automation.clock import now
from trellis.automation.jobs import Work, kind
from trellis.automation.mail.incoming import fetching
from trellis.automation.workflows import timing
from trellis.model.automation.triggers import OnSchedule

if TYPE_CHECKING:
    from datetime import datetime

    from trellis.storage.tenant import Tenant

AGAIN = "clock.set_back"


@clocks.set_back
def _tell(strike: clocks.Strike) -> None:
    strike.defer_for_each_tenant(AGAIN)


@kind(AGAIN)
def again(work: Work) -> None:
    """Let a tenant's beats, its mailboxes and the schedules of its workflows go on from now."""
    tenant, moment = work.tenant, now()
    with work.finishing() as connection:
        work.absorb(connection)
        table = tenant.tables.platform.timer
        rows = {row.key: row for row in connection.execute(sa.select(table).where(table.c.next_at > moment))}
        for beat in BEATS.values():
            if beat.timer in rows and rows[beat.timer].next_at > moment + EVERY:
                beat.now(connection, tenant)
        for timer in timing.timers(tenant.model):
            if timer.key in rows and isinstance(timer.trigger, OnSchedule):
                _go_on(connection, tenant, timer, rows[timer.key].last_at, moment)
        fetching.go_on(connection, tenant, moment)


def _go_on(connection: sa.Connection, tenant: Tenant, timer: timing.Timer, last_at: datetime, moment: datetime) -> None:
    zone = ZoneInfo(tenant.profile.time_zone)
    next_at = timer.next_after(moment, zone)
    if timer.next_after(next_at, zone) > last_at:
        return  # it has done one of its moments ahead of time at most
    table = tenant.tables.platform.timer
    values = {"last_at": moment, "next_at": next_at}
    connection.execute(sa.update(table).where(table.c.key == timer.key).values(**values))
    timing.ask(connection, tenant, timer.key, next_at)
