"""Sending what waits for a webhook: one request at a time, in order; what fails is sent again for two days.

One job sends for one webhook (its lock), and takes along all others that ask for the same. The messages are its queue:
what is still to be sent, and when, stands in their rows, so that a killed worker loses none. One that is killed between
the answer and the commit sends its message again, with the same `webhook-id`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis import __version__
from trellis.api.webhooks import signing
from trellis.api.webhooks.body import CONTENT_TYPE
from trellis.api.webhooks.state import stop
from trellis.api.webhooks.webhook import DISABLED, PAUSED, Webhook, read_webhook
from trellis.automation.jobs import Work, defer, kind
from trellis.automation.outgoing import Limits, OutgoingFailed, send
from trellis.formula.clock import real
from trellis.records.refusal import Missing

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from trellis.storage.tenant import Tenant

DELIVER = "webhooks.deliver"
MINUTE, HOUR = 60, 3600
# after each failure in turn; after the last one, two days on, the message has failed for good
WAITS = (5, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 16 * HOUR)
PATIENCE = timedelta(days=2)  # with a webhook of which nothing has arrived
LONGEST_WAIT = timedelta(days=1)  # that a receiver may ask for
LIMITS = Limits(connect=5, total=15, size=4096)
EXCERPT = 1000  # letters of the answer that are kept
IN_A_ROW = 15.0  # seconds that one job sends before others have their turn
DEAF = ("timeout", "connection", "dns", "tls")  # nobody hears: the next message would fare no better
REST = timedelta(minutes=1)  # before a deaf receiver is tried again


@dataclass(frozen=True)
class Attempt:
    """One request and its outcome."""

    at: datetime
    ms: int
    status: int | None = None
    error: str | None = None
    excerpt: str | None = None
    retry_after: timedelta | None = None

    @property
    def is_delivered(self) -> bool:
        """The receiver has it."""
        return self.status is not None and 200 <= self.status < 300


def wake(connection: Connection, webhook: UUID, at: datetime | None = None) -> None:
    """Ask for a webhook's waiting messages to be sent."""
    defer(connection, DELIVER, {"webhook": str(webhook)}, at=at, lock=f"webhook:{webhook}")


@kind(DELIVER)
def deliver(work: Work) -> None:
    """Send what is due, oldest first, and ask to be woken for the rest."""
    tenant, id = work.tenant, UUID(work.payload["webhook"])
    ends, rest = time.monotonic() + IN_A_ROW, None
    while rest is None and time.monotonic() < ends:
        with tenant.begin() as connection:
            try:
                webhook = read_webhook(connection, tenant, id)
            except Missing:
                break
            message = _next(connection, tenant, webhook) if webhook.is_active else None
        if message is None:
            break
        attempt = request(webhook, message.id, message.body.encode())
        with tenant.begin() as connection:
            note_attempt(connection, tenant, webhook.id, message.id, attempt)
            _judge(connection, tenant, webhook, message, attempt)
        if attempt.error in DEAF:
            rest = REST
    with work.finishing() as connection:
        work.absorb(connection, lock=f"webhook:{id}")
        if (due := _due(connection, tenant, id)) is not None:
            wake(connection, id, max(due, real() + rest) if rest is not None else due)


def request(webhook: Webhook, id: UUID, body: bytes) -> Attempt:
    """Send one message."""
    now, began = datetime.now(UTC), time.perf_counter()
    try:
        headers = {
            "Content-Type": CONTENT_TYPE,
            "User-Agent": f"Trellis/{__version__} (webhooks)",
            **signing.headers(webhook.keys(now), str(id), now, body),
        }
        answer = send("POST", webhook.url, body=body, headers=headers, limits=LIMITS)
    except OutgoingFailed as failure:
        return Attempt(now, _since(began), error=failure.code)
    except ValueError:  # sealed with a key that is gone
        return Attempt(now, _since(began), error="secret")
    excerpt = answer.body[: EXCERPT * 4].decode("utf-8", "replace").replace("\0", "")[:EXCERPT]
    wait = _retry_after(answer.headers.get("retry-after"), now) if answer.status in (429, 503) else None
    return Attempt(now, _since(began), answer.status, None, excerpt or None, wait)


def note_attempt(connection: Connection, tenant: Tenant, webhook: UUID, message: UUID, attempt: Attempt) -> None:
    """Put an attempt into the log."""
    row = {"at": attempt.at, "status": attempt.status, "error": attempt.error, "excerpt": attempt.excerpt}
    table = tenant.tables.platform.webhook_attempt
    connection.execute(sa.insert(table).values(message=message, webhook=webhook, ms=attempt.ms, **row))


def _judge(connection: Connection, tenant: Tenant, webhook: Webhook, message: Any, attempt: Attempt) -> None:
    """What comes of an attempt, for the message and for the webhook."""
    table, now = tenant.tables.platform.webhook_message, real()
    values: dict[str, Any] = {"tries": message.tries + 1, "state": "failed", "next_at": None, "done_at": now}
    if attempt.is_delivered:
        values["state"] = "delivered"
    elif attempt.status != 410 and message.tries < len(WAITS):
        wait = max(timedelta(seconds=WAITS[message.tries]), attempt.retry_after or timedelta())
        values |= {"state": "waiting", "next_at": now + wait, "done_at": None}
    connection.execute(sa.update(table).where(table.c.id == message.id).values(**values))
    hooks = tenant.tables.platform.webhook
    since = None if attempt.is_delivered else webhook.failing_since or now
    if since != webhook.failing_since:
        connection.execute(sa.update(hooks).where(hooks.c.id == webhook.id).values(failing_since=since))
    if attempt.status == 410:
        stop(connection, tenant, webhook, DISABLED, "gone")
    elif since is not None and now - since >= PATIENCE:
        stop(connection, tenant, webhook, PAUSED, "failing")


def _next(connection: Connection, tenant: Tenant, webhook: Webhook) -> Any:
    """The oldest message that is due."""
    table = tenant.tables.platform.webhook_message
    due = sa.and_(table.c.webhook == webhook.id, table.c.state == "waiting", table.c.next_at <= sa.func.now())
    query = sa.select(table.c.id, table.c.body, table.c.tries).where(due)
    return connection.execute(query.order_by(table.c.next_at, table.c.id).limit(1)).first()


def _due(connection: Connection, tenant: Tenant, webhook: UUID) -> datetime | None:
    """When the next message is to be sent; None when there is none, or the webhook rests."""
    table, hooks = tenant.tables.platform.webhook_message, tenant.tables.platform.webhook
    waiting = sa.and_(table.c.webhook == webhook, table.c.state == "waiting", hooks.c.state == "active")
    query = sa.select(sa.func.min(table.c.next_at)).join(hooks, hooks.c.id == table.c.webhook).where(waiting)
    due: datetime | None = connection.execute(query).scalar()
    return due


def _retry_after(given: str | None, now: datetime) -> timedelta | None:
    """How long a receiver asks us to wait, in seconds or as a date."""
    if not given:
        return None
    try:
        wait = timedelta(seconds=int(given)) if given.isdigit() else parsedate_to_datetime(given) - now
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(wait, timedelta()), LONGEST_WAIT)


def _since(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)
