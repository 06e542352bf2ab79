"""What administrators see of people beside their records: the last sign-in, whether they wait for a password."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from trellis.identity.accounts import ASKED
from trellis.identity.person import ADMIN, PERSON, is_active

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from trellis.storage.tenant import Tenant


@dataclass(frozen=True)
class SignIn:
    """How somebody signs in."""

    has_login: bool
    last: datetime | None
    asked: bool  # for a new password


def sign_ins(tenant: Tenant, people: Sequence[UUID]) -> dict[UUID, SignIn]:
    """The sign-ins of some people; one statement."""
    user, login = tenant.tables.entity[PERSON], tenant.tables.metadata.tables["ab_user"]
    token = tenant.tables.platform.token
    asked = sa.exists().where(token.c.user == user.c.id, token.c.purpose == ASKED, token.c.expires_at > sa.func.now())
    query = (
        sa.select(user.c.id, login.c.id.label("login"), login.c.last_login, asked.label("asked"))
        .select_from(user.outerjoin(login, login.c.id == user.c.login))
        .where(user.c.id.in_(people))
    )
    with tenant.begin() as connection:
        rows = connection.execute(query).all()
    return {
        r.id: SignIn(
            has_login=r.login is not None,
            last=r.last_login.replace(tzinfo=UTC) if r.last_login else None,
            asked=bool(r.asked),
        )
        for r in rows
    }


def other_administrators(tenant: Tenant, person: UUID) -> int:
    """How many people but this one may administer the tenant."""
    user = tenant.tables.entity[PERSON]
    admins = [key for key, role in tenant.model.roles.items() if ADMIN in role.allow]
    if "roles" not in user.c or not admins:
        return 0
    query = sa.select(sa.func.count()).where(
        user.c.id != person,
        user.c.deleted_at.is_(None),
        user.c.login.is_not(None),
        is_active(user),
        user.c.roles.overlap(admins),
    )
    with tenant.begin() as connection:
        return connection.execute(query).scalar() or 0


def names_of(tenant: Tenant, people: Iterable[UUID]) -> dict[UUID, str]:
    """The names of some people."""
    user = tenant.tables.entity[PERSON]
    with tenant.begin() as connection:
        rows = connection.execute(sa.select(user.c.id, user.c.name).where(user.c.id.in_(list(people))))
        return {row.id: row.name or "" for row in rows}
