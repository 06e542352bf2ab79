"""Who has read personal data: one line for a record that was opened, one for a list with its filter and count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import sqlalchemy as sa

from trellis.records.auditing import acting_of
from trellis.records.privacy.subjects import is_personal

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from trellis.records.session import Session
    from trellis.storage.audit import Actor
    from trellis.storage.tenant import Tenant

How = Literal["record", "list", "api", "assistant", "file", "export", "merge", "past", "privacy"]
HOWS: tuple[How, ...] = ("record", "list", "api", "assistant", "file", "export", "merge", "past", "privacy")
LONGEST = 500


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read: a record, or a list (`record` is None) with how many it showed and by what filter."""

    how: How
    entity: str
    record: UUID | None = None
    count: int | None = None
    filter: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A line of the log."""

    id: int
    at: datetime
    how: str
    by: UUID | None
    by_name: str
    address: str
    entity: str
    record: UUID | None
    count: int | None
    filter: str


def rows_of(tenant: Tenant, who: Actor, readings: Sequence[Reading], at: datetime) -> list[dict[str, Any]]:
    """Lines about those of the readings that are of persons."""
    entities = tenant.model.entities
    of_persons = (r for r in readings if r.entity in entities and is_personal(entities[r.entity]))
    return [{**_row(reading, who), "at": at} for reading in of_persons]


def write_rows(tenant: Tenant, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write lines in a transaction of their own, which does not wait for the disk."""
    with tenant.begin() as connection:
        connection.exec_driver_sql("SET LOCAL synchronous_commit TO off")
        connection.execute(sa.insert(tenant.tables.platform.access), list(rows))


def note(session: Session, reading: Reading) -> None:
    """Write a line in the open transaction of a session: of what is given out in it, such as an export."""
    if not session.is_trial and is_personal(session.entity(reading.entity)):
        session.execute(sa.insert(session.tables.platform.access), _row(reading, acting_of(session)))


def _row(reading: Reading, who: Actor) -> dict[str, Any]:
    return {
        "how": reading.how,
        "by": who.by,
        "by_name": who.by_name,
        "address": who.address,
        "request": who.request,
        "entity": reading.entity,
        "record": reading.record,
        "count": reading.count,
        "filter": None if reading.filter is None else reading.filter[:LONGEST].replace("\0", ""),
    }


def of_records(session: Session, entity: str, ids: Iterable[UUID], *, limit: int = 500) -> list[Told]:
    """Who opened some records, the latest first."""
    table = session.tables.platform.access
    query = sa.select(table).where(table.c.entity == entity, table.c.record.in_(list(ids)))
    return [
        told(row)
        for row in session.execute(query.order_by(table.c.at.desc(), table.c.id.desc()).limit(limit)).mappings()
    ]


def told(row: Any) -> Told:
    """A row as a line of the log."""
    names = ("id", "at", "how", "by", "by_name", "address", "entity", "record", "count", "filter")
    values = {name: row[name] for name in names}
    for name in ("by_name", "address", "filter"):
        values[name] = values[name] or ""
    return Told(**values)


def purge_old(tenant: Tenant, now: datetime) -> int:
    """Remove the lines that are older than they are kept; how many there were."""
    with tenant.begin() as connection:
        return purge_lines(connection, tenant, now)


def purge_lines(connection: Connection, tenant: Tenant, now: datetime) -> int:
    """The same in an open transaction of the tenant."""
    age, table = tenant.profile.access_log, tenant.tables.platform.access
    return 0 if age is None else connection.execute(sa.delete(table).where(table.c.at < now - age)).rowcount
