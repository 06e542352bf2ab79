"""Logins of people: giving one, passwords, links that set a password once."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from werkzeug.security import check_password_hash, generate_password_hash

from trellis.identity.passwords import check_password
from trellis.identity.person import PERSON, is_active
from trellis.identity.sessions import close_sessions, digest

if TYPE_CHECKING:
    from uuid import UUID

    from trellis.storage.tenant import Tenant

LINK_LASTS = timedelta(hours=48)
SET_PASSWORD = "password"
INVITATION = "invitation"
ASKED = "password-asked"
LINKS = (SET_PASSWORD, INVITATION, ASKED)


@dataclass(frozen=True)
class Account:
    """A person as the sign-in knows them."""

    id: UUID
    name: str
    email: str
    login: int | None


def find_account(tenant: Tenant, email: str) -> Account | None:
    """The person with this e-mail address who is not in the bin."""
    user = tenant.tables.entity[PERSON]
    query = _accounts(user).where(sa.func.lower(user.c.email) == email.strip().lower(), user.c.deleted_at.is_(None))
    with tenant.begin() as connection:
        row = connection.execute(query).first()
    return Account(*row) if row else None


def read_account(tenant: Tenant, person: UUID) -> Account | None:
    """The person with this id."""
    user = tenant.tables.entity[PERSON]
    with tenant.begin() as connection:
        row = connection.execute(_accounts(user).where(user.c.id == person)).first()
    return Account(*row) if row else None


def _accounts(user: sa.Table) -> sa.Select[Any]:
    return sa.select(user.c.id, user.c.name, user.c.email, user.c.login)


def set_password(
    connection: sa.Connection,
    tenant: Tenant,
    account: Account,
    password: str,
    *,
    keep_session: str | None = None,
    hashed: str | None = None,
) -> None:
    """Give a person a password, and a login if they have none; every other session of theirs ends.

    The password is taken as it is: whoever takes one from a person calls passwords.check_password before. `hashed` is
    its hash when that is known already.
    """
    login = tenant.tables.metadata.tables["ab_user"]
    hashed = hashed or generate_password_hash(password)
    if account.login is None:
        give_login(connection, tenant, account, hashed)
    else:
        connection.execute(
            sa.update(login)
            .where(login.c.id == account.login)
            .values(password=hashed, active=True, fail_login_count=0, changed_on=_now())
        )
    close_sessions(connection, tenant, account.id, but=keep_session)
    token = tenant.tables.platform.token
    connection.execute(sa.delete(token).where(token.c.user == account.id))


def give_login(connection: sa.Connection, tenant: Tenant, account: Account, hashed: str | None = None) -> None:
    """A row of Flask-AppBuilder's for the person. Its names are the person's id: e-mail and name live in one place.

    Without a hash nobody knows the password: the person comes by another place's account. A wrong one is refused after
    the same time as everybody's.
    """
    hashed = hashed or generate_password_hash(secrets.token_urlsafe(32))
    login = tenant.tables.metadata.tables["ab_user"]
    user = tenant.tables.entity[PERSON]
    number = connection.execute(
        sa.insert(login)
        .values(
            first_name=(account.name or "")[:64],
            last_name="",
            username=str(account.id),
            email=str(account.id),
            password=hashed,
            active=True,
            login_count=0,
            fail_login_count=0,
            created_on=_now(),
            changed_on=_now(),
        )
        .returning(login.c.id)
    ).scalar_one()
    connection.execute(sa.update(user).where(user.c.id == account.id).values(login=number))


def is_password(connection: sa.Connection, tenant: Tenant, account: Account, password: str) -> bool:
    """Whether this is the person's password."""
    login = tenant.tables.metadata.tables["ab_user"]
    hashed = connection.execute(sa.select(login.c.password).where(login.c.id == account.login)).scalar()
    return hashed is not None and check_password_hash(hashed, password)


def mark_signed_in(tenant: Tenant, login: int) -> None:
    """Note in Flask-AppBuilder's row that somebody came in."""
    table = tenant.tables.metadata.tables["ab_user"]
    count = sa.func.coalesce(table.c.login_count, 0) + 1
    with tenant.begin() as connection:
        connection.execute(
            sa.update(table).where(table.c.id == login).values(last_login=_now(), login_count=count, fail_login_count=0)
        )


def make_link(tenant: Tenant, account: Account, *, purpose: str = SET_PASSWORD, lasts: timedelta = LINK_LASTS) -> str:
    """The secret of a link that sets the person's password once; earlier links stop working."""
    secret = secrets.token_urlsafe(32)
    _keep_token(tenant, account, digest(secret), purpose, lasts, instead_of=LINKS)
    return secret


def account_of_link(tenant: Tenant, secret: str, purpose: str = SET_PASSWORD) -> Account | None:
    """Whose password a link sets; None for one that is used up, too old or made up."""
    token, user = tenant.tables.platform.token, tenant.tables.entity[PERSON]
    query = (
        _accounts(user)
        .join(token, token.c.user == user.c.id)
        .where(_is_good(token, secret, purpose), user.c.deleted_at.is_(None), is_active(user))
    )
    with tenant.begin() as connection:
        row = connection.execute(query).first()
    return Account(*row) if row else None


def use_link(tenant: Tenant, secret: str, password: str, purpose: str = SET_PASSWORD) -> Account | None:
    """Set the password that a link is for; the link works once, also when two come at the same moment."""
    account = account_of_link(tenant, secret, purpose)
    if account is None:
        return None
    check_password(password, account, tenant)
    token = tenant.tables.platform.token
    with tenant.begin() as connection:
        used = connection.execute(
            sa.update(token).where(_is_good(token, secret, purpose)).values(used_at=sa.func.now())
        )
        if used.rowcount != 1:
            return None
        set_password(connection, tenant, account, password)
    return account


def _is_good(token: sa.Table, secret: str, purpose: str) -> sa.ColumnElement[bool]:
    return sa.and_(
        token.c.id == digest(secret),
        token.c.purpose == purpose,
        token.c.used_at.is_(None),
        token.c.expires_at > sa.func.now(),
    )


def ask_for_link(tenant: Tenant, email: str) -> None:
    """Note for the administrators that somebody asks for a new password; says nothing about who exists."""
    account = find_account(tenant, email)
    if account is not None:
        _keep_token(tenant, account, secrets.token_hex(16), ASKED, timedelta(days=7), instead_of=(ASKED,))


def _keep_token(
    tenant: Tenant, account: Account, id: str, purpose: str, lasts: timedelta, instead_of: tuple[str, ...]
) -> None:
    token = tenant.tables.platform.token
    now = datetime.now(UTC)
    with tenant.begin() as connection:
        gone = sa.and_(token.c.user == account.id, token.c.purpose.in_(instead_of))
        connection.execute(sa.delete(token).where(sa.or_(gone, token.c.expires_at < now)))
        connection.execute(
            sa.insert(token).values(id=id, purpose=purpose, user=account.id, created_at=now, expires_at=now + lasts)
        )


def _now() -> datetime:
    # Flask-AppBuilder's columns know no time zone
    return datetime.now(UTC).replace(tzinfo=None)
