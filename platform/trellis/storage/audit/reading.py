"""Reading the audit log: pages of it by person, kind, time and words, and all of it as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis.storage.audit.entry import GROUPS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.engine import Connection

    from trellis.storage.tenant import Tenant

BLOCK = 2000


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry with its place in the chain; `number` is None for one that is not sealed."""

    id: int
    number: int | None
    at: datetime
    kind: str
    by: UUID | None
    by_name: str
    means: str
    address: str
    request: str
    entity: str | None
    record: UUID | None
    label: str
    details: Mapping[str, Any]
    hash: str
    is_erased: bool  # an erasure took its label and details away


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries: each part narrows the others."""

    by: UUID | None = None
    kind: str = ""  # a kind, or a group of them
    since: datetime | None = None
    until: datetime | None = None
    words: str = ""
    record: UUID | None = None


def read(connection: Connection, tenant: Tenant, wanted: Wanted, *, limit: int, before: int | None) -> list[Entry]:
    """The entries, the newest first; `before` is the id of the last one of the page before."""
    query = _selected(tenant).where(*_conditions(tenant, wanted))
    audit = tenant.tables.platform.audit
    if before is not None:
        query = query.where(audit.c.id < before)
    rows = connection.execute(query.order_by(audit.c.id.desc()).limit(limit)).mappings()
    return [_entry(row) for row in rows]


def people(connection: Connection, tenant: Tenant) -> list[tuple[UUID, str]]:
    """Everybody who can have acted, those in the bin too, by name."""
    user = tenant.tables.entity.get("user")
    if user is None or "name" not in user.c:
        return []
    rows = connection.execute(sa.select(user.c.id, user.c.name).order_by(user.c.name))
    return [(row[0], row[1] or "") for row in rows]


def lines(connection: Connection, tenant: Tenant) -> Iterator[str]:
    """The whole log as JSON lines, in the order of the chain, with everything that the hashes are made of."""
    audit, seal = tenant.tables.platform.audit, tenant.tables.platform.audit_seal
    joined = sa.select(seal.c.number, seal.c.previous, seal.c.hash, *audit.c).join(audit, audit.c.id == seal.c.entry)
    after = 0
    while True:
        block = joined.where(seal.c.number > after).order_by(seal.c.number).limit(BLOCK)
        rows = connection.execute(block).mappings().all()
        for row in rows:
            yield json.dumps({name: _json(value) for name, value in row.items()}, ensure_ascii=False)
        if len(rows) < BLOCK:
            return
        after = rows[-1]["number"]


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return str(value) if isinstance(value, UUID) else value


def _selected(tenant: Tenant) -> sa.Select[Any]:
    audit, seal = tenant.tables.platform.audit, tenant.tables.platform.audit_seal
    return sa.select(*audit.c, seal.c.number, seal.c.hash).join(seal, seal.c.entry == audit.c.id, isouter=True)


def _conditions(tenant: Tenant, wanted: Wanted) -> Iterator[sa.ColumnElement[bool]]:
    audit = tenant.tables.platform.audit
    if wanted.by is not None:
        yield audit.c.by == wanted.by
    if wanted.kind:
        group = GROUPS.get(wanted.kind)
        yield audit.c.kind.in_([f"{wanted.kind}.{name}" for name in group] if group else [wanted.kind])
    if wanted.since is not None:
        yield audit.c.at >= wanted.since
    if wanted.until is not None:
        yield audit.c.at < wanted.until
    if wanted.record is not None:
        yield audit.c.record == wanted.record
    for word in wanted.words.split():
        searched = (audit.c.by_name, audit.c.label, audit.c.details, audit.c.address, audit.c.request, audit.c.entity)
        yield sa.or_(*(column.icontains(word, autoescape=True) for column in searched))


def _entry(row: Mapping[Any, Any]) -> Entry:
    return Entry(
        id=row["id"],
        number=row["number"],
        at=row["at"],
        kind=row["kind"],
        by=row["by"],
        by_name=row["by_name"] or "",
        means=row["means"],
        address=row["address"] or "",
        request=row["request"] or "",
        entity=row["entity"],
        record=row["record"],
        label=row["label"] or "",
        details=json.loads(row["details"]) if row["details"] else {},
        hash=row["hash"] or "",
        is_erased=row["salt"] is None,
    )
