"""Where merged records are now, and what a record was merged from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis.formula.types import Ref
from trellis.records.kept import kept
from trellis.records.reading import search

if TYPE_CHECKING:
    from trellis.records.session import Session

UNDO_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Merge:
    """One merge that still holds: what went into the record, who did it, and until when it can be undone."""

    id: UUID
    entity: str
    winner: UUID
    at: datetime
    by: UUID | None
    by_name: str
    losers: tuple[Ref, ...]
    until: datetime


def merged(session: Session, entity: str) -> sa.Select[tuple[UUID]]:
    """The ids of an entity's records that were merged into others: no part of the bin."""
    table = session.tables.platform.merged
    return sa.select(table.c.loser).where(table.c.entity == entity)


def winners(session: Session, entity: str, ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """What has become of those of the records that were merged."""
    table = session.tables.platform.merged
    wanted = sa.select(table.c.loser, table.c.winner).where(table.c.entity == entity, table.c.loser.in_(list(ids)))
    return {row.loser: row.winner for row in session.execute(wanted).all()}


def with_losers(session: Session, entity: str, id: UUID) -> sa.Select[tuple[UUID]]:
    """The record's id and those of the records that were merged into it: whose history it has."""
    table = session.tables.platform.merged
    own = sa.select(sa.literal(id, sa.Uuid()).label("id"))
    return own.union_all(sa.select(table.c.loser).where(table.c.entity == entity, table.c.winner == id))  # type: ignore[return-value]


def found_by_old_name(session: Session, entity: str, id: Any, text: Any) -> sa.ColumnElement[bool]:
    """Whether a record is found by the words of one that was merged into it; `text` is a tsquery in text.

    The subquery stands for itself and gives an array, so that the index on the ids serves it.
    """
    table = session.tables.platform.merged
    # an alias of its own that is made once: its columns take longer to make than the search to run
    old = kept((session.model.hash, "old names", entity), lambda: session.table(entity).alias())
    found = sa.select(table.c.winner).join(old, old.c.id == table.c.loser)
    found = found.where(table.c.entity == entity, search.matches_text(old.c.search, text))
    return id == sa.any_(sa.func.array(found.scalar_subquery(), type_=sa.ARRAY(sa.Uuid())))  # type: ignore[no-any-return]


def matches(
    session: Session,
    entity: str,
    id: Any,
    column: sa.ColumnElement[Any],
    q: str,
    *,
    is_open: bool,
    covered: sa.ColumnElement[bool] | None = None,
) -> sa.ColumnElement[bool]:
    """Whether a record matches a search by its own words, or by those of one that was merged into it.

    `covered`: where this holds, only by words that nobody is kept from.
    """
    if covered is not None and is_open:
        open_ = matches(session, entity, id, column, q, is_open=False)
        return sa.or_(open_, sa.and_(sa.not_(covered), matches(session, entity, id, column, q, is_open=True)))
    own = search.matches(column, q, is_open=is_open)
    text = search.query_text(q, weight="" if is_open else search.OPEN)
    if text is None:
        return own
    return sa.or_(own, found_by_old_name(session, entity, id, sa.literal(text, sa.Text())))


def losers_of(session: Session, refs: Iterable[Ref]) -> dict[Ref, list[Ref]]:
    """What was merged into each of the records."""
    table = session.tables.platform.merged
    wanted = list(refs)
    statement = sa.select(table.c.entity, table.c.winner, table.c.loser).where(
        table.c.winner.in_([ref.id for ref in wanted])
    )
    found: dict[Ref, list[Ref]] = {}
    for row in session.execute(statement).all():
        found.setdefault(Ref(row.entity, row.winner), []).append(Ref(row.entity, row.loser))
    return found


def merges(session: Session, entity: str, id: UUID) -> list[Merge]:
    """The merges into a record that hold, the latest first; losers that this person may not see have no title."""
    from trellis.records.reading import shown

    done, gone = session.tables.platform.merge, session.tables.platform.merged
    wanted = sa.select(done).where(done.c.entity == entity, done.c.winner == id, done.c.undone_at.is_(None))
    rows = session.execute(wanted.order_by(done.c.at.desc(), done.c.id.desc())).mappings().all()
    if not rows:
        return []
    by_merge: dict[UUID, list[UUID]] = {}
    found = sa.select(gone.c.merge, gone.c.loser).where(gone.c.merge.in_([r["id"] for r in rows]))
    for row in session.execute(found.order_by(gone.c.loser)).all():
        by_merge.setdefault(row.merge, []).append(row.loser)
    titles = shown.titles(session, [Ref(entity, loser) for ids in by_merge.values() for loser in ids])
    return [
        Merge(
            done_["id"],
            entity,
            id,
            done_["at"],
            done_["by"],
            done_["by_name"] or "",
            tuple(Ref(entity, loser, titles.get((entity, loser), "")) for loser in by_merge.get(done_["id"], ())),
            done_["at"] + UNDO_FOR,
        )
        for done_ in rows
    ]
