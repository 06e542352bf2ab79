"""Reading: lists, single records, counts, totals and groups, each one statement under the reader's permissions."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis.formula.formula import Formula, FormulaError, compile_formula
from trellis.formula.types import BOOLEAN, Money, Value
from trellis.model.view import Sort
from trellis.records.draft import Draft
from trellis.records.merging import lookup
from trellis.records.privacy.leaving_out import leaving_out
from trellis.records.reading import paging
from trellis.records.reading.bounded import bounded, check_depth
from trellis.records.reading.counted import NAME, FilterScope
from trellis.records.reading.patient import rows_of
from trellis.records.reading.selection import Selection
from trellis.records.record import Count, Group, Page, Record, Shape
from trellis.records.refusal import Fault, Forbidden, Missing, Refused
from trellis.storage.names import short
from trellis.storage.prepared import KEPT

if TYPE_CHECKING:
    from trellis.records.session import Session

Where = Sequence[Formula | str]
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


_record_plans: OrderedDict[tuple[object, ...], RecordPlan] = OrderedDict()
_plans: OrderedDict[tuple[object, ...], ListPlan] = OrderedDict()
_statements: OrderedDict[tuple[object, ...], Any] = OrderedDict()
PLANS_KEPT = 2000
OF_ONE_REQUEST = frozenset({"this", "old", "param", "counted"})  # what a formula may use that is no reader's


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
    with _in_time(session, where):
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
    known = _plans.get(key)
    if known is not None:
        _plans.move_to_end(key)
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
    if _is_lasting(selection, formulas):
        _keep(_plans, key, plan)
    return plan


def _is_lasting(selection: Selection, formulas: Sequence[Formula]) -> bool:
    """Whether a statement serves later requests too: nothing of this one alone went into it."""
    return selection.is_shareable and not any(f.uses & OF_ONE_REQUEST for f in formulas)


def _keep(plans: OrderedDict[tuple[object, ...], Any], key: tuple[object, ...], plan: Any) -> None:
    plans[key] = plan
    while len(plans) > PLANS_KEPT:
        plans.popitem(last=False)


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
    known = _record_plans.get(key)
    if known is not None:
        _record_plans.move_to_end(key)
        return known
    selection = Selection(session, entity, late=True, single=True)
    shape = selection.shape(readable_fields(session, entity) if fields is None else fields)
    conditions = restrict(selection, (), deleted=None if deleted else False) if restricted else []
    statement = selection.select().where(selection.alias.c.id == sa.bindparam("_id", type_=sa.Uuid()), *conditions)
    plan = RecordPlan(statement.execution_options(**KEPT) if selection.is_shareable else statement, shape)
    if selection.is_shareable:
        _keep(_record_plans, key, plan)
    return plan


def read_written(session: Session, draft: Draft) -> Record:
    """A record that was just written, as the writer may see it."""
    plan = _record_plan(session, draft.entity.key, None, True, restricted=False)
    record = Record(plan.shape, session.execute(plan.statement, {"_id": draft.record.id}).one())
    record.warnings = tuple(draft.warnings)
    return record


def count(
    session: Session,
    entity: str,
    *,
    where: Where = (),
    q: str | None = None,
    cap: int | None = 10_000,
    deleted: bool | None = False,
) -> Count:
    """How many records there are, counted up to the cap."""
    require_readable(session, entity, deleted=deleted)
    formulas = compile_all(session, entity, where)
    key = ("count", session.view_key, entity, formulas, q or "", cap, deleted)
    statement = _statements.get(key)
    if statement is None:
        selection = Selection(session, entity, late=True)
        conditions = restrict(selection, formulas, q=q, deleted=deleted, many=True)
        found: sa.Select[Any] = sa.select(sa.literal_column("1")).select_from(selection.source()).where(*conditions)
        if cap is not None:
            found = found.limit(cap + 1)
        statement = sa.select(sa.func.count()).select_from(found.subquery())
        if not q and _is_lasting(selection, formulas):
            _keep(_statements, key, statement)
    with _in_time(session, where):
        n: int = session.execute(statement).scalar_one()
    return Count(min(n, cap), n > cap) if cap is not None else Count(n)


AGGREGATES: Mapping[str, Any] = {
    "sum": sa.func.sum,
    "avg": sa.func.avg,
    "min": sa.func.min,
    "max": sa.func.max,
    "count": sa.func.count,
}


def totals(
    session: Session,
    entity: str,
    wanted: Mapping[str, str],
    *,
    where: Where = (),
    q: str | None = None,
    deleted: bool = False,
    patient: bool = False,
) -> dict[str, Value]:
    """Sums (avg, min, max, count) over all records of a list; money in the tenant's currency.

    `patient`: a report asks, whose statements may take long and are ended with what to do.
    """
    require_readable(session, entity, deleted=deleted)
    formulas = compile_all(session, entity, where)
    key = ("totals", session.view_key, entity, tuple(wanted.items()), formulas, q or "", deleted)
    known = _statements.get(key)
    if known is None:
        selection = Selection(session, entity, late=True)
        expressions = [_aggregate(selection, path, kind) for path, kind in wanted.items()]
        money = _money_totals(selection, wanted)
        conditions = restrict(selection, formulas, q=q, deleted=deleted, many=True)
        known = sa.select(*expressions).select_from(selection.source()).where(*conditions), money
        if not q and _is_lasting(selection, formulas):
            _keep(_statements, key, known)
    statement, money = known
    with nullcontext() if patient else _in_time(session, where):
        row = rows_of(session, statement)[0] if patient else session.execute(statement).one()
    return _read_totals(session, wanted, money, row)


def _aggregate(selection: Selection, path: str, kind: str) -> sa.ColumnElement[Any]:
    function = AGGREGATES.get(kind)
    if function is None:
        raise Refused([Fault("invalid", "There is no total “{name}”.", path, {"name": kind})])
    return function(selection.number(path) if kind != "count" else selection.plain(path))  # type: ignore[no-any-return]


def _money_totals(selection: Selection, wanted: Mapping[str, str]) -> frozenset[str]:
    return frozenset(path for path, kind in wanted.items() if kind != "count" and selection.is_money(path))


def _read_totals(
    session: Session, wanted: Mapping[str, str], money: frozenset[str], values: Sequence[Any]
) -> dict[str, Value]:
    """Totals as values: of nothing, a sum is 0."""
    result: dict[str, Value] = {}
    currency = session.reader.currency
    for (path, kind), value in zip(wanted.items(), values, strict=True):
        if value is None and kind == "sum":
            value = 0
        result[path] = Money(value, currency, value) if path in money and value is not None else value
    return result


def groups(
    session: Session,
    entity: str,
    field: str,
    *,
    totals: Mapping[str, str] | None = None,
    where: Where = (),
    q: str | None = None,
) -> list[Group]:
    """Counts and totals by a field's value: what a board's columns show, in one statement."""
    require_readable(session, entity)
    wanted = dict(totals or {})
    formulas = compile_all(session, entity, where)
    key = ("groups", session.view_key, entity, field, tuple(wanted.items()), formulas, q or "")
    known = _statements.get(key)
    if known is None:
        selection = Selection(session, entity, late=True)
        slot = selection.slot(field)
        grouped = list(selection.columns)
        expressions = [_aggregate(selection, path, kind) for path, kind in wanted.items()]
        money = _money_totals(selection, wanted)
        conditions = restrict(selection, formulas, q=q, many=True)
        select = sa.select(*grouped, sa.func.count(), *expressions).select_from(selection.source()).where(*conditions)
        known = select.group_by(*(c.element for c in grouped)), slot, len(grouped), money
        if not q and _is_lasting(selection, formulas):
            _keep(_statements, key, known)
    statement, slot, width, money = known
    rows = session.execute(statement).all()
    return [Group(slot(r), r[width], _read_totals(session, wanted, money, r[width + 1 :])) for r in rows]


# ── what every path shares ───────────────────────────────────────────────────────────────────────────────────


def restrict(
    selection: Selection,
    formulas: Sequence[Formula],
    *,
    q: str | None = None,
    deleted: bool | None = False,
    action: str = "read",
    many: bool = False,
) -> list[sa.ColumnElement[bool]]:
    """The conditions of every query: live (or in the bin; None: either), within reach, matching filters and search.

    `many`: of a list, a figure or a choice, which leave out those whose data is not to be worked with.
    """
    table = selection.alias.c
    conditions: list[sa.ColumnElement[bool]] = []
    if deleted is not None:
        conditions.append(table.deleted_at.is_not(None) if deleted else table.deleted_at.is_(None))
    if deleted:  # what was merged into another record is no part of the bin
        conditions.append(table.id.not_in(lookup.merged(selection.session, selection.entity.key)))
    with selection.catalog.unguarded():
        reach = selection.session.permit.reach(action, selection.scope)
    if reach is not None:
        conditions.append(reach)
    for formula in formulas:
        if isinstance(formula, Asked):
            conditions.append(formula.predicate(selection.scope))
        else:  # the Model's own: what it reads is not for the person to choose
            with selection.catalog.unguarded():
                conditions.append(formula.predicate(selection.scope))
    if q and q.strip():
        conditions.append(selection.matches(q))
    if many and not deleted and (open_ := leaving_out(selection.session, selection.entity, table.id)) is not None:
        conditions.append(open_)
    return conditions


def _in_time(session: Session, where: Where) -> AbstractContextManager[None]:
    """A person's own filter must not take long; the Model's own are the administrators' to answer for."""
    return bounded(session) if any(isinstance(w, (str, Asked)) for w in where) else nullcontext()


class Asked(Formula):
    """A filter that a person wrote: it sees the rows and fields that this person may read, and nothing else."""


_filters: OrderedDict[tuple[object, ...], Formula] = OrderedDict()


def compile_all(session: Session, entity: str, where: Where) -> tuple[Formula, ...]:
    """Filters as formulas: text comes from a person, who may name only what they may see."""
    return tuple(w if isinstance(w, Formula) else compile_filter(session, entity, w) for w in where)


def compile_filter(session: Session, entity: str, text: str) -> Formula:
    """A person's filter; Refused with the place of what is wrong."""
    key = (session.model.hash, session.permit.cache_key, entity, text)
    known = _filters.get(key)
    if known is not None:
        return known
    try:
        formula = compile_formula(text, FilterScope(session, entity), expected=BOOLEAN)
    except FormulaError as error:
        raise Refused(
            [
                Fault("filter", f.message, "filter", {"offset": f.offset, "length": f.length, "hint": f.hint})
                for f in error.faults
            ]
        ) from error
    check_depth(text)
    asked = Asked(formula.source, formula.node, formula.type, formula.reads, formula.uses)
    if NAME not in asked.uses:  # whether there is such a number is asked anew: reports are people's own, too
        _keep(_filters, key, asked)
    return asked


def lines(session: Session, entity: str, id: UUID, name: str, *, columns: Sequence[str] | None = None) -> list[Record]:
    """The rows of an inverse list, in order."""
    inverse = session.entity(entity).inverses[name]
    read(session, entity, id, fields=(), deleted=True)
    require_readable(session, inverse.entity)
    wanted = tuple(readable_fields(session, inverse.entity) if columns is None else columns)
    key = (session.view_key, "lines", inverse.entity, inverse.field, wanted)
    known = _statements.get(key)
    if known is None:
        selection = Selection(session, inverse.entity, late=True)
        shape = selection.shape(wanted)
        table = selection.alias.c
        parent: sa.BindParameter[Any] = sa.bindparam("_parent", type_=sa.Uuid())
        conditions = [*restrict(selection, ()), table[short(inverse.field)] == parent]
        order = [table.position] if "position" in table else []
        known = selection.select().where(*conditions).order_by(*order, table.created_at, table.id), shape
        if _is_lasting(selection, ()):
            _keep(_statements, key, known)
    statement, shape = known
    return [Record(shape, row) for row in session.execute(statement, {"_parent": id}).all()]


def require_readable(session: Session, entity: str, *, deleted: bool | None = False) -> None:
    """Missing for what is no entity, Forbidden for one that this person reads nothing of.

    The bin itself (`deleted=True`) is for those who may take something out of it or delete it for good.
    """
    session.entity(entity)
    if not session.permit.may("read", entity):
        raise Forbidden(entity, "read")
    if deleted and not any(session.permit.may(action, entity) for action in ("restore", "delete")):
        raise Forbidden(entity, "restore")


_readable: OrderedDict[tuple[object, ...], tuple[str, ...]] = OrderedDict()


def readable_fields(session: Session, entity: str) -> list[str]:
    """The fields that this person may see."""
    key = (session.model.hash, session.permit.cache_key, entity)
    known = _readable.get(key)
    if known is None:
        definition = session.entity(entity)
        modes = session.permit.modes(entity)
        known = _readable[key] = tuple(
            name
            for name, field in definition.fields.items()
            if modes.get(name) != "hidden" and (field.stored or field.is_derived)
        )
        while len(_readable) > PLANS_KEPT:
            _readable.popitem(last=False)
    return list(known)
