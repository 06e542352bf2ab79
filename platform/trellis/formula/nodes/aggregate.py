"""Aggregates over an inverse list or a links field, as correlated subqueries in SQL."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from trellis.formula import exact, moments, money
from trellis.formula.env import Env
from trellis.formula.functions.operators import quotient
from trellis.formula.nodes.base import Closure, Expr
from trellis.formula.nodes.compare import Compare
from trellis.formula.nodes.listed import Listed, correlated
from trellis.formula.nodes.paths import Member, Root, is_record, reference
from trellis.formula.reader import Reader
from trellis.formula.sql import moments as sqlm
from trellis.formula.sql import values as sqlv
from trellis.formula.sql.grouped import Grouped, NotGrouped
from trellis.formula.sql.scope import SqlMoney, SqlScope, SqlValue
from trellis.formula.types import BOOLEAN, Money, Type, Value, record_of

if TYPE_CHECKING:
    from trellis.formula.checker import Checker
    from trellis.formula.syntax import BinaryNode

Column = ColumnElement[Any]


@dataclass(frozen=True, slots=True)
class Measure:
    """How values become one: of the values that are not blank in Python, and of a column in SQL."""

    python: Callable[[Sequence[Any]], Value]
    sql: Callable[[Column], Column]


def _average(values: Sequence[Any]) -> Value:
    return exact.divide(_sum(values), len(values)) if values else None


def _sum(values: Sequence[Any]) -> Decimal:
    total = Decimal(0)
    for value in values:
        total = exact.add(total, value)
    return total


def _median(values: Sequence[Any]) -> Value:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return exact.divide(exact.add(ordered[middle], ordered[-middle - 1]), 2) if ordered else None


def _median_sql(column: Column) -> Column:
    """The middle value, or the mean of both: exact, which percentile_cont is not."""
    number = sqlv.numeric(column)
    low = sa.func.percentile_disc(sa.literal_column("0.5")).within_group(number.asc())
    high = sa.func.percentile_disc(sa.literal_column("0.5")).within_group(number.desc())
    return quotient(sa.cast(low, sa.Numeric()) + sa.cast(high, sa.Numeric()), sa.literal_column("2", sa.Numeric()))


def _text_extreme(function: Any) -> Callable[[Column], Column]:
    def extreme(column: Column) -> Column:
        if isinstance(column.type, sa.String):
            return function(column.collate("C"), type_=sa.Text())  # type: ignore[no-any-return]
        return function(column, type_=column.type)  # type: ignore[no-any-return]

    return extreme


MEASURES: dict[str, Measure] = {
    "sum": Measure(_sum, lambda c: sa.func.coalesce(sa.func.sum(sqlv.numeric(c)), 0, type_=sa.Numeric())),
    "avg": Measure(_average, lambda c: quotient(sa.func.sum(sqlv.numeric(c), type_=sa.Numeric()), sa.func.count(c))),
    "min": Measure(lambda v: min(v, default=None), _text_extreme(sa.func.min)),
    "max": Measure(lambda v: max(v, default=None), _text_extreme(sa.func.max)),
    "count": Measure(lambda v: Decimal(len(v)), lambda c: sa.func.count(c)),
    "count_distinct": Measure(lambda v: Decimal(len(set(v))), lambda c: sa.func.count(sa.distinct(c))),
    "median": Measure(_median, _median_sql),
}
SPREAD = frozenset({"sum", "avg", "median"})  # computed with numbers, also of durations
OF_NOTHING_0 = frozenset({"sum", "count", "count_distinct"})


class Aggregate(Expr):
    """`measure` of `of` over the listed records for which `condition` holds."""

    __slots__ = ("condition", "listed", "measure", "of")

    def __init__(
        self, start: int, end: int, type: Type, measure: str, listed: Listed, of: Expr | None, condition: Expr | None
    ) -> None:
        inner = [x for x in (of, condition) if x is not None]
        super().__init__(start, end, type, listed.base, *inner, outer=False, constant=False)
        self.measure = measure
        self.listed = listed
        self.of = of
        self.condition = condition

    # Python

    def rows(self) -> Callable[[Env], Iterable[Env]]:
        """An Env for every listed record for which the condition holds."""
        records = self.listed.python()
        condition = None if self.condition is None else self.condition.python(False)

        def envs(env: Env) -> Iterable[Env]:
            for record in records(env):
                inner = Env(record, env.reader, env.graph, None, env.record, False, env.variables, env)
                if condition is None or condition(inner):
                    yield inner

        return envs

    def python(self, unknown: bool) -> Closure:
        rows, measure = self.rows(), MEASURES[self.measure].python
        if self.of is None:
            return lambda env: Decimal(sum(1 for _ in rows(env)))
        of = self.of.python(False)
        kind = self.of.type.kind
        if self.measure in ("count", "count_distinct"):
            return lambda env: measure([_countable(v) for e in rows(env) if (v := of(e)) is not None])
        if kind == "money":
            of = _counted(self.of) if self.measure in SPREAD else of
            return lambda env: _in_base(measure, [v for e in rows(env) if (v := of(e)) is not None], env.reader)
        if kind == "duration" and self.measure in SPREAD:
            return lambda env: _duration(measure, [v for e in rows(env) if (v := of(e)) is not None])
        return lambda env: measure([v for e in rows(env) if (v := of(e)) is not None])

    # SQL

    def select(self, scope: SqlScope, columns: Callable[[SqlScope], Sequence[Column]]) -> sa.Select[Any]:
        """The listed rows with some columns."""
        inner, source, where = self.listed.select(scope)
        wanted = columns(inner)
        if self.condition is not None:
            where = sa.and_(where, self.condition.truth(inner))
        return correlated(inner, sa.select(*wanted).where(where), source)

    def sql(self, scope: SqlScope) -> SqlValue:
        if scope.grouped is not None and len(self.listed.steps) == 1 and is_record(self.listed.base):
            try:
                return self._made(partial(self._grouped, scope, scope.grouped), scope)
            except NotGrouped:
                pass
        return self._made(partial(self._subquery, scope), scope)

    def _made(self, one: Callable[[Callable[[SqlScope], Column]], Column], scope: SqlScope) -> SqlValue:
        of = self.of
        if of is None:
            return sa.cast(one(lambda inner: sa.literal_column("1", sa.Integer())), sa.Numeric())
        if self.measure in ("count", "count_distinct"):
            return sa.cast(one(lambda inner: countable_sql(of.value(inner))), sa.Numeric())
        if of.type.kind == "money":
            base = one(lambda inner: _base(_money(of, inner), self.measure))
            currency: Column = sqlv.text(scope.reader.currency)
            if self.measure != "sum":  # which is never blank: asking that would compute it once more
                currency = sa.case((base.is_not(None), currency))
            return SqlMoney(base, currency, base)
        if of.type.kind == "duration" and self.measure in SPREAD:
            return sqlm.from_microseconds(one(lambda inner: sqlm.microseconds(of.column(inner))))
        return one(of.column)

    def _subquery(self, scope: SqlScope, pick: Callable[[SqlScope], Column]) -> Column:
        """The measure in a subquery of the record's row."""
        measure = MEASURES[self.measure].sql
        return self.select(scope, lambda inner: [measure(pick(inner))]).scalar_subquery()

    def _grouped(self, scope: SqlScope, grouped: Grouped, pick: Callable[[SqlScope], Column]) -> Column:
        """The measure out of a table that is grouped by the record."""

        def measured(inner: SqlScope) -> Column:
            column = pick(inner)
            if self.condition is not None:
                column = sa.case((self.condition.truth(inner), column))
            return MEASURES[self.measure].sql(column)

        found = grouped.column((id(self), self.measure), self.listed.steps[0].name, measured)
        return sa.func.coalesce(found, 0, type_=found.type) if self.measure in OF_NOTHING_0 else found


def _countable(value: Value) -> Value:
    value = reference(value)
    return (value.amount, value.currency) if isinstance(value, Money) else value


def countable_sql(value: SqlValue) -> Column:
    """What is told apart when values are counted: one column."""
    columns = sqlv.parts(value)
    if len(columns) == 1:
        return columns[0]
    pair = sa.func.concat(sa.cast(columns[0], sa.Text()), " ", columns[1])
    if isinstance(value, SqlMoney):
        pair = sa.func.concat(sa.cast(sa.func.trim_scale(columns[0]), sa.Text()), " ", columns[1])
    return sa.case((columns[0].is_not(None), pair))


def _money(of: Expr, scope: SqlScope) -> SqlMoney:
    value = of.value(scope)
    assert isinstance(value, SqlMoney)
    return value


def _base(value: SqlMoney, measure: str) -> Column:
    return sqlv.counted(value) if measure in SPREAD else value.base


def _counted(of: Expr) -> Closure:
    """A row's money as it is added up: the base of a field that is entered is rounded as the record's page shows it."""
    value = of.python(False)
    if not isinstance(of, Member):
        return value
    record, name = of.of.record(False), of.name

    def counted(env: Env) -> Value:
        found = value(env)
        places = getattr(record(env), "money_places", None)
        n = places(name) if places is not None else None
        if n is None or not isinstance(found, Money) or found.base is None:
            return found
        return Money(found.amount, found.currency, exact.round_half_away(found.base, n))

    return counted


def _in_base(measure: Callable[[Sequence[Any]], Value], values: Sequence[Money], reader: Reader) -> Value:
    result = measure([b for v in values if (b := money.base_of(v, reader)) is not None])
    return None if result is None else Money(exact.decimal(result), reader.currency, exact.decimal(result))


def _duration(measure: Callable[[Sequence[Any]], Value], values: Sequence[timedelta]) -> Value:
    result = measure([v // moments.MICROSECOND for v in values])
    return None if result is None else moments.duration(result, moments.MICROSECOND)


class AnyAll(Aggregate):
    """any and all: does a condition hold for one, or for every one, of the listed records."""

    __slots__ = ()

    def __init__(
        self, start: int, end: int, measure: str, listed: Listed, of: Expr | None, condition: Expr | None
    ) -> None:
        super().__init__(start, end, BOOLEAN, measure, listed, of, condition)

    def python(self, unknown: bool) -> Closure:
        rows = self.rows()
        of = None if self.of is None else self.of.python(False)
        if self.measure == "all" and of is not None:
            return lambda env: all(of(e) for e in rows(env))
        if of is None:
            return lambda env: any(True for _ in rows(env))
        return lambda env: any(of(e) for e in rows(env))

    def sql(self, scope: SqlScope) -> SqlValue:
        inner, source, where = self.listed.select(scope)
        if self.condition is not None:
            where = sa.and_(where, self.condition.truth(inner))
        if self.of is not None:
            holds = self.of.truth(inner)
            wrong = sa.not_(sa.func.coalesce(holds, sa.false()))
            where = sa.and_(where, wrong if self.measure == "all" else holds)
        found = correlated(inner, sa.select(sa.literal_column("1")).where(where), source).exists()
        return sa.not_(found) if self.measure == "all" else found


class Ends(Aggregate):
    """first and last: a value, or the record itself, of the record at one end of the list.

    `by` orders the list by a value of its records: blanks come first, equals stay in the list's own order.
    """

    __slots__ = ("by",)

    def __init__(
        self,
        start: int,
        end: int,
        measure: str,
        listed: Listed,
        of: Expr | None,
        condition: Expr | None,
        by: Expr | None = None,
    ) -> None:
        type_ = record_of(listed.entity) if of is None else of.type
        super().__init__(start, end, type_, measure, listed, of, condition)
        self.by = by
        self.weight += 0 if by is None else by.weight

    def python(self, unknown: bool) -> Closure:
        rows, first = self.rows(), self.measure == "first"
        of = self.of.python(False) if self.of is not None else Root(0, 0, self.type, "record").python(False)
        by = None if self.by is None else self.by.python(False)

        def end(env: Env) -> Value:
            listed: Iterable[Env] = rows(env)
            if by is not None:
                listed = sorted(listed, key=lambda e: ((v := by(e)) is not None, v))
            ordered = iter(listed)
            found = next(ordered, None) if first else next(iter(deque(ordered, maxlen=1)), None)
            return None if found is None else of(found)

        return end

    def sql(self, scope: SqlScope) -> SqlValue:
        def value(inner: SqlScope) -> SqlValue:
            return inner.column("id") if self.of is None else self.of.value(inner)

        shape = value(self.listed.select(scope)[0])
        columns = []
        for index in range(len(sqlv.parts(shape))):
            inner, source, where = self.listed.select(scope)
            column = sqlv.parts(value(inner))[index]
            if self.condition is not None:
                where = sa.and_(where, self.condition.truth(inner))
            order = [c.asc() if self.measure == "first" else c.desc() for c in self._order(inner)]
            select = sa.select(column).where(where).order_by(*order).limit(1)
            columns.append(correlated(inner, select, source).scalar_subquery())
        return sqlv.rebuilt(shape, columns)

    def _order(self, inner: SqlScope) -> list[Column]:
        """What the rows go by."""
        if self.by is None:
            return inner.order
        by: Column = self.by.column(inner)
        if isinstance(by.type, sa.String):
            by = by.collate("C")
        return [by.is_not(None), by, *inner.order]


def within_records(checker: Checker, node: BinaryNode, left: Expr, right: Expr, negated: bool) -> Expr:
    """`x in contacts`: is the record one of the list?"""
    from trellis.formula.nodes.chosen import place
    from trellis.formula.nodes.logic import And, IsBlank, Not
    from trellis.formula.nodes.paths import Member, Place

    assert isinstance(right, Member)
    left = place(checker.fit.to(left, record_of(*right.type.entities)))
    assert isinstance(left, Place)
    entity = right.type.entities[0]
    listed = Listed(right.of, (_list_step(right.name, entity),), entity)
    row = Root(node.start, node.start, record_of(entity), "record")
    outer = Outside(left)
    from trellis.formula.nodes.among import AmongLinks

    found = AmongLinks(node.start, node.end, listed, left, Compare(node.start, node.end, "==", row, outer))
    if not negated:
        return found
    return And(node.start, node.end, (IsBlank(node.start, node.end, left, True), Not(node.start, node.end, found)))


def _list_step(name: str, entity: str) -> Any:
    from trellis.formula.nodes.listed import Step

    return Step(name, True, (entity,))


class Outside(Expr):
    """Within an aggregate, a value of the record outside."""

    __slots__ = ("of",)

    def __init__(self, of: Expr) -> None:
        super().__init__(of.start, of.end, of.type, of, outer=False)
        self.of = of

    def python(self, unknown: bool) -> Closure:
        of = self.of.python(unknown)
        return lambda env: None if env.outer is None else of(env.outer)

    def sql(self, scope: SqlScope) -> SqlValue:
        assert isinstance(scope.this, SqlScope)
        return self.of.value(scope.this)
