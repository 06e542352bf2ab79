"""Something that is half done and kept on the server for minutes: a sign-in between password and code, a set-up."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis.identity.sessions import digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trellis.storage.tenant import Tenant

LASTS = timedelta(minutes=15)
SIGN_IN = "pending-sign-in"
ELSEWHERE = "pending-elsewhere"  # somebody is at another place, and comes back
SAID = "pending-said"  # what the other place has said, until the browser fetches it


@dataclass(frozen=True)
class Pending:
    """What was begun: by whom, if that is known, and what has to be kept."""

    id: str
    person: UUID | None
    data: Mapping[str, Any]


def new_secret() -> str:
    """A secret for something that is not kept yet."""
    return secrets.token_urlsafe(32)


def id_of(secret: str) -> str:
    """What the database calls it."""
    return digest(secret)


def begin(tenant: Tenant, purpose: str, person: UUID | None, *, secret: str | None = None, **data: Any) -> str:
    """Keep what was begun; the answer is the secret that finds it again."""
    secret = secret or new_secret()
    token = tenant.tables.platform.token
    now = datetime.now(UTC)
    with tenant.begin() as connection:
        connection.execute(sa.delete(token).where(token.c.expires_at < now))
        connection.execute(
            sa.insert(token).values(
                id=digest(secret), purpose=purpose, user=person, data=data, created_at=now, expires_at=now + LASTS
            )
        )
    return secret


def find(tenant: Tenant, purpose: str, secret: str | None) -> Pending | None:
    """What was begun, if it is not too old."""
    if not secret:
        return None
    token = tenant.tables.platform.token
    query = sa.select(token.c.id, token.c.user, token.c.data).where(
        token.c.id == digest(secret),
        token.c.purpose == purpose,
        token.c.expires_at > sa.func.now(),
        token.c.used_at.is_(None),
    )
    with tenant.begin() as connection:
        row = connection.execute(query).first()
    return Pending(row.id, row.user, row.data) if row is not None else None


def end(tenant: Tenant, pending: Pending) -> bool:
    """Take it away; of two that come at once, one gets True."""
    token = tenant.tables.platform.token
    with tenant.begin() as connection:
        return connection.execute(sa.delete(token).where(token.c.id == pending.id)).rowcount == 1
