"""Who gets which report by mail because they asked for it, and who wants none of those that its YAML sends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from trellis.automation.workflows.acting import system_of
from trellis.automation.workflows.people import people_of
from trellis.records.refusal import Fault, Forbidden, Refused
from trellis.records.session import Session
from trellis.reports.schedule.timers import Timer, drop_timer, mailing_of, set_timer

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from trellis.records.store import Store
    from trellis.storage.tenant import Tenant

WHENS = {
    "daily": "0 {hour} * * *",
    "workdays": "0 {hour} * * mon-fri",
    "weekly": "0 {hour} * * mon",
    "monthly": "0 {hour} 1 * *",
}


@dataclass(frozen=True)
class Subscription:
    """How a person gets a report: by their own wish (`cron`), by the configuration's, or not at all."""

    id: UUID | None = None
    cron: str | None = None
    by_configuration: bool = False
    stopped: bool = False
    parts: Sequence[tuple[str, str]] = ()

    @property
    def when(self) -> tuple[str, int]:
        """The word for its times, and the hour."""
        for word, pattern in WHENS.items():
            for hour in range(24):
                if self.cron == pattern.format(hour=hour):
                    return word, hour
        return "", 7


def subscription_of(store: Store, key: str) -> Subscription:
    """How this person gets a report, or a dashboard."""
    user = store.principal.id
    with store.transaction() as connection:
        row = _row(connection, store.tenant, key, user)
        named = _is_named(connection, store.tenant, key, user)
    if row is None:
        return Subscription(by_configuration=named)
    parts = [(str(name), str(value)) for name, value in row.parts]
    return Subscription(row.id, row.cron, named and row.cron is None, row.cron is None, parts)


def subscribe(store: Store, key: str, when: str, hour: int, parts: Sequence[tuple[str, str]]) -> None:
    """Get a report by mail from now on, as it is looked at. Raises Refused, Forbidden."""
    user, tenant = store.principal.id, store.tenant
    if user is None:
        raise Forbidden("report", "read")
    if when not in WHENS or not 0 <= hour <= 23:
        raise Refused([Fault("choice", "Choose when it is to come.", "when")])
    cron = WHENS[when].format(hour=hour)
    table = tenant.tables.platform.report_mail
    with store.transaction() as connection:
        row = _row(connection, tenant, key, user)
        id = row.id if row is not None else uuid7()
        kept = {"cron": cron, "parts": [list(part) for part in parts]}
        if row is not None:
            connection.execute(sa.update(table).where(table.c.id == id).values(**kept))
        else:
            connection.execute(sa.insert(table).values(id=id, report=key, user=user, **kept))
        set_timer(connection, tenant, Timer(f"mine:{id}", cron))


def resume(store: Store, key: str) -> None:
    """Get a report as its configuration says, after all."""
    with store.transaction() as connection:
        _forget(connection, store.tenant, key, store.principal.id)


def stop(connection: Connection, tenant: Tenant, key: str, user: UUID) -> None:
    """Send a report to a person no more, whoever asked for it."""
    _forget(connection, tenant, key, user)
    if _is_named(connection, tenant, key, user):
        table = tenant.tables.platform.report_mail
        connection.execute(sa.insert(table).values(id=uuid7(), report=key, user=user))


def _forget(connection: Connection, tenant: Tenant, key: str, user: UUID | None) -> None:
    table, row = tenant.tables.platform.report_mail, _row(connection, tenant, key, user)
    if row is not None:
        connection.execute(sa.delete(table).where(table.c.id == row.id))
        drop_timer(connection, tenant, f"mine:{row.id}")


def _row(connection: Connection, tenant: Tenant, key: str, user: UUID | None) -> sa.Row[tuple[object, ...]] | None:
    table = tenant.tables.platform.report_mail
    return connection.execute(sa.select(table).where(table.c.report == key, table.c.user == user)).one_or_none()


def _is_named(connection: Connection, tenant: Tenant, key: str, user: UUID | None) -> bool:
    """Whether the `mail:` of the configuration names a person."""
    mailing = mailing_of(tenant.model, key)
    if mailing is None or user is None:
        return False
    with Session(tenant, system_of(tenant)).within(connection) as session:
        return user in people_of(session, mailing.to)
