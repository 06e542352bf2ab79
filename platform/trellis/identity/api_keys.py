"""Keys for programs: each acts as a person, within scopes, roles, addresses and a time of its own.

Flask-AppBuilder has keys too, but no place for roles and addresses, it enforces no scopes, and it checks a password
hash at every request (some 50 ms). A secret of 256 random bits needs no slow hash: a digest finds it.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from trellis.identity.person import Person, principal_for, read_person_by_id
from trellis.identity.sessions import digest
from trellis.model.role import ACTIONS
from trellis.records.principal import Scopes
from trellis.records.refusal import Fault, Missing, Refused
from trellis.storage.audit import note
from trellis.storage.prepared import KEPT

if TYPE_CHECKING:
    from trellis.model.model import Model
    from trellis.records.principal import Principal
    from trellis.storage.tenant import Tenant

PREFIX = "trellis_"
KEY = "api_key"  # what the audit log calls one
HINT = len(PREFIX) + 4
TOUCH_AFTER = timedelta(minutes=1)
LONGEST_NAME = 100
WORDS = (*ACTIONS, "write")


@dataclass(frozen=True)
class ApiKey:
    """A key as it is listed; its secret is known to nobody but the program."""

    id: UUID
    hint: str
    name: str
    user: UUID
    scopes: tuple[str, ...] | None
    roles: tuple[str, ...] | None
    addresses: tuple[str, ...] | None
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None

    def is_good(self, now: datetime) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def takes(self, address: str | None) -> bool:
        """Whether the key may be used from an address."""
        if self.addresses is None:
            return True
        try:
            given = ipaddress.ip_address(address or "")
        except ValueError:
            return False
        return any(given in ipaddress.ip_network(allowed, strict=False) for allowed in self.addresses)

    def narrowed(self, person: Person) -> Person:
        """The person with no other roles than the key's: rights beside any entity, too, are of these alone."""
        if self.roles is None:
            return person
        return replace(person, roles=tuple(role for role in person.roles if role in self.roles))

    def principal(self, tenant: Tenant, person: Person, language: str | None = None) -> Principal:
        """The person, narrowed to what the key may do."""
        principal = principal_for(tenant, self.narrowed(person), language)
        return principal if self.scopes is None else replace(principal, scopes=Scopes(frozenset(self.scopes)))


def create_key(
    tenant: Tenant,
    user: UUID,
    name: str,
    *,
    scopes: Sequence[str] | None = None,
    roles: Sequence[str] | None = None,
    addresses: Sequence[str] | None = None,
    expires_at: datetime | None = None,
    by: UUID | None = None,
) -> tuple[ApiKey, str]:
    """Make a key; the second part of the answer is its secret, which is told this once. Raises Refused."""
    _check(tenant.model, name, scopes, roles, addresses, expires_at)
    secret = _new_secret()
    table = tenant.tables.platform.api_key
    row = {
        "id": uuid7(),
        "digest": digest(secret),
        "hint": secret[:HINT],
        "name": name.strip(),
        "user": user,
        "scopes": None if scopes is None else list(scopes),
        "roles": None if roles is None else list(roles),
        "addresses": None if addresses is None else list(addresses),
        "created_at": datetime.now(UTC),
        "created_by": by,
        "expires_at": expires_at,
    }
    with tenant.begin() as connection:
        made = connection.execute(sa.insert(table).values(**row).returning(*_columns(table))).one()
        told = {name: row[name] for name in ("user", "hint", "scopes", "roles", "addresses", "expires_at") if row[name]}
        note(connection, tenant, "key.created", entity=KEY, record=made.id, label=made.name, details=told)
    return _key(made), secret


def rotate_key(tenant: Tenant, id: UUID) -> str:
    """Give a key another secret; the old one is worth nothing from now on. Raises Missing."""
    secret = _new_secret()
    table = tenant.tables.platform.api_key
    with tenant.begin() as connection:
        done = connection.execute(
            sa.update(table)
            .where(table.c.id == id, table.c.revoked_at.is_(None))
            .values(digest=digest(secret), hint=secret[:HINT])
            .returning(table.c.name, table.c.user)
        ).first()
        if done is None:
            raise Missing(str(id))
        told = {"user": done.user, "hint": secret[:HINT]}
        note(connection, tenant, "key.rotated", entity=KEY, record=id, label=done.name, details=told)
    return secret


def revoke_key(tenant: Tenant, id: UUID) -> None:
    """End a key for good. Raises Missing."""
    table = tenant.tables.platform.api_key
    with tenant.begin() as connection:
        now = datetime.now(UTC)
        done = connection.execute(
            sa.update(table)
            .where(table.c.id == id, table.c.revoked_at.is_(None))
            .values(revoked_at=now)
            .returning(table.c.name, table.c.user)
        ).first()
        if done is None:
            raise Missing(str(id))
        told = {"user": done.user}
        note(connection, tenant, "key.revoked", entity=KEY, record=id, label=done.name, details=told)


def list_keys(tenant: Tenant, user: UUID | None = None) -> list[ApiKey]:
    """The keys that are not revoked: a person's, or everybody's; the newest first."""
    table = tenant.tables.platform.api_key
    query = sa.select(*_columns(table)).where(table.c.revoked_at.is_(None)).order_by(table.c.created_at.desc())
    with tenant.begin() as connection:
        return [_key(row) for row in connection.execute(query if user is None else query.where(table.c.user == user))]


def find_key(tenant: Tenant, secret: str) -> tuple[ApiKey, Person] | None:
    """The key of a secret and the person it acts as, with the key's roles alone.

    None unless the key is good and the person may sign in.
    """
    table = tenant.tables.platform.api_key
    now = datetime.now(UTC)
    with tenant.begin() as connection:
        row = connection.execute(_by_digest(tenant), {"digest": digest(secret)}).first()
        if row is None or not (key := _key(row)).is_good(now):
            return None
        person = read_person_by_id(connection, tenant, key.user)
        if person is None:
            return None
        if key.used_at is None or now - key.used_at > TOUCH_AFTER:
            connection.execute(sa.update(table).where(table.c.id == key.id).values(used_at=now))
    return key, key.narrowed(person)


def _new_secret() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def _by_digest(tenant: Tenant) -> sa.Select[Any]:
    """The statement that finds a key; kept with the tables, which equal models share."""
    info: dict[str, Any] = tenant.tables.metadata.info
    if "key by digest" not in info:
        table = tenant.tables.platform.api_key
        found = sa.select(*_columns(table)).where(table.c.digest == sa.bindparam("digest"))
        info["key by digest"] = found.execution_options(**KEPT)
    statement: sa.Select[Any] = info["key by digest"]
    return statement


def _columns(table: sa.Table) -> list[sa.Column[Any]]:
    return [table.c[name] for name in ApiKey.__dataclass_fields__]


def _key(row: Any) -> ApiKey:
    values = dict(row._mapping)
    for name in ("scopes", "roles", "addresses"):
        values[name] = None if values[name] is None else tuple(values[name])
    return ApiKey(**values)


def _check(
    model: Model,
    name: str,
    scopes: Sequence[str] | None,
    roles: Sequence[str] | None,
    addresses: Sequence[str] | None,
    expires_at: datetime | None,
) -> None:
    faults = []
    if not name.strip() or len(name) > LONGEST_NAME:
        faults.append(Fault("required", "Give the key a name of at most {max} letters.", "name", {"max": LONGEST_NAME}))
    for scope in scopes or ():
        entity, _, word = scope.partition(":")
        if word not in WORDS or (entity != "*" and entity not in model.entities):
            message = "“{scope}” is no scope. A scope is like deal:read, deal:write or *:read."
            faults.append(Fault("invalid", message, "scopes", {"scope": scope}))
    for role in roles or ():
        if role not in model.roles:
            faults.append(Fault("invalid", "There is no role “{name}”.", "roles", {"name": role}))
    if roles is not None and not faults and not any("api" in model.roles[role].allow for role in roles):
        faults.append(Fault("invalid", "None of these roles allows the use of the API.", "roles"))
    for address in addresses or ():
        try:
            ipaddress.ip_network(address, strict=False)
        except ValueError:
            message = "“{address}” is no address. Write it like 203.0.113.7 or 203.0.113.0/24."
            faults.append(Fault("invalid", message, "addresses", {"address": address}))
    if expires_at is not None and expires_at <= datetime.now(UTC):
        faults.append(Fault("invalid", "The key would have expired already.", "expires_at"))
    if faults:
        raise Refused(faults)
