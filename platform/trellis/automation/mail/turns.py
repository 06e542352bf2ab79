"""Waiting for one's turn: an account or a gateway sends only so much in a minute."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from trellis.automation import jobs
from trellis.automation.clock import now

if TYPE_CHECKING:
    from trellis.storage.tenant import Tenant

MINUTE = timedelta(minutes=1)


def take_turn(tenant: Tenant, id: UUID, account: str | None, rate: int) -> None:
    """Note that a message is handed over now. Raises jobs.Later while as much has gone out as may in a minute.

    Those that wait come again spread over the time that all of them need: not all of them every second.
    """
    if not rate:
        return
    table = tenant.tables.platform.mail
    mine = table.c.account == account if account else table.c.account.is_(None)
    with tenant.begin() as connection:
        lock = f"{tenant.slug}:mail:{account or ''}"
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtextextended(%s, 7276))", (lock,))
        count = sa.select(sa.func.count()).select_from(table).where(mine, table.c.id != id)
        if connection.execute(count.where(table.c.begun_at > now() - MINUTE)).scalar_one() >= rate:
            waiting = connection.execute(count.where(table.c.state == "waiting")).scalar_one()
            raise jobs.Later(MINUTE / rate * max(1.0, random.uniform(0, waiting + 1)))
        connection.execute(sa.update(table).where(table.c.id == id).values(begun_at=now()))
