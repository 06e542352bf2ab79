"""What was sent to a webhook and what came back; sending it again; a message to try it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from trellis.api.webhooks.body import cloud_event
from trellis.api.webhooks.delivering import Attempt, note_attempt, request, wake
from trellis.api.webhooks.webhook import read_webhook
from trellis.records.refusal import Missing

if TYPE_CHECKING:
    from trellis.storage.tenant import Tenant

PAGE = 30
PING = "trellis.ping"


@dataclass(frozen=True)
class Message:
    """One message to a webhook, with the latest attempt's outcome."""

    id: UUID
    at: datetime
    type: str
    entity: str | None
    record: UUID | None
    state: str
    tries: int
    next_at: datetime | None
    status: int | None = None
    error: str | None = None
    ms: int | None = None


def messages(
    tenant: Tenant, webhook: UUID, *, state: str | None = None, before: UUID | None = None, limit: int = PAGE
) -> list[Message]:
    """The messages of a webhook, the newest first."""
    table, tries = tenant.tables.platform.webhook_message, tenant.tables.platform.webhook_attempt
    last = (
        sa.select(tries.c.status, tries.c.error, tries.c.ms)
        .where(tries.c.message == table.c.id)
        .order_by(tries.c.id.desc())
        .limit(1)
        .lateral()
    )
    names = ("id", "at", "type", "entity", "record", "state", "tries", "next_at")
    query = sa.select(*(table.c[n] for n in names), last.c.status, last.c.error, last.c.ms)
    query = query.select_from(table.outerjoin(last, sa.true())).where(table.c.webhook == webhook)
    if state:
        query = query.where(table.c.state == state)
    if before is not None:
        query = query.where(table.c.id < before)  # ids grow with time
    with tenant.begin() as connection:
        return [Message(**row._mapping) for row in connection.execute(query.order_by(table.c.id.desc()).limit(limit))]


def message(tenant: Tenant, webhook: UUID, id: UUID) -> tuple[Message, str, list[Attempt]]:
    """A message with its body and every attempt, the latest first. Raises Missing."""
    table, tries = tenant.tables.platform.webhook_message, tenant.tables.platform.webhook_attempt
    names = ("id", "at", "type", "entity", "record", "state", "tries", "next_at")
    with tenant.begin() as connection:
        query = sa.select(*(table.c[n] for n in names), table.c.body)
        row = connection.execute(query.where(table.c.id == id, table.c.webhook == webhook)).one_or_none()
        if row is None:
            raise Missing(str(id))
        asked = sa.select(tries.c.at, tries.c.ms, tries.c.status, tries.c.error, tries.c.excerpt)
        rows = connection.execute(asked.where(tries.c.message == id).order_by(tries.c.id.desc()))
        attempts = [Attempt(**one._mapping) for one in rows]
    values: dict[str, Any] = dict(row._mapping)
    body: str = values.pop("body")
    return Message(**values), body, attempts


def counts(tenant: Tenant) -> dict[UUID, dict[str, int]]:
    """How many messages of each state the log has, by webhook."""
    table = tenant.tables.platform.webhook_message
    query = sa.select(table.c.webhook, table.c.state, sa.func.count().label("n")).group_by(
        table.c.webhook, table.c.state
    )
    found: dict[UUID, dict[str, int]] = {}
    with tenant.begin() as connection:
        for row in connection.execute(query):
            found.setdefault(row.webhook, {})[row.state] = row.n
    return found


def replay(tenant: Tenant, webhook: UUID, ids: Sequence[UUID]) -> int:
    """Send messages once more, with the ids that they had; how many they are. Raises Missing."""
    table = tenant.tables.platform.webhook_message
    return _replay(tenant, webhook, table.c.id.in_(list(ids)))


def replay_since(tenant: Tenant, webhook: UUID, since: datetime, *, failed: bool = False) -> int:
    """Send everything since a moment once more, or what of it has failed; how many messages. Raises Missing."""
    table = tenant.tables.platform.webhook_message
    which = table.c.at >= since
    return _replay(tenant, webhook, sa.and_(which, table.c.state == "failed") if failed else which)


def _replay(tenant: Tenant, webhook: UUID, which: sa.ColumnElement[bool]) -> int:
    table = tenant.tables.platform.webhook_message
    with tenant.begin() as connection:
        read_webhook(connection, tenant, webhook)
        again = {"state": "waiting", "tries": 0, "next_at": sa.func.now(), "done_at": None}
        mine = sa.and_(table.c.webhook == webhook, which, table.c.type != PING)
        done = connection.execute(sa.update(table).where(mine).values(**again)).rowcount
        if done:
            wake(connection, webhook)
    return int(done)


def ping(tenant: Tenant, id: UUID) -> Attempt:
    """Send a message that means nothing, now, and tell what came of it. Raises Missing."""
    with tenant.begin() as connection:
        webhook = read_webhook(connection, tenant, id)
    message, now = uuid7(), datetime.now(UTC)
    body = cloud_event(tenant.slug, message, PING, at=now, data={"webhook": webhook.name})
    attempt = request(webhook, message, body)
    table = tenant.tables.platform.webhook_message
    state = "delivered" if attempt.is_delivered else "failed"
    row = {"id": message, "webhook": id, "at": now, "type": PING, "body": body.decode(), "state": state, "tries": 1}
    with tenant.begin() as connection:
        connection.execute(sa.insert(table).values(**row, done_at=now))
        note_attempt(connection, tenant, id, message, attempt)
        if attempt.is_delivered:  # it hears again: its patience begins anew
            hooks = tenant.tables.platform.webhook
            connection.execute(sa.update(hooks).where(hooks.c.id == id).values(failing_since=None))
    return attempt
