"""How many records there are, and what they come to: counts, totals, groups, each one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from trellis.formula.types import Money, Value
from trellis.records.kept import Shelf
from trellis.records.reading.filtering import Where, compile_all, in_time, is_lasting, require_readable, restrict
from trellis.records.reading.patient import rows_of
from trellis.records.reading.selection import Selection
from trellis.records.record import Count, Group
from trellis.records.refusal import Fault, Refused

if TYPE_CHECKING:
    from trellis.records.session import Session

_statements = Shelf()
AGGREGATES: Mapping[str, Any] = {
    "sum": sa.func.sum,
    "avg": sa.func.avg,
    "min": sa.func.min,
    "max": sa.func.max,
    "count": sa.func.count,
}


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
    statement = _statements.known(key)
    if statement is None:
        selection = Selection(session, entity, late=True)
        conditions = restrict(selection, formulas, q=q, deleted=deleted, many=True)
        found: sa.Select[Any] = sa.select(sa.literal_column("1")).select_from(selection.source()).where(*conditions)
        if cap is not None:
            found = found.limit(cap + 1)
        statement = sa.select(sa.func.count()).select_from(found.subquery())
        if not q and is_lasting(selection, formulas):
            _statements.keep(key, statement)
    with in_time(session, where):
        n: int = session.execute(statement).scalar_one()
    return Count(min(n, cap), n > cap) if cap is not None else Count(n)


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
    known = _statements.known(key)
    if known is None:
        selection = Selection(session, entity, late=True)
        expressions = [aggregate(selection, path, kind) for path, kind in wanted.items()]
        money = money_totals(selection, wanted)
        conditions = restrict(selection, formulas, q=q, deleted=deleted, many=True)
        known = sa.select(*expressions).select_from(selection.source()).where(*conditions), money
        if not q and is_lasting(selection, formulas):
            _statements.keep(key, known)
    statement, money = known
    with nullcontext() if patient else in_time(session, where):
        row = rows_of(session, statement)[0] if patient else session.execute(statement).one()
    return read_totals(session, wanted, money, row)


def aggregate(selection: Selection, path: str, kind: str) -> sa.ColumnElement[Any]:
    """A total as an expression. Raises Refused."""
    function = AGGREGATES.get(kind)
    if function is None:
        raise Refused([Fault("invalid", "There is no total “{name}”.", path, {"name": kind})])
    return function(selection.number(path) if kind != "count" else selection.plain(path))  # type: ignore[no-any-return]


def money_totals(selection: Selection, wanted: Mapping[str, str]) -> frozenset[str]:
    """Which of the totals are amounts."""
    return frozenset(path for path, kind in wanted.items() if kind != "count" and selection.is_money(path))


def read_totals(
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
    known = _statements.known(key)
    if known is None:
        selection = Selection(session, entity, late=True)
        slot = selection.slot(field)
        grouped = list(selection.columns)
        expressions = [aggregate(selection, path, kind) for path, kind in wanted.items()]
        money = money_totals(selection, wanted)
        conditions = restrict(selection, formulas, q=q, many=True)
        select = sa.select(*grouped, sa.func.count(), *expressions).select_from(selection.source()).where(*conditions)
        known = select.group_by(*(c.element for c in grouped)), slot, len(grouped), money
        if not q and is_lasting(selection, formulas):
            _statements.keep(key, known)
    statement, slot, width, money = known
    with in_time(session, where):
        rows = session.execute(statement).all()
    return [Group(slot(r), r[width], read_totals(session, wanted, money, r[width + 1 :])) for r in rows]
