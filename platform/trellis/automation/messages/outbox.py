"""Short messages on their way: in the same log as letters, each once, at its rate, and not at night."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from uuid_utils.compat import uuid7

from trellis.automation import jobs
from trellis.automation.clock import now
from trellis.automation.mail.turns import take_turn
from trellis.automation.messages import kept
from trellis.automation.messages.adapters import ADAPTERS
from trellis.automation.outgoing import Limits, OutgoingFailed, OutgoingRefused
from trellis.automation.outgoing import send as request
from trellis.automation.workflows.acting import system_of
from trellis.model.sealing import seal, unseal
from trellis.records.store import Store
from trellis.storage.secrets import MissingSecret, tenant_secret

if TYPE_CHECKING:
    from trellis.model.sign_in import MessageWay
    from trellis.storage.tenant import Tenant

log = structlog.get_logger()


def way_of(tenant: Tenant, channel: str) -> MessageWay | None:
    """How messages of a channel go out; None when nobody has said it."""
    found = tenant.profile.messages.get(channel)
    return found if found is not None and found.adapter in ADAPTERS else None


def post(
    connection: sa.Connection,
    tenant: Tenant,
    channel: str,
    to: str,
    text: str,
    kind: str,
    once: str | None = None,
    *,
    message: UUID | None = None,
) -> UUID | None:
    """Put a message on its way in the open transaction; None for one that this address has had.

    `message`: the record that keeps it.
    """
    id, table = uuid7(), tenant.tables.platform.mail
    row = {"id": id, "kind": kind, "to": to, "subject": "", "channel": channel, "account": channel, "once": once}
    row["message"] = message
    made = insert(table).values(**row, created_at=now(), body=seal(text)).on_conflict_do_nothing()
    if connection.execute(made.returning(table.c.id)).first() is None:
        return None
    way = way_of(tenant, channel)
    quiet = way.quiet if way is not None else None
    at = quiet.until(now(), ZoneInfo(tenant.profile.time_zone)) if quiet is not None else None
    jobs.defer(connection, send, {"message": str(id)}, at=at)
    return id


def _buried(work: jobs.Work, reason: str) -> None:
    store = Store(work.tenant, system_of(work.tenant))
    with store.transaction() as connection:
        settle(connection, store, UUID(work.payload["message"]), "failed", reason)


@jobs.kind("message.send", retry=jobs.Backoff(tries=6, first=20, longest=3600), on_death=_buried)
def send(work: jobs.Work) -> None:
    """Hand a message to its gateway; what is busy is tried again."""
    tenant, id = work.tenant, UUID(work.payload["message"])
    table = tenant.tables.platform.mail
    with tenant.begin() as connection:
        row = connection.execute(sa.select(table).where(table.c.id == id)).first()
    if row is None or row.state != "waiting" or row.body is None:
        return
    way = way_of(tenant, row.channel)
    if way is None:
        raise jobs.GiveUp(f"no way for {row.channel} is set up")
    until = way.quiet.until(now(), ZoneInfo(tenant.profile.time_zone)) if way.quiet is not None else None
    if until is not None:
        raise jobs.Later(until - now())
    try:
        secret = tenant_secret(tenant.slug, way.secret) if way.secret else ""
        call = ADAPTERS[way.adapter](way, secret, row.to, unseal(row.body))
        take_turn(tenant, id, row.channel, way.rate)
        headers = {"User-Agent": "Trellis", "Idempotency-Key": str(work.uid), **call.headers}
        answer = request("POST", call.url, body=call.body, headers=headers, limits=Limits(size=16_384))
    except (MissingSecret, OutgoingRefused, ValueError) as error:
        raise jobs.GiveUp(str(error)) from error
    if answer.status in (408, 425, 429) or answer.status >= 500:
        raise OutgoingFailed("status", f"the gateway answered {answer.status}")
    if answer.status >= 400:
        raise jobs.GiveUp(f"the gateway answered {answer.status}: {answer.body[:200].decode('utf-8', 'replace')}")
    store = Store(tenant, system_of(tenant))
    with store.transaction() as connection:
        settle(connection, store, id, "sent", None)
        work.finish(connection)
    log.info("message sent", tenant=tenant.slug, channel=row.channel, message=str(id))


def settle(connection: sa.Connection, store: Store, id: UUID, state: str, error: str | None) -> None:
    """Note what became of a message, in the log and on its record."""
    table = store.tenant.tables.platform.mail
    values = {"state": state, "error": error, "body": None, "sent_at": now() if state == "sent" else None}
    same = sa.update(table).where(table.c.id == id, table.c.state == "waiting")
    message = connection.execute(same.values(**values).returning(table.c.message)).scalar()
    if message is not None:
        kept.note_state(store, message, state)
