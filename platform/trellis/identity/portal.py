"""The portal: people from outside who sign in as a contact, and see what their roles say of that contact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from trellis.identity.person import CONTACT, PERSON, is_active
from trellis.records.refusal import Fault, Refused

if TYPE_CHECKING:
    from trellis.model.role import Role
    from trellis.records.store import Store
    from trellis.storage.tenant import Tenant


@dataclass(frozen=True)
class Guest:
    """The person that a contact signs in as."""

    id: UUID
    email: str
    roles: tuple[str, ...]
    is_active: bool


def portal_roles(tenant: Tenant) -> dict[str, Role]:
    """The roles for people from outside."""
    return {key: role for key, role in tenant.model.roles.items() if role.portal}


def has_portal(tenant: Tenant) -> bool:
    """Whether a contact can be invited at all: there is a role for it, and people can be tied to contacts."""
    user = tenant.tables.entity[PERSON]
    tied = CONTACT in tenant.tables.entity and CONTACT in user.c and isinstance(user.c[CONTACT].type, sa.Uuid)
    return tied and bool(portal_roles(tenant))


def guest_of(tenant: Tenant, contact: UUID) -> Guest | None:
    """The person that a contact signs in as; None when it has not been invited."""
    user = tenant.tables.entity[PERSON]
    found = sa.select(user.c.id, user.c.email, user.c.roles, is_active(user).label("active"))
    found = found.where(user.c[CONTACT] == contact, user.c.deleted_at.is_(None)).order_by(user.c.created_at)
    with tenant.begin() as connection:
        row = connection.execute(found).first()
    return None if row is None else Guest(row.id, row.email or "", tuple(row.roles or ()), bool(row.active))


def admit(store: Store, contact: UUID, role: str) -> UUID:
    """Make the person that a contact signs in as. Raises Missing, Forbidden, Refused."""
    tenant = store.tenant
    if role not in portal_roles(tenant):
        raise Refused([Fault("choice", "Choose a role for people from outside.", "role")])
    record = store.read(CONTACT, contact)
    known = guest_of(tenant, contact)
    if known is not None:
        raise Refused([Fault("unique", "This contact has been invited already.", "role")])
    email = record.get("email")
    if isinstance(email, tuple):  # of several addresses, the first one
        email = email[0]["value"] if email else None
    if not email:
        raise Refused([Fault("required", "Give the contact an e-mail address first.", "role")])
    values = {"name": record.title, "email": email, "roles": [role], CONTACT: contact, "active": True}
    for name in ("language",):
        if name in record and record.get(name) and name in tenant.model.entities[PERSON].fields:
            values[name] = record[name]
    try:
        return store.create(PERSON, values).id
    except Refused as refused:
        if any(fault.code == "unique" for fault in refused.faults):
            message = "Somebody signs in with this e-mail address already."
            raise Refused([Fault("unique", message, "role")]) from refused
        raise
