"""What happened at the door: who came in, who was refused, from where and by what means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import sqlalchemy as sa

if TYPE_CHECKING:
    from trellis.storage.tenant import Tenant

Event = Literal[
    "in",  # signed in
    "refused",  # wrong password, or an account that may not come in
    "code-refused",  # right password, wrong code
    "unlocked",  # by an administrator
    "locked",  # not even looked at: too many failures
    "out",  # signed out
    "ended",  # a session was ended from elsewhere
    "password",  # set or changed
    "factor-on",
    "factor-off",
    "codes",  # new recovery codes
    "code-used",  # a recovery code instead of a code
    "linked",  # an account at another place belongs to the person from now on
    "unlinked",
    "invited",
    "registered",
    "link",  # a link that sets a password was made or mailed
]


@dataclass(frozen=True)
class Place:
    """Where a request comes from."""

    address: str | None = None
    agent: str = ""


@dataclass(frozen=True)
class Entry:
    """One line of the history."""

    at: datetime
    event: str
    means: str
    address: str
    agent: str
    by: UUID | None


Listener = Callable[[sa.Connection, "Tenant", Event, "UUID | None", str, Place, "UUID | None"], None]


def _audit_follows(*told: Any) -> None:
    from trellis.identity.audited import tell_of_sign_in  # it reads this module

    tell_of_sign_in(*told)


listeners: list[Listener] = [
    _audit_follows
]  # told in the same transaction: connection, tenant, event, person, means, place, by


def note(
    tenant: Tenant,
    event: Event,
    person: UUID | None,
    means: str,
    place: Place,
    *,
    by: UUID | None = None,
    connection: sa.Connection | None = None,
) -> None:
    """Write a line of the history; in the transaction at hand where there is one."""
    if connection is None:
        with tenant.begin() as own:
            note(tenant, event, person, means, place, by=by, connection=own)
        return
    table = tenant.tables.platform.sign_in
    row = {"user": person, "event": event, "means": means, "by": by}
    row |= {"address": place.address, "agent": (place.agent or "")[:300]}
    connection.execute(sa.insert(table).values(**row))
    for listener in listeners:
        listener(connection, tenant, event, person, means, place, by)


def sign_in_history(tenant: Tenant, person: UUID, limit: int = 20, before: datetime | None = None) -> list[Entry]:
    """What happened with a person's account, the latest first."""
    table = tenant.tables.platform.sign_in
    query = sa.select(table).where(table.c.user == person).order_by(table.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(table.c.at < before)
    with tenant.begin() as connection:
        return [Entry(r.at, r.event, r.means, r.address or "", r.agent or "", r.by) for r in connection.execute(query)]
