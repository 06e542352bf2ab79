"""What happens at the door, as the audit log tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from trellis.identity.person import PERSON
from trellis.identity.sign_in_log import Event, Place
from trellis.storage.audit import Actor, actor, note

if TYPE_CHECKING:
    from trellis.storage.tenant import Tenant

KINDS: dict[Event, str] = {
    "in": "sign-in.succeeded",
    "refused": "sign-in.failed",
    "code-refused": "credential.factor-failed",
    "locked": "sign-in.locked",
    "unlocked": "sign-in.unlocked",
    "out": "sign-in.ended",
    "ended": "sign-in.ended-by-other",
    "password": "credential.password-changed",
    "factor-on": "credential.factor-added",
    "factor-off": "credential.factor-removed",
    "codes": "credential.codes-made",
    "code-used": "credential.code-used",
    "linked": "person.linked",
    "unlinked": "person.unlinked",
    "invited": "person.invited",
    "registered": "person.registered",
    "link": "credential.password-link",
}


def tell_of_sign_in(
    connection: sa.Connection,
    tenant: Tenant,
    event: Event,
    person: UUID | None,
    means: str,
    place: Place,
    by: UUID | None,
) -> None:
    """An entry for a line of the sign-in history, in its transaction."""
    now = actor()
    names = _names(connection, tenant, {id for id in (person, by) if id is not None})
    who = by or now.by or (person if event not in ("refused", "locked") else None)
    name = names.get(who) if who is not None else None
    if name is None and who == now.by:
        name = now.by_name
    note(
        connection,
        tenant,
        KINDS[event],
        by=Actor(who, name, now.means, place.address or now.address, now.request),
        entity=PERSON,
        record=person,
        label=names.get(person) if person is not None else None,
        details={"how": means, "agent": place.agent} if means or place.agent else None,
    )


def _names(connection: sa.Connection, tenant: Tenant, ids: set[UUID]) -> dict[UUID, str]:
    user = tenant.tables.entity[PERSON]
    found = connection.execute(sa.select(user.c.id, user.c.name, user.c.email).where(user.c.id.in_(ids)))
    return {row.id: row.name or row.email or "" for row in found} if ids else {}
