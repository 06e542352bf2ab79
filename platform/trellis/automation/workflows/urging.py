"""Urging those who are asked: whoever waits for their answer may have them told once more, though not all the time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from trellis.automation.channels import named, recipients
from trellis.automation.clock import now
from trellis.automation.mail.words import words
from trellis.automation.workflows.approvals import NotAsked, Row, call_on
from trellis.records.refusal import Fault, Refused

if TYPE_CHECKING:
    from trellis.storage.tenant import Tenant

COOL_DOWN = timedelta(hours=2)  # since they were last told, by whatever


def again_at(row: Row) -> datetime:
    """From when on somebody who is asked may be urged."""
    told: datetime = row["told_at"] or row["created_at"]
    return told + COOL_DOWN


def urge(connection: sa.Connection, tenant: Tenant, run: UUID, user: UUID) -> list[UUID]:
    """Tell those whose answer one waits for; who they were. Raises NotAsked, and Refused when it is too soon."""
    table = tenant.tables.platform.approval
    still = table.c.run == run, table.c.state == "pending", table.c.asked_by == user
    asked = sa.select(table).where(*still).order_by(table.c.id).with_for_update()
    rows = [dict(row) for row in connection.execute(asked).mappings()]
    if not rows:
        raise NotAsked
    due = [row for row in rows if again_at(row) <= now()]
    if not due:
        again = min(again_at(row) for row in rows)
        raise Refused(
            [Fault("soon", "They have just been told. You may urge them from {again}.", None, {"again": again})]
        )
    by = next((one.name for one in named(connection, tenant, [user])), "")
    for row in due:
        person = next(iter(recipients(connection, tenant, [row["user"]])), None)
        if person is not None:
            _ = words(person.language)
            call_on(
                connection, tenant, row, _("%(name)s waits for your decision: %(title)s", name=by, title=row["title"])
            )
    return [row["user"] for row in due]
