"""Codes from an app (TOTP, RFC 6238) beside the password, and recovery codes for when the phone is lost."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING

import pyotp
import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert

from trellis.model.sealing import seal, unseal

log = structlog.get_logger()

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from trellis.identity.accounts import Account
    from trellis.storage.tenant import Tenant

STEP = 30  # seconds that a code is shown
DRIFT = 1  # steps that a phone's clock may be off
RECOVERY_CODES = 10
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # nothing that looks like something else


def is_required(tenant: Tenant, roles: Iterable[str]) -> bool:
    """Whether somebody with these roles has to have a second factor."""
    rule = tenant.profile.sign_in.second_factor
    if rule == "required":
        return True
    known = tenant.model.roles
    return any(known[role].second_factor for role in roles if role in known)


def is_offered(tenant: Tenant, roles: Iterable[str]) -> bool:
    """Whether somebody with these roles may have one."""
    return tenant.profile.sign_in.second_factor != "off" or is_required(tenant, roles)


def has_factor(tenant: Tenant, person: UUID) -> bool:
    """Whether a person has set one up."""
    table = tenant.tables.platform.factor
    with tenant.begin() as connection:
        return bool(connection.execute(sa.select(sa.exists().where(table.c.user == person))).scalar())


def new_secret() -> str:
    """A secret for an app, in the letters that one can type (base32)."""
    return pyotp.random_base32()


def app_address(tenant: Tenant, account: Account, secret: str) -> str:
    """What the picture says that an app scans."""
    return pyotp.TOTP(secret).provisioning_uri(name=account.email, issuer_name=tenant.profile.label)


def picture(address: str) -> str:
    """The address as a picture for the page: SVG without script or style."""
    import segno

    drawn: str = segno.make(address, error="m").svg_inline(
        border=3, omitsize=True, svgclass="t-qr", lineclass=None, dark="#111", light="#fff"
    )
    return drawn


def step_of(secret: str, code: str, now: datetime | None = None, after: int | None = None) -> int | None:
    """The step that a code is of; None for a wrong one, and for one that is not after the last that was used."""
    digits = "".join(letter for letter in code if letter.isdigit())
    if len(digits) != 6:
        return None
    totp, current = pyotp.TOTP(secret), int((now or datetime.now(UTC)).timestamp()) // STEP
    for step in range(current - DRIFT, current + DRIFT + 1):
        if secrets.compare_digest(totp.generate_otp(step), digits):
            return step if after is None or step > after else None
    return None


def set_up(connection: sa.Connection, tenant: Tenant, person: UUID, secret: str, code: str) -> list[str] | None:
    """Begin to ask a person for codes, after they have shown one; the answer is the recovery codes, told this once."""
    step = step_of(secret, code)
    if step is None:
        return None
    table = tenant.tables.platform.factor
    row = {"secret": seal(secret), "step": step, "created_at": datetime.now(UTC)}
    made = insert(table).values(user=person, **row)
    connection.execute(made.on_conflict_do_update(index_elements=[table.c.user], set_=row))
    return new_recovery_codes(connection, tenant, person)


def is_code(tenant: Tenant, person: UUID, code: str) -> bool:
    """Whether this is the person's code of now; the same code is never taken twice, not even at the same moment."""
    table = tenant.tables.platform.factor
    with tenant.begin() as connection:
        row = connection.execute(sa.select(table.c.secret, table.c.step).where(table.c.user == person)).first()
        secret = _opened(row.secret) if row is not None else None
        step = step_of(secret, code, after=row.step) if secret is not None and row is not None else None
        if step is None:
            return False
        used = connection.execute(
            sa.update(table)
            .where(table.c.user == person, sa.or_(table.c.step.is_(None), table.c.step < step))
            .values(step=step)
        )
        return used.rowcount == 1


def remove(connection: sa.Connection, tenant: Tenant, person: UUID) -> bool:
    """Ask a person for codes no more; False when nobody did."""
    codes, table = tenant.tables.platform.recovery_code, tenant.tables.platform.factor
    connection.execute(sa.delete(codes).where(codes.c.user == person))
    return bool(connection.execute(sa.delete(table).where(table.c.user == person)).rowcount)


def new_recovery_codes(connection: sa.Connection, tenant: Tenant, person: UUID) -> list[str]:
    """Fresh recovery codes; those before are worth nothing. The database keeps digests: 60 random bits need no salt."""
    made = [_new_code() for _ in range(RECOVERY_CODES)]
    table = tenant.tables.platform.recovery_code
    connection.execute(sa.delete(table).where(table.c.user == person))
    connection.execute(sa.insert(table), [{"user": person, "digest": _digest(person, code)} for code in made])
    return made


def looks_like_recovery_code(text: str) -> bool:
    """Whether what was typed is meant as a recovery code: it has letters."""
    return any(letter.isalpha() for letter in text)


def use_recovery_code(tenant: Tenant, person: UUID, code: str) -> bool:
    """Whether this is one of the person's recovery codes that has not been used; it is from now on."""
    table = tenant.tables.platform.recovery_code
    with tenant.begin() as connection:
        used = connection.execute(
            sa.update(table)
            .where(table.c.user == person, table.c.digest == _digest(person, code), table.c.used_at.is_(None))
            .values(used_at=sa.func.now())
        )
        return used.rowcount == 1


def recovery_codes_left(tenant: Tenant, person: UUID) -> int:
    """How many recovery codes a person has not used."""
    table = tenant.tables.platform.recovery_code
    query = sa.select(sa.func.count()).where(table.c.user == person, table.c.used_at.is_(None))
    with tenant.begin() as connection:
        return connection.execute(query).scalar() or 0


def _new_code() -> str:
    """abcd-efgh-jkmn; with at least one letter, which tells it from the digits of an app."""
    while True:
        code = "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(3))
        if looks_like_recovery_code(code):
            return code


def _opened(sealed: str) -> str | None:
    """The secret; None when the installation's key is another one by now: recovery codes still work."""
    try:
        return unseal(sealed)
    except ValueError:
        log.error("a second factor was sealed with another key; set TRELLIS_SECRET_KEY to the one before, or reset it")
        return None


def _digest(person: UUID, code: str) -> str:
    plain = "".join(letter for letter in code.lower() if letter.isalnum())
    return sha256(f"{person}\0{plain}".encode()).hexdigest()
