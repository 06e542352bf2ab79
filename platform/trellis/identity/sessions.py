"""Signed-in browsers: a random secret in the cookie, its digest in the tenant's own database."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from trellis.identity.person import Person

if TYPE_CHECKING:
    from uuid import UUID

    from trellis.storage.tenant import Tenant

LASTS = timedelta(hours=12)  # without a request
LASTS_REMEMBERED = timedelta(days=30)
TOUCH_AFTER = timedelta(minutes=10)


def digest(secret: str) -> str:
    """What the database knows of a secret."""
    return sha256(secret.encode()).hexdigest()


def open_session(
    tenant: Tenant, person: UUID, *, remember: bool = False, address: str | None = None, agent: str | None = None
) -> str:
    """Begin a session; the answer is the secret that only the browser keeps."""
    secret = secrets.token_urlsafe(32)
    now = datetime.now(UTC)
    table = tenant.tables.platform.session
    with tenant.begin() as connection:
        connection.execute(sa.delete(table).where(table.c.expires_at < now))
        connection.execute(
            sa.insert(table).values(
                id=digest(secret),
                user=person,
                data={"remember": remember},
                created_at=now,
                seen_at=now,
                expires_at=now + (LASTS_REMEMBERED if remember else LASTS),
                address=address,
                agent=(agent or "")[:300],
            )
        )
    return secret


def touch_session(tenant: Tenant, person: Person) -> None:
    """Prolong a session that is being used; writes at most every ten minutes."""
    now = datetime.now(UTC)
    if person.seen_at is not None and now - person.seen_at < TOUCH_AFTER:
        return
    table = tenant.tables.platform.session
    lasts = LASTS_REMEMBERED if person.session_data.get("remember") else LASTS
    with tenant.begin() as connection:
        connection.execute(
            sa.update(table).where(table.c.id == person.session).values(seen_at=now, expires_at=now + lasts)
        )


def close_session(tenant: Tenant, secret: str) -> None:
    """End a session: its cookie is worth nothing from now on."""
    table = tenant.tables.platform.session
    with tenant.begin() as connection:
        connection.execute(sa.delete(table).where(table.c.id == digest(secret)))


def close_sessions(connection: sa.Connection, tenant: Tenant, person: UUID, *, but: str | None = None) -> int:
    """End every session of a person, but the one that asks."""
    table = tenant.tables.platform.session
    found: sa.CursorResult[Any] = connection.execute(
        sa.delete(table).where(table.c.user == person, table.c.id != (but or ""))
    )
    return found.rowcount
