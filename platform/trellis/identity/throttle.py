"""How often guessing may go wrong: by account and by address, counted in the database so that all processes agree.

Every attempt is counted before it is made and taken back when it succeeds: many at the same moment find each other.
An account is counted by what was typed, whether anybody has that address or not, so that a lock tells nothing. A
browser in which the person has signed in before is counted on its own: strangers cannot lock somebody out of their
own device.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

if TYPE_CHECKING:
    from uuid import UUID

    from trellis.storage.tenant import Tenant

FREE = 5  # failures of an account before each one costs a wait
FIRST_WAIT = timedelta(seconds=15)
FREE_OF_ADDRESS = 50  # an office may share one
LONGEST_OF_ADDRESS = timedelta(minutes=15)
FORGOTTEN = timedelta(hours=24)  # without another failure


@dataclass(frozen=True)
class Key:
    """What is counted, with what it may do."""

    name: str
    free: int
    attempts: int
    longest: timedelta

    def wait(self, failures: int) -> timedelta:
        """How long nobody may try after so many failures: doubled each time, up to the longest."""
        if failures < self.free:
            return timedelta()
        if failures >= self.attempts:
            return self.longest
        return min(self.longest, FIRST_WAIT * int(2 ** min(failures - self.free, 20)))


def account_key(tenant: Tenant, email: str, *, is_known_device: bool = False) -> Key:
    """The count of an account: in the browsers that it is used in, or in all others."""
    lockout = tenant.profile.sign_in.lockout
    kind = "device" if is_known_device else "account"
    name = f"{kind}:{sha256(email.strip().lower().encode()).hexdigest()[:40]}"
    return Key(name, min(FREE, lockout.attempts), lockout.attempts, lockout.lasts)


def person_key(tenant: Tenant, person: UUID, what: str) -> Key:
    """The count of something that somebody does who is known already: a code, the present password."""
    lockout = tenant.profile.sign_in.lockout
    return Key(f"{what}:{person}", min(FREE, lockout.attempts), lockout.attempts, lockout.lasts)


def address_key(address: str | None) -> Key:
    """The count of an address; of IPv6, of the network that one subscriber has."""
    text = address or ""
    try:
        known = ipaddress.ip_address(text)
        if known.version == 6:
            text = str(ipaddress.ip_network((known, 64), strict=False))
    except ValueError:
        pass
    return Key(f"address:{text}", FREE_OF_ADDRESS, FREE_OF_ADDRESS + 20, LONGEST_OF_ADDRESS)


def letter_key(email: str) -> Key:
    """The count of letters that are asked for: nobody's mailbox is filled by strangers."""
    name = f"letter:{sha256(email.strip().lower().encode()).hexdigest()[:40]}"
    return Key(name, 3, 12, timedelta(hours=1))


def begin_attempt(tenant: Tenant, *keys: Key) -> timedelta:
    """Count an attempt as a failure until it is known better; the answer is how long to wait when it is refused."""
    table = tenant.tables.platform.attempt
    now = datetime.now(UTC)
    with tenant.begin() as connection:
        waits = []
        for key in sorted(keys, key=lambda k: k.name):  # in one order: no two attempts wait for each other
            connection.execute(insert(table).values(key=key.name, failures=0, last_at=now).on_conflict_do_nothing())
            query = sa.select(table.c.failures, table.c.until, table.c.last_at).where(table.c.key == key.name)
            found = connection.execute(query.with_for_update()).one()
            if found.until is not None and found.until > now:
                waits.append(found.until - now)
                continue
            failures = (0 if found.last_at < now - FORGOTTEN else found.failures) + 1
            wait = key.wait(failures)
            values = {"failures": failures, "last_at": now, "until": now + wait if wait else None}
            connection.execute(sa.update(table).where(table.c.key == key.name).values(**values))
        if waits:
            connection.rollback()  # an attempt that is not made is no failure
        return max(waits, default=timedelta())


def locked_until(tenant: Tenant, email: str) -> datetime | None:
    """Until when an account waits, in whatever browser; None when it does not."""
    table = tenant.tables.platform.attempt
    names = [account_key(tenant, email, is_known_device=known).name for known in (True, False)]
    query = sa.select(sa.func.max(table.c.until)).where(table.c.key.in_(names), table.c.until > datetime.now(UTC))
    with tenant.begin() as connection:
        found: datetime | None = connection.execute(query).scalar()
        return found


def unlock(tenant: Tenant, email: str) -> None:
    """Let an account be tried anew, in every browser."""
    forgive(tenant, *(account_key(tenant, email, is_known_device=known) for known in (True, False)))


def forgive(tenant: Tenant, *keys: Key) -> None:
    """Forget the failures of what has succeeded."""
    table = tenant.tables.platform.attempt
    with tenant.begin() as connection:
        connection.execute(sa.delete(table).where(table.c.key.in_([key.name for key in keys])))


def take_back(tenant: Tenant, *keys: Key) -> None:
    """Count one failure less: this attempt was none, those before it stand (an address has many people)."""
    table = tenant.tables.platform.attempt
    with tenant.begin() as connection:
        connection.execute(
            sa.update(table)
            .where(table.c.key.in_([key.name for key in keys]))
            .values(failures=sa.func.greatest(table.c.failures - 1, 0), until=None)
        )


def forget_old_attempts(connection: sa.Connection, tenant: Tenant) -> None:
    """Drop what was counted long ago."""
    table = tenant.tables.platform.attempt
    now = datetime.now(UTC)
    connection.execute(
        sa.delete(table).where(table.c.last_at < now - FORGOTTEN, sa.or_(table.c.until.is_(None), table.c.until < now))
    )
