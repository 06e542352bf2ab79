"""Comparisons: with blank they are false, and in a check unknown."""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from trellis.formula import moments, money
from trellis.formula.env import Env
from trellis.formula.nodes.base import Closure, Expr
from trellis.formula.sql import values as sqlv
from trellis.formula.sql.parameters import parameter
from trellis.formula.sql.scope import SqlLink, SqlLocation, SqlMoney, SqlScope, SqlValue
from trellis.formula.types import BOOLEAN, Type, Value

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def sql_compare(op: str, left: SqlValue, right: SqlValue, left_type: Type, right_type: Type) -> ColumnElement[bool]:
    """left op right; NULL where one is blank."""
    compare = OPERATORS[op]
    if isinstance(left, SqlMoney) and isinstance(right, SqlMoney):
        same = left.currency == right.currency
        return sa.case((same, compare(left.amount, right.amount)), else_=compare(left.base, right.base))
    if isinstance(left, SqlMoney):
        return compare(left.amount, right)  # type: ignore[no-any-return]
    if isinstance(right, SqlMoney):
        return compare(left, right.amount)  # type: ignore[no-any-return]
    if isinstance(left, SqlLink) or isinstance(right, SqlLink):
        return _links(op, left, right, left_type, right_type)
    if isinstance(left, SqlLocation) and isinstance(right, SqlLocation):
        same = sa.and_(left.latitude == right.latitude, left.longitude == right.longitude)
        return same if op == "==" else sa.not_(same)
    a, b = sqlv.key(left), sqlv.key(right)
    if left_type.kind == "text" and op not in ("==", "!="):
        # by code point in every database, as Python does
        return compare(a.collate("C"), b.collate("C"))  # type: ignore[no-any-return]
    if isinstance(a.type, sa.Integer):
        b = _whole(b)
    elif isinstance(b.type, sa.Integer):
        a = _whole(a)
    return compare(a, b)  # type: ignore[no-any-return]


def _whole(value: ColumnElement[Any]) -> ColumnElement[Any]:
    # a whole number compared with a whole-number column is bound as one, so that the column's index serves
    known = value.value if isinstance(value, sa.BindParameter) else None
    if known is not None and abs(known) < 2**63 and known == int(known):
        return sa.literal(int(known), sa.BigInteger())
    return value


def _links(op: str, left: SqlValue, right: SqlValue, left_type: Type, right_type: Type) -> ColumnElement[bool]:
    def two(value: SqlValue, type_: Type) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
        if isinstance(value, SqlLink):
            return value.id, value.entity
        return sqlv.key(value), sa.literal(type_.entities[0], sa.Text())

    (id_a, entity_a), (id_b, entity_b) = two(left, left_type), two(right, right_type)
    if op == "==":
        return sa.and_(id_a == id_b, entity_a == entity_b)
    return sa.or_(id_a != id_b, entity_a != entity_b)


class Compare(Expr):
    """`left op right`, both of one type, or money and a number."""

    __slots__ = ("left", "op", "right")

    def __init__(self, start: int, end: int, op: str, left: Expr, right: Expr) -> None:
        super().__init__(start, end, BOOLEAN, left, right)
        self.op = op
        self.left = left
        self.right = right
        if "money" in (left.type.kind, right.type.kind):
            self.weight += 2 * (left.weight + right.weight)

    def python(self, unknown: bool) -> Closure:
        left, right = self.left.python(False), self.right.python(False)
        compare, missing = OPERATORS[self.op], None if unknown else False
        kinds = (self.left.type.kind, self.right.type.kind)
        if kinds == ("money", "money"):

            def moneys(env: Env) -> Value:
                a, b = left(env), right(env)
                pair = None if a is None or b is None else money.comparable(a, b, env.reader)
                return missing if pair is None else compare(*pair)

            return moneys
        if kinds == ("money", "number"):
            return self._of(lambda env: None if (m := left(env)) is None else m.amount, right, missing)
        if kinds == ("number", "money"):
            return self._of(left, lambda env: None if (m := right(env)) is None else m.amount, missing)
        return self._of(left, right, missing)

    def _of(self, left: Closure, right: Closure, missing: bool | None) -> Closure:
        compare = OPERATORS[self.op]

        def compared(env: Env) -> Value:
            a = left(env)
            if a is None:
                return missing
            b = right(env)
            return missing if b is None else compare(a, b)

        return compared

    def truth(self, scope: SqlScope) -> ColumnElement[bool]:
        return sql_compare(self.op, self.left.value(scope), self.right.value(scope), self.left.type, self.right.type)

    def sql(self, scope: SqlScope) -> SqlValue:
        return sa.func.coalesce(self.truth(scope), sa.false())


class DayCompare(Expr):
    """A moment compared with a date that is the same for every row: as a range of moments, so that an index serves."""

    __slots__ = ("day", "moment", "op", "plain")

    def __init__(self, op: str, moment: Expr, day: Expr, plain: Compare) -> None:
        super().__init__(plain.start, plain.end, BOOLEAN, moment, day, constant=False)
        self.op = op
        self.moment = moment
        self.day = day
        self.plain = plain

    def python(self, unknown: bool) -> Closure:
        return self.plain.python(unknown)

    def truth(self, scope: SqlScope) -> ColumnElement[bool]:
        if (self.day.is_constant or not scope.is_late) and self._edge(scope.env, 1) is None:
            return self.plain.truth(scope)
        type_ = sa.DateTime(timezone=True)
        begin = parameter(scope, lambda env: self._edge(env, 0), type_)
        end = parameter(scope, lambda env: self._edge(env, 1), type_)
        moment = self.moment.column(scope)
        match self.op:
            case "==":
                return sa.and_(moment >= begin, moment < end)
            case "!=":
                return sa.or_(moment < begin, moment >= end)
            case "<":
                return moment < begin
            case "<=":
                return moment < end
            case ">":
                return moment >= end
        return moment >= begin

    def _edge(self, env: Env, days: int) -> Value:
        """When the day begins on the reader's clock, or the one that many days later."""
        day = self.day.evaluated(env)
        day = None if day is None else moments.add_days(day, days)
        if day is None:
            return None
        return moments.at_zone(datetime(day.year, day.month, day.day), env.reader.time_zone)

    def sql(self, scope: SqlScope) -> SqlValue:
        return sa.func.coalesce(self.truth(scope), sa.false())


class Within(Expr):
    """`x in list`: a list in parentheses, a field of several values, or a list of records."""

    __slots__ = ("items", "left", "negated")

    def __init__(self, start: int, end: int, left: Expr, items: tuple[Expr, ...], negated: bool) -> None:
        super().__init__(start, end, BOOLEAN, left, *items)
        self.left = left
        self.items = items
        self.negated = negated

    def python(self, unknown: bool) -> Closure:
        missing = None if unknown else False
        left, negated = self.left.python(False), self.negated
        if all(i.is_constant for i in self.items) and self.left.type.kind != "money":
            return self._constant(left, missing)
        parts = [Compare(self.start, self.end, "==", self.left, i).python(True) for i in self.items]

        def among(env: Env) -> Value:
            if left(env) is None:
                return missing
            return any(p(env) for p in parts) is not negated

        return among

    def _constant(self, left: Closure, missing: bool | None) -> Closure:
        closures = [i.python(False) for i in self.items]
        negated = self.negated
        known: list[frozenset[Value]] = []

        def among(env: Env) -> Value:
            if not known:
                known.append(frozenset(v for c in closures if (v := c(env)) is not None))
            value = left(env)
            return missing if value is None else (value in known[0]) is not negated

        return among

    def truth(self, scope: SqlScope) -> ColumnElement[bool]:
        left = self.left.value(scope)
        bound_at_once = all(i.is_constant if scope.is_late else i.is_outer for i in self.items)
        if self.left.type.kind == "text" and bound_at_once:
            values = [v for i in self.items if (v := i.evaluated(scope.env)) is not None]
            column = sqlv.key(left)
            return column.not_in(values) if self.negated else column.in_(values)
        tests = [sql_compare("==", left, i.value(scope), self.left.type, i.type) for i in self.items]
        if not self.negated:
            return sa.or_(sa.false(), *tests)
        given = sqlv.key(left).is_not(None)
        return sa.and_(given, sa.not_(sa.func.coalesce(sa.or_(sa.false(), *tests), sa.false())))

    def sql(self, scope: SqlScope) -> SqlValue:
        return sa.func.coalesce(self.truth(scope), sa.false())


class WithinList(Expr):
    """`x in field` for choices, tags and lists of texts."""

    __slots__ = ("left", "many", "negated")

    def __init__(self, start: int, end: int, left: Expr, many: Expr, negated: bool) -> None:
        super().__init__(start, end, BOOLEAN, left, many)
        self.left = left
        self.many = many
        self.negated = negated

    def python(self, unknown: bool) -> Closure:
        left, many, negated = self.left.python(False), self.many.python(False), self.negated
        missing = None if unknown else False

        def within(env: Env) -> Value:
            value = left(env)
            return missing if value is None else (value in (many(env) or ())) is not negated

        return within

    def truth(self, scope: SqlScope) -> ColumnElement[bool]:
        from sqlalchemy.dialects import postgresql as pg

        left = self.left.column(scope)
        many: Any = self.many.column(scope)
        if self.left.is_outer and not self.negated:
            # `@>` serves from a GIN index
            found: ColumnElement[bool] = many.op("@>", return_type=sa.Boolean())(
                sa.cast(pg.array([left]), sqlv.column_type(self.many.type))
            )
            return found
        among = sa.func.array_position(many, left).is_not(None)
        return sa.and_(left.is_not(None), sa.not_(among)) if self.negated else among

    def sql(self, scope: SqlScope) -> SqlValue:
        return sa.func.coalesce(self.truth(scope), sa.false())
