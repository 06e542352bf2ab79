"""Checking a tenant's audit log: is every entry there, unchanged, and in its place?

The hashes are computed here and not by the database's own functions: whoever could change the rows could change those.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from trellis.storage.audit.chain import GENESIS, digest_of, hash_of

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from trellis.storage.tenant import Tenant

ERASED = "privacy.erased"
FORGOTTEN = "forgotten"  # in the details of an erasure: the entries whose label and details it took away
BLOCK = 2000


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain. Kept elsewhere it tells when something at the end is gone."""

    number: int
    hash: str

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> Head:
        """A head as it is printed: `17:9f2c…`. Raises ValueError."""
        number, _, hash = text.strip().partition(":")
        if not number.isdigit() or len(hash) != 64:
            raise ValueError(f"{text!r} is no head of an audit log: it looks like 17:9f2c… with 64 digits")
        return cls(int(number), hash.lower())


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, at which place of the chain."""

    kind: str  # changed, removed, inserted, reordered, truncated
    number: int | None
    text: str


@dataclass(frozen=True)
class Verdict:
    """What a check found, and where the chain ends."""

    findings: tuple[Finding, ...]
    head: Head
    entries: int

    @property
    def is_whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


def head_of(connection: Connection, tenant: Tenant) -> Head:
    """The chain's head as it is stored."""
    seal = tenant.tables.platform.audit_seal
    row = connection.execute(sa.select(seal.c.number, seal.c.hash).order_by(seal.c.number.desc()).limit(1)).first()
    return Head(row.number, row.hash) if row else Head(0, GENESIS)


def verify(connection: Connection, tenant: Tenant, anchors: Sequence[Head] = ()) -> Verdict:
    """Check the whole log, in an open transaction of the tenant, against heads that were kept elsewhere."""
    blank: dict[int, Finding] = {}
    awaited = {a.number: a.hash for a in anchors if a.number}
    findings: list[Finding] = []
    number, previous, entries = 0, GENESIS, 0
    for row in _chain(connection, tenant):
        at = row["number"]
        if at > number + 1:
            findings.append(_gap(number + 1, at - 1))
        elif row["previous"] != previous:
            text = f"Entry {at} does not follow entry {number}: one of the two was written anew."
            findings.append(Finding("changed", at, text))
        number, previous = at, row["hash"]
        if at in awaited and awaited.pop(at) != row["hash"]:
            text = f"Entry {at} is not the one that was there when its head was noted: the log was written anew."
            findings.append(Finding("changed", at, text))
        if row["id"] is None:
            text = f"Entry {at} (id {row['entry']}) was removed."
            findings.append(Finding("removed", at, text))
            continue
        entries += 1
        findings.extend(_judge(row, blank))
    for missing in sorted(awaited):
        if missing > number:
            text = f"The log ends at entry {number}; there was an entry {missing} when its head was noted."
            findings.append(Finding("truncated", missing, text))
            break
    if blank:  # asked last: what was erased while the chain was read is told by then
        forgotten = _forgotten(connection, tenant)
        findings.extend(finding for entry, finding in blank.items() if entry not in forgotten)
    findings.extend(_strangers(connection, tenant))
    return Verdict(tuple(findings), Head(number, previous), entries)


def _gap(first: int, last: int) -> Finding:
    which = f"Entry {first} was" if first == last else f"The entries {first} to {last} were"
    return Finding("removed", first, f"{which} removed, with the place in the chain.")


def _judge(row: Any, blank: dict[int, Finding]) -> Iterator[Finding]:
    """What is wrong with an entry; what has lost its details is put aside until the erasures are read."""
    number, what = row["number"], f"({row['kind']}, {row['at']:%Y-%m-%d %H:%M:%S} UTC, id {row['id']})"
    if hash_of(row["previous"], number, row) != row["hash"]:
        yield Finding("changed", number, f"Entry {number} {what} was changed.")
    elif row["salt"] is None:
        text = f"Entry {number} {what} has lost its details, and no erasure says so."
        blank[row["id"]] = Finding("changed", number, text)
    elif digest_of(row["salt"], row["label"], row["details"]) != row["digest"]:
        yield Finding("changed", number, f"The details of entry {number} {what} were changed.")


def _strangers(connection: Connection, tenant: Tenant) -> Iterator[Finding]:
    """Entries outside the chain: written past the database's own trigger."""
    audit, seal = tenant.tables.platform.audit, tenant.tables.platform.audit_seal
    outside = (
        sa.select(audit.c.id, audit.c.kind, audit.c.at)
        .where(~sa.exists(sa.select(1).where(seal.c.entry == audit.c.id)))
        .order_by(audit.c.id)
    )
    for row in connection.execute(outside):
        text = (
            f"The entry with id {row.id} ({row.kind}, {row.at:%Y-%m-%d %H:%M:%S} UTC) was inserted: it is not sealed."
        )
        yield Finding("inserted", None, text)


def _forgotten(connection: Connection, tenant: Tenant) -> frozenset[int]:
    audit = tenant.tables.platform.audit
    told = sa.select(audit.c.details).where(audit.c.kind == ERASED, audit.c.details.is_not(None))
    found: set[int] = set()
    for details in connection.execute(told).scalars():
        found.update(json.loads(details).get(FORGOTTEN, ()))
    return frozenset(found)


def _chain(connection: Connection, tenant: Tenant) -> Iterator[Any]:
    """Every link with its entry, in order, a block at a time."""
    audit, seal = tenant.tables.platform.audit, tenant.tables.platform.audit_seal
    joined = sa.select(seal, *audit.c).join(audit, audit.c.id == seal.c.entry, isouter=True)
    after = 0
    while True:
        block = joined.where(seal.c.number > after).order_by(seal.c.number).limit(BLOCK)
        rows = connection.execute(block).mappings().all()
        yield from rows
        if len(rows) < BLOCK:
            return
        after = rows[-1]["number"]
