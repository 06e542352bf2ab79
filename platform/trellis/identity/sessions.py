"""Signed-in browsers: a random secret in the cookie, its digest in the tenant's own database."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from trellis.identity.person import Person

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from trellis.storage.tenant import Tenant

TOUCH_AFTER = timedelta(minutes=10)
SHOWN = 50


@dataclass(frozen=True)
class Browser:
    """Somewhere that a person is signed in."""

    id: str
    address: str
    agent: str
    since: datetime
    seen: datetime
    means: str


def digest(secret: str) -> str:
    """What the database knows of a secret."""
    return sha256(secret.encode()).hexdigest()


def open_session(
    tenant: Tenant,
    person: UUID,
    *,
    remember: bool = False,
    address: str | None = None,
    agent: str | None = None,
    means: str = "password",
    roles: Sequence[str] = (),
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
                data={"remember": remember, "means": means, "roles": sorted(roles)},
                created_at=now,
                seen_at=now,
                expires_at=_end(tenant, remember, now, now),
                address=address,
                agent=(agent or "")[:300],
            )
        )
    return secret


def _end(tenant: Tenant, remember: bool, created: datetime, now: datetime) -> datetime:
    """When a session ends that nobody uses after `now`: it has an end at the latest, however busy it is."""
    limits = tenant.profile.sign_in.sessions
    if remember:
        return now + limits.remember
    return min(now + limits.idle, created + limits.absolute)


def touch_session(tenant: Tenant, person: Person) -> None:
    """Prolong a session that is being used; writes seldom."""
    now = datetime.now(UTC)
    seldom = min(TOUCH_AFTER, tenant.profile.sign_in.sessions.idle / 6)
    if person.seen_at is not None and now - person.seen_at < seldom:
        return
    table = tenant.tables.platform.session
    remember = bool(person.session_data.get("remember"))
    with tenant.begin() as connection:
        created = connection.execute(sa.select(table.c.created_at).where(table.c.id == person.session)).scalar()
        if created is not None:
            connection.execute(
                sa.update(table)
                .where(table.c.id == person.session)
                .values(seen_at=now, expires_at=_end(tenant, remember, created, now))
            )


def rotate_session(tenant: Tenant, secret: str, *, roles: Sequence[str] | None = None) -> str:
    """Give a session another secret: what somebody may have seen of the old one is worth nothing. `roles`: of now."""
    fresh = secrets.token_urlsafe(32)
    table = tenant.tables.platform.session
    values: dict[str, Any] = {"id": digest(fresh)}
    if roles is not None:
        values["data"] = table.c.data.op("||")(sa.cast({"roles": sorted(roles)}, JSONB))
    with tenant.begin() as connection:
        connection.execute(sa.update(table).where(table.c.id == digest(secret)).values(**values))
    return fresh


def has_other_rights(person: Person) -> bool:
    """Whether the person has other roles than when the session got its secret."""
    return sorted(person.roles) != list(person.session_data.get("roles", sorted(person.roles)))


def close_session(tenant: Tenant, secret: str) -> None:
    """End a session: its cookie is worth nothing from now on."""
    table = tenant.tables.platform.session
    with tenant.begin() as connection:
        connection.execute(sa.delete(table).where(table.c.id == digest(secret)))


def close_session_of(tenant: Tenant, person: UUID, id: str) -> bool:
    """End one session of a person, by the id that the list shows; False when it is not there."""
    table = tenant.tables.platform.session
    with tenant.begin() as connection:
        found = connection.execute(sa.delete(table).where(table.c.user == person, table.c.id == id))
        return found.rowcount > 0


def close_sessions(connection: sa.Connection, tenant: Tenant, person: UUID, *, but: str | None = None) -> int:
    """End every session of a person, but the one that asks."""
    table = tenant.tables.platform.session
    found: sa.CursorResult[Any] = connection.execute(
        sa.delete(table).where(table.c.user == person, table.c.id != (but or ""))
    )
    return found.rowcount


def browsers(tenant: Tenant, person: UUID) -> list[Browser]:
    """Where a person is signed in, the latest first."""
    table = tenant.tables.platform.session
    query = (
        sa.select(table.c.id, table.c.address, table.c.agent, table.c.created_at, table.c.seen_at, table.c.data)
        .where(table.c.user == person, table.c.expires_at > sa.func.now())
        .order_by(table.c.seen_at.desc())
        .limit(SHOWN)
    )
    with tenant.begin() as connection:
        return [
            Browser(
                r.id, r.address or "", r.agent or "", r.created_at, r.seen_at, str((r.data or {}).get("means") or "")
            )
            for r in connection.execute(query)
        ]
