"""People who sign in by another place's account: who they are here, and what is taken over from there.

What a place calls somebody (the subject) never changes; an e-mail address does, and may be given to somebody else. So
the address is used once, to find the person at the first sign-in, and only where the place can be believed about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from trellis.identity.accounts import Account, find_account, give_login, read_account
from trellis.identity.person import PERSON, reader_for
from trellis.identity.sign_in_log import Place, note
from trellis.records.principal import Principal
from trellis.records.refusal import Refused
from trellis.records.store import Store

if TYPE_CHECKING:
    from trellis.model.sign_in import Source
    from trellis.storage.tenant import Tenant


@dataclass(frozen=True)
class Claim:
    """What a place says of somebody who has signed in there."""

    means: str  # oauth:company, saml:company, ldap
    subject: str
    email: str = ""
    is_verified: bool = False  # that the address is theirs
    name: str = ""
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Linked:
    """An account at another place that belongs to a person."""

    means: str
    subject: str
    since: datetime
    seen: datetime


class NotAdmitted(Exception):
    """Somebody is who they say, and still may not come in; `why` is for the log and the administrators."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def admit(tenant: Tenant, source: Source, claim: Claim, place: Place) -> UUID:
    """The person that a claim is about: known, found by a verified address, or registered. Raises NotAdmitted."""
    if not claim.subject:
        raise NotAdmitted("no subject")
    person = _known(tenant, claim)
    if person is None:
        account = _by_address(tenant, source, claim) or _register(tenant, source, claim, place)
        _link(tenant, claim, account, place)
        person, is_new = account.id, True
    else:
        is_new = False
    if source.sync_roles and not is_new:
        _sync_roles(tenant, source, claim, person)
    return person


def roles_of(source: Source, groups: tuple[str, ...]) -> tuple[str, ...]:
    """The roles that somebody in these groups gets; the default ones for somebody in none that is named."""
    found = [role for group in groups for role in source.roles.get(group, ())]
    return tuple(dict.fromkeys(found)) or source.default_roles


def identities_of(tenant: Tenant, person: UUID) -> list[Linked]:
    """The accounts at other places that belong to a person."""
    table = tenant.tables.platform.identity
    query = sa.select(table).where(table.c.user == person).order_by(table.c.means)
    with tenant.begin() as connection:
        return [Linked(r.means, r.subject, r.created_at, r.seen_at) for r in connection.execute(query)]


def unlink(tenant: Tenant, person: UUID, means: str) -> bool:
    """Forget who a person is at a place; False when nothing was known."""
    table = tenant.tables.platform.identity
    with tenant.begin() as connection:
        gone = connection.execute(sa.delete(table).where(table.c.user == person, table.c.means == means))
        return gone.rowcount > 0


def _known(tenant: Tenant, claim: Claim) -> UUID | None:
    table = tenant.tables.platform.identity
    with tenant.begin() as connection:
        return connection.execute(
            sa.update(table)
            .where(table.c.means == claim.means, table.c.subject == claim.subject)
            .values(seen_at=datetime.now(UTC))
            .returning(table.c.user)
        ).scalar()


def _by_address(tenant: Tenant, source: Source, claim: Claim) -> Account | None:
    account = find_account(tenant, claim.email) if claim.email else None
    if account is None:
        return None
    if not (claim.is_verified or source.trust_email):
        raise NotAdmitted("the address is somebody's here, and the place does not vouch for it")
    if any(linked.means == claim.means for linked in identities_of(tenant, account.id)):
        raise NotAdmitted("the person with this address has another account there")
    return account


def _register(tenant: Tenant, source: Source, claim: Claim, place: Place) -> Account:
    if not source.register:
        raise NotAdmitted("nobody here has this account, and the place registers nobody")
    if "@" not in claim.email:
        raise NotAdmitted("the place names no e-mail address")
    fields = tenant.model.entities[PERSON].fields
    values = {"name": claim.name or claim.email.partition("@")[0], "email": claim.email}
    store = Store(tenant, Principal.system(reader_for(tenant)))
    roles = {"roles": roles_of(source, claim.groups)} if "roles" in fields else {}
    try:
        record = store.create(PERSON, {**values, **roles}, means="system")
    except Refused as refused:
        raise NotAdmitted(f"cannot be registered: {refused}") from refused
    note(tenant, "registered", record.id, claim.means, place)
    account = read_account(tenant, record.id)
    assert account is not None
    return account


def _link(tenant: Tenant, claim: Claim, account: Account, place: Place) -> None:
    table = tenant.tables.platform.identity
    with tenant.begin() as connection:
        connection.execute(sa.insert(table).values(means=claim.means, subject=claim.subject, user=account.id))
        if account.login is None:
            give_login(connection, tenant, account)
        note(tenant, "linked", account.id, claim.means, place, connection=connection)


def _sync_roles(tenant: Tenant, source: Source, claim: Claim, person: UUID) -> None:
    """Roles as the groups say now: somebody who left a group there has lost its rights here."""
    if "roles" not in tenant.model.entities[PERSON].fields:
        return
    user, wanted = tenant.tables.entity[PERSON], roles_of(source, claim.groups)
    with tenant.begin() as connection:
        have = connection.execute(sa.select(user.c.roles).where(user.c.id == person)).scalar()
    if set(have or ()) != set(wanted):
        Store(tenant, Principal.system(reader_for(tenant))).update(PERSON, person, {"roles": wanted}, means="system")
