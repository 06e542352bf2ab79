"""`and`, `or`, `not`, and choosing: blank counts as false, except in a check, where it stays unknown."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from trellis.formula.env import Env
from trellis.formula.nodes.base import Closure, Expr
from trellis.formula.nodes.paths import Known, Place
from trellis.formula.sql import values as sqlv
from trellis.formula.sql.scope import SqlScope, SqlValue
from trellis.formula.types import BOOLEAN, Type, Value


def _given(item: Expr, unknown: bool) -> Closure:
    """An operand: in a check a comparison may be unknown; a blank yes-or-no field counts as false there too."""
    part = item.python(unknown)
    return (lambda env: part(env) is True) if unknown and isinstance(item, Place | Known) else part


class And(Expr):
    """All of the conditions."""

    __slots__ = ("items",)

    def __init__(self, start: int, end: int, items: tuple[Expr, ...]) -> None:
        super().__init__(start, end, BOOLEAN, *items)
        self.items = items

    def python(self, unknown: bool) -> Closure:
        parts = [_given(i, unknown) for i in self.items]
        if unknown:

            def kleene(env: Env) -> Value:
                result: bool | None = True
                for part in parts:
                    value = part(env)
                    if value is False:
                        return False
                    if value is None:
                        result = None
                return result

            return kleene
        if len(parts) == 2:
            first, second = parts
            return lambda env: bool(first(env) and second(env))
        return lambda env: all(p(env) for p in parts)

    def truth(self, scope: SqlScope) -> ColumnElement[bool]:
        return sa.and_(*(i.truth(scope) for i in self.items))

    def sql(self, scope: SqlScope) -> SqlValue:
        return sa.func.coalesce(self.truth(scope), sa.false())


class Or(Expr):
    """One of the conditions at least."""

    __slots__ = ("items",)

    def __init__(self, start: int, end: int, items: tuple[Expr, ...]) -> None:
        super().__init__(start, end, BOOLEAN, *items)
        self.items = items

    def python(self, unknown: bool) -> Closure:
        parts = [_given(i, unknown) for i in self.items]
        if unknown:

            def kleene(env: Env) -> Value:
                result: bool | None = False
                for part in parts:
                    value = part(env)
                    if value is True:
                        return True
                    if value is None:
                        result = None
                return result

            return kleene
        return lambda env: any(p(env) for p in parts)

    def truth(self, scope: SqlScope) -> ColumnElement[bool]:
        return sa.or_(*(i.truth(scope) for i in self.items))

    def sql(self, scope: SqlScope) -> SqlValue:
        return sa.func.coalesce(self.truth(scope), sa.false())


class Not(Expr):
    """The opposite of a condition."""

    __slots__ = ("of",)

    def __init__(self, start: int, end: int, of: Expr) -> None:
        super().__init__(start, end, BOOLEAN, of)
        self.of = of

    def python(self, unknown: bool) -> Closure:
        of = _given(self.of, unknown)
        if unknown:
            return lambda env: None if (v := of(env)) is None else not v
        return lambda env: not of(env)

    def truth(self, scope: SqlScope) -> ColumnElement[bool]:
        return sa.not_(sa.func.coalesce(self.of.truth(scope), sa.false()))

    def sql(self, scope: SqlScope) -> SqlValue:
        return self.truth(scope)


class Choose(Expr):
    """`if` and `case`: the value after the first condition that is true, else the last."""

    __slots__ = ("conditions", "otherwise", "results")

    def __init__(
        self, start: int, end: int, type: Type, conditions: tuple[Expr, ...], results: tuple[Expr, ...], otherwise: Expr
    ) -> None:
        super().__init__(start, end, type, *conditions, *results, otherwise)
        self.conditions = conditions
        self.results = results
        self.otherwise = otherwise
        if type.kind in ("money", "location"):
            self.weight += 2 * sum(c.weight for c in conditions)

    def python(self, unknown: bool) -> Closure:
        # the conditions of an `if` decide as everywhere: unknown is not true
        branches = [(c.python(False), r.python(unknown)) for c, r in zip(self.conditions, self.results, strict=True)]
        otherwise = self.otherwise.python(unknown)
        if len(branches) == 1:
            condition, result = branches[0]
            return lambda env: result(env) if condition(env) else otherwise(env)

        def choose(env: Env) -> Value:
            for condition, result in branches:
                if condition(env):
                    return result(env)
            return otherwise(env)

        return choose

    def sql(self, scope: SqlScope) -> SqlValue:
        conditions = [c.truth(scope) for c in self.conditions]
        results = [r.value(scope) for r in (*self.results, self.otherwise)]
        return sqlv.combined(
            results, lambda *columns: sa.case(*zip(conditions, columns, strict=False), else_=columns[-1])
        )


class Coalesce(Expr):
    """The first value that is not blank."""

    __slots__ = ("items",)

    def __init__(self, start: int, end: int, type: Type, items: tuple[Expr, ...]) -> None:
        super().__init__(start, end, type, *items)
        self.items = items
        if type.kind in ("money", "location", "list"):
            self.weight *= 3

    def python(self, unknown: bool) -> Closure:
        parts = [i.python(unknown) for i in self.items]

        def first(env: Env) -> Value:
            for part in parts:
                value = part(env)
                if value is not None and value != "" and value != ():
                    return value
            return None

        return first

    def sql(self, scope: SqlScope) -> SqlValue:
        found = sqlv.first_given([i.value(scope) for i in self.items], self.type)
        if self.type.kind == "text" and isinstance(found, ColumnElement):
            return sa.func.nullif(found, "") if len(self.items) == 1 else found
        return found


class IsBlank(Expr):
    """`is_blank(x)`, `x == blank`, and with `negated` `x != blank`."""

    __slots__ = ("negated", "of")

    def __init__(self, start: int, end: int, of: Expr, negated: bool = False) -> None:
        super().__init__(start, end, BOOLEAN, of)
        self.of = of
        self.negated = negated

    def python(self, unknown: bool) -> Closure:
        of, wanted = self.of.python(False), not self.negated
        return lambda env: ((v := of(env)) is None or v == "" or v == ()) is wanted

    def sql(self, scope: SqlScope) -> SqlValue:
        if self.of.type.kind == "blank":
            return sa.false() if self.negated else sa.true()
        blank = sqlv.is_blank(self.of.value(scope), self.of.type)
        return sa.not_(blank) if self.negated else blank
