"""Batches: many changes that were made at once, kept by an id in the history so that they can be undone at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field as dc_field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from uuid_utils.compat import uuid7

from trellis.records.auditing import note_batch
from trellis.records.refusal import Missing

if TYPE_CHECKING:
    from trellis.records.session import Session

KINDS = {"create": "created", "update": "changed", "convert": "changed", "delete": "deleted", "restore": "restored"}


@dataclass
class Batch:
    """A batch that is being made. It is kept with its first change: one that changed nothing leaves no trace."""

    kind: str
    entity: str
    undoes: UUID | None = None
    data: dict[str, Any] = dc_field(default_factory=dict)
    id: UUID = dc_field(default_factory=uuid7)
    is_kept: bool = False  # something was changed as part of it

    def store(self, session: Session) -> None:
        """Write the batch down, with its first change or again with what has come to it."""
        table, principal = session.tables.platform.batch, session.principal
        row = {
            "id": self.id,
            "kind": self.kind,
            "entity": self.entity,
            "at": session.reader.now,
            "by": principal.id,
            "by_name": principal.name or None,
            "undoes": self.undoes,
            "data": self.data,
        }
        statement = insert(table).values(row).on_conflict_do_update(index_elements=["id"], set_={"data": self.data})
        session.execute(statement)
        self.is_kept = True


@dataclass(frozen=True, slots=True)
class Told:
    """A batch that was made: who, when, what, how many."""

    id: UUID
    kind: str
    entity: str
    at: datetime
    by: UUID | None
    by_name: str
    counts: Mapping[str, int]  # created, changed, deleted, restored
    undoes: UUID | None = None
    undone_by: UUID | None = None

    @property
    def count(self) -> int:
        """How many changes it holds."""
        return sum(self.counts.values())


@contextmanager
def within(session: Session, kind: str, entity: str, *, undoes: UUID | None = None) -> Iterator[Batch]:
    """Make everything inside one batch; inside another batch, part of that one."""
    if session.batch is not None:
        yield session.batch
        return
    batch = session.batch = Batch(kind, entity, undoes)
    try:
        yield batch
    finally:
        session.batch = None
        if batch.is_kept:
            _tell(session, batch)


def _tell(session: Session, batch: Batch) -> None:
    """One entry of the audit log for all that was done; nothing where all of it was taken back."""
    with session.transaction():
        counts = _counts(session, [batch.id]).get(batch.id)
        if counts:
            note_batch(session, batch.kind, batch.entity, batch.id, counts)


def is_reachable(session: Session, row: Mapping[Any, Any]) -> bool:
    """Whether this person may see and undo the batch: an administrator, or the one who made it."""
    mine = session.principal.id is not None and row["by"] == session.principal.id
    return mine or session.permit.allows("admin")


def find(session: Session, id: UUID, *, lock: bool = False) -> sa.RowMapping:
    """A batch by its id; Missing when this person may not see it."""
    table = session.tables.platform.batch
    statement = sa.select(table).where(table.c.id == id)
    row = session.execute(statement.with_for_update() if lock else statement).mappings().first()
    if row is None or not is_reachable(session, row):
        raise Missing(f"batch {id}")
    return row


def recent(
    session: Session, *, limit: int = 20, before: datetime | None = None, entity: str | None = None
) -> list[Told]:
    """The latest batches that this person may see, the newest first."""
    table = session.tables.platform.batch
    statement = sa.select(table).order_by(table.c.at.desc(), table.c.id.desc()).limit(limit)
    if not session.permit.allows("admin"):
        statement = statement.where(table.c.by == session.principal.id)
    if before is not None:
        statement = statement.where(table.c.at < before)
    if entity is not None:
        statement = statement.where(table.c.entity == entity)
    rows = session.execute(statement).mappings().all()
    counts = _counts(session, [row["id"] for row in rows])
    return [_told(row, counts.get(row["id"], {})) for row in rows]


def one(session: Session, id: UUID) -> Told:
    """One batch; Missing when this person may not see it."""
    return _told(find(session, id), _counts(session, [id]).get(id, {}))


def _told(row: Mapping[Any, Any], counts: Mapping[str, int]) -> Told:
    by_name = row["by_name"] or ""
    own = (row["id"], row["kind"], row["entity"], row["at"], row["by"], by_name)
    return Told(*own, counts, row["undoes"], row["undone_by"])


def _counts(session: Session, ids: Sequence[UUID]) -> dict[UUID, Counter[str]]:
    if not ids:
        return {}
    table = session.tables.platform.history
    statement = sa.select(table.c.batch, table.c.kind, sa.func.count()).where(table.c.batch.in_(ids))
    found: dict[UUID, Counter[str]] = {}
    rows: Sequence[Any] = session.execute(statement.group_by(table.c.batch, table.c.kind)).all()
    for row in rows:
        if row[1] in KINDS:
            found.setdefault(row[0], Counter())[KINDS[row[1]]] += row[2]
    return found
