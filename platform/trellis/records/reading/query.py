"""Reading: lists, single records and their lines, each one statement under the reader's permissions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis.model.view import Sort
from trellis.records.draft import Draft
from trellis.records.kept import Shelf
from trellis.records.merging import lookup
from trellis.records.reading import paging
from trellis.records.reading.filtering import (
    Where,
    compile_all,
    in_time,
    is_lasting,
    readable_fields,
    require_readable,
    restrict,
)
from trellis.records.reading.selection import Selection
from trellis.records.record import Page, Record, Shape
from trellis.records.refusal import Missing
from trellis.storage.names import short
from trellis.storage.prepared import KEPT

if TYPE_CHECKING:
    from trellis.records.session import Session

MOST_ROWS = 1000
DEFAULT_SORT = (Sort("created_at", descending=True),)


@dataclass(frozen=True, slots=True)
class ListPlan:
    """A list's SELECT without its page, and what its rows mean: made once, used for all who have the same rights."""

    statement: sa.Select[Any]
    shape: Shape
    keys: tuple[paging.SortKey, ...]
    places: tuple[int, ...]
    mark: str
    entity: str
    id: sa.ColumnElement[Any]
    search: sa.ColumnElement[Any]
    is_open: bool  # every searched field may be seen
    covered: sa.ColumnElement[bool] | None = None  # but not of these rows: they lie in a pool that hides some
    begins: tuple[sa.Select[Any], ...] = ()  # the list from its start, ready: SQLAlchemy knows a statement by itself

    def matches(self, session: Session, q: str) -> sa.ColumnElement[bool]:
        """The condition of a search."""
        return lookup.matches(session, self.entity, self.id, self.search, q, is_open=self.is_open, covered=self.covered)


@dataclass(frozen=True, slots=True)
class RecordPlan:
    """The SELECT of one record by its id, and what its row means."""

    statement: sa.Select[Any]
    shape: Shape


plans = Shelf()  # of lists
_record_plans = Shelf()
_lines = Shelf()


def list_page(
    session: Session,
    entity: str,
    *,
    columns: Sequence[str],
    where: Where = (),
    q: str | None = None,
    sort: Sequence[Sort] = (),
    limit: int = 50,
    cursor: str | None = None,
    deleted: bool | None = False,
) -> Page:
    """A page of records."""
    require_readable(session, entity, deleted=deleted)
    plan = _list_plan(session, entity, tuple(columns), tuple(where), tuple(sort), deleted)
    statement = plan.statement
    if q and q.strip():
        statement = statement.where(plan.matches(session, q))
    values = paging.read_cursor(cursor, plan.mark, len(plan.keys)) if cursor else None
    limit = max(1, min(limit, MOST_ROWS))
    rows: list[sa.Row[Any]] = []
    is_plain = values is None and statement is plan.statement
    with in_time(session, where):
        for part in plan.begins if is_plain else _pages(statement, plan.keys, values):
            rows.extend(session.execute(part, {"_limit": limit + 1 - len(rows)}).all())
            if len(rows) > limit:
                break
    shape = plan.shape
    following = None
    if len(rows) > limit:
        rows = rows[:limit]
        following = paging.write_cursor(plan.mark, [rows[-1][place] for place in plan.places])
    return Page([Record(shape, row) for row in rows], following)


def _pages(
    statement: sa.Select[Any], keys: tuple[paging.SortKey, ...], values: Sequence[Any] | None
) -> Iterator[sa.Select[Any]]:
    """The statements of a list from a place on; each takes `_limit`."""
    for part, condition, start in _parts(keys, values):
        page = statement.where(*condition).order_by(*(k.order() for k in part))
        if start is not None:
            page = page.where(paging.after(part, start))
        yield page.limit(sa.bindparam("_limit", type_=sa.Integer()))


Part = tuple[tuple[paging.SortKey, ...], list[sa.ColumnElement[bool]], Sequence[Any] | None]


def _parts(keys: tuple[paging.SortKey, ...], values: Sequence[Any] | None) -> Iterator[Part]:
    """A list as one part, or as two that follow each other: rows with a first sort value, then those without."""
    first, rest = keys[0], keys[1:]
    if not first.splits:
        yield keys, [], values
        return
    if values is None or values[0] is not None:
        yield (first.filled(), *rest), [first.expression.is_not(None)], values
        values = None
    yield rest, [first.expression.is_(None)], None if values is None else values[1:]


def _list_plan(
    session: Session, entity: str, columns: tuple[str, ...], where: Where, sort: tuple[Sort, ...], deleted: bool | None
) -> ListPlan:
    formulas = compile_all(session, entity, where)
    key = (session.view_key, entity, columns, formulas, sort, deleted)
    known: ListPlan | None = plans.known(key)
    if known is not None:
        return known
    selection = Selection(session, entity, late=True)
    shape = selection.shape(columns)
    keys = _sort_keys(selection, sort or DEFAULT_SORT)
    places = tuple(selection.add(k.expression) for k in keys)
    conditions = restrict(selection, formulas, deleted=deleted, many=True)
    covered = selection.covered()
    statement = selection.select().where(*conditions)
    mark = paging.fingerprint(entity, sort or DEFAULT_SORT)
    plan = ListPlan(
        statement,
        shape,
        keys,
        places,
        mark,
        entity,
        selection.alias.c.id,
        selection.alias.c.search,
        selection.is_open,
        covered,
        tuple(_pages(statement, keys, None)),
    )
    if is_lasting(selection, formulas):
        plans.keep(key, plan)
    return plan


def _sort_keys(selection: Selection, sort: Sequence[Sort]) -> tuple[paging.SortKey, ...]:
    """The keys with the id as the last one, so that no two rows share a place."""
    keys = [selection.sort_key(s.path, descending=s.descending) for s in sort if s.path != "id"]
    id_down = next((s.descending for s in sort if s.path == "id"), keys[-1].descending if keys else False)
    return (*keys, paging.SortKey(selection.alias.c.id, id_down, nullable=False))


def read(session: Session, entity: str, id: UUID, *, fields: Sequence[str] | None, deleted: bool = False) -> Record:
    """One record with the paths that are asked for, else all that this person may see; Missing otherwise."""
    require_readable(session, entity)
    plan = _record_plan(session, entity, None if fields is None else tuple(fields), deleted, restricted=True)
    row = session.execute(plan.statement, {"_id": id}).first()
    if row is None:
        raise Missing(f"{entity} {id}")
    return Record(plan.shape, row)


def _record_plan(
    session: Session, entity: str, fields: tuple[str, ...] | None, deleted: bool, *, restricted: bool
) -> RecordPlan:
    key = (session.view_key, entity, fields, deleted, restricted)
    known: RecordPlan | None = _record_plans.known(key)
    if known is not None:
        return known
    selection = Selection(session, entity, late=True, single=True)
    shape = selection.shape(readable_fields(session, entity) if fields is None else fields)
    conditions = restrict(selection, (), deleted=None if deleted else False) if restricted else []
    statement = selection.select().where(selection.alias.c.id == sa.bindparam("_id", type_=sa.Uuid()), *conditions)
    plan = RecordPlan(statement.execution_options(**KEPT) if selection.is_shareable else statement, shape)
    if selection.is_shareable:
        _record_plans.keep(key, plan)
    return plan


def read_written(session: Session, draft: Draft) -> Record:
    """A record that was just written, as the writer may see it."""
    plan = _record_plan(session, draft.entity.key, None, True, restricted=False)
    record = Record(plan.shape, session.execute(plan.statement, {"_id": draft.record.id}).one())
    record.warnings = tuple(draft.warnings)
    return record


def lines(session: Session, entity: str, id: UUID, name: str, *, columns: Sequence[str] | None = None) -> list[Record]:
    """The rows of an inverse list, in order."""
    inverse = session.entity(entity).inverses[name]
    read(session, entity, id, fields=(), deleted=True)
    require_readable(session, inverse.entity)
    wanted = tuple(readable_fields(session, inverse.entity) if columns is None else columns)
    key = (session.view_key, "lines", inverse.entity, inverse.field, wanted)
    known = _lines.known(key)
    if known is None:
        selection = Selection(session, inverse.entity, late=True)
        shape = selection.shape(wanted)
        table = selection.alias.c
        parent: sa.BindParameter[Any] = sa.bindparam("_parent", type_=sa.Uuid())
        conditions = [*restrict(selection, ()), table[short(inverse.field)] == parent]
        order = [table.position] if "position" in table else []
        known = selection.select().where(*conditions).order_by(*order, table.created_at, table.id), shape
        if is_lasting(selection, ()):
            _lines.keep(key, known)
    statement, shape = known
    return [Record(shape, row) for row in session.execute(statement, {"_parent": id}).all()]
