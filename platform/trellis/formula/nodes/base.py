"""What every node is, and literals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy import ColumnElement
from sqlalchemy.dialects import postgresql

from trellis.formula.sql.late import late_value
from trellis.formula.sql.values import to_sql
from trellis.formula.types import BOOLEAN, Type, Value

if TYPE_CHECKING:
    from trellis.formula.env import Env
    from trellis.formula.sql.scope import SqlScope, SqlValue

Closure: TypeAlias = "Callable[[Env], Value]"


class Expr:
    """A part of a checked formula.

    `is_outer`: the same for every row, so that SQL gets it as a bind parameter. `is_constant`: the same always.
    `weight`: how many parts its SQL has at most.
    """

    __slots__ = ("_outer_closure", "end", "is_constant", "is_outer", "start", "type", "weight")

    start: int
    end: int
    type: Type
    is_outer: bool
    is_constant: bool
    weight: int

    def __init__(
        self, start: int, end: int, type: Type, *parts: Expr, outer: bool = True, constant: bool = True
    ) -> None:
        self.start = start
        self.end = end
        self.type = type
        self.is_outer = outer and all(p.is_outer for p in parts)
        self.is_constant = constant and all(p.is_constant for p in parts)
        self.weight = 1 + sum(p.weight for p in parts)
        self._outer_closure: Closure | None = None

    def python(self, unknown: bool) -> Closure:
        """The value as a function of an Env. `unknown`: comparisons with blank give blank, not false."""
        raise NotImplementedError

    def sql(self, scope: SqlScope) -> SqlValue:
        """The value over the row of `scope`, for a node that depends on the row."""
        raise NotImplementedError

    def evaluated(self, env: Env) -> Value:
        """The value in Python, with the closure kept."""
        if self._outer_closure is None:
            self._outer_closure = self.python(False)
        return self._outer_closure(env)

    def value(self, scope: SqlScope) -> SqlValue:
        """The value over the row of `scope`; what does not depend on the row is bound as a parameter."""
        if self.is_outer:
            if scope.is_late and not self.is_constant:
                late = late_value(self, scope)
                if late is not None:
                    return late
                scope.catalog.is_personal = True
            return to_sql(self.evaluated(scope.env), self.type, scope.reader)
        return self.sql(scope)

    def column(self, scope: SqlScope) -> ColumnElement[Any]:
        """The value where it is one column."""
        value = self.value(scope)
        if not isinstance(value, ColumnElement):
            raise TypeError(f"a {self.type} is not one column")
        return value

    def truth(self, scope: SqlScope) -> ColumnElement[bool]:
        """A condition that is true where the value is true; blank and false are not told apart."""
        return self.column(scope)

    def walk(self) -> Iterator[Expr]:
        """This node alone; nodes with parts give them too where somebody needs to look inside."""
        yield self


class Literal(Expr):
    """A value that is known."""

    __slots__ = ("constant",)

    def __init__(self, start: int, end: int, type: Type, value: Value) -> None:
        super().__init__(start, end, type)
        self.constant = value

    def python(self, unknown: bool) -> Closure:
        value = self.constant
        return lambda env: value

    def truth(self, scope: SqlScope) -> ColumnElement[bool]:
        return sa.true() if self.constant else sa.false()


class ListOf(Expr):
    """Values in parentheses, all of one type."""

    __slots__ = ("items",)

    def __init__(self, start: int, end: int, type: Type, items: tuple[Expr, ...]) -> None:
        super().__init__(start, end, type, *items)
        self.items = items

    def python(self, unknown: bool) -> Closure:
        parts = [i.python(unknown) for i in self.items]
        return lambda env: tuple(v for p in parts if (v := p(env)) is not None)

    def sql(self, scope: SqlScope) -> SqlValue:
        return sa.cast(postgresql.array([i.column(scope) for i in self.items]), postgresql.ARRAY(sa.Text()))


def is_true(node: Expr, unknown: bool) -> Closure:
    """The closure of a condition."""
    assert node.type == BOOLEAN or node.type.kind == "blank"
    return node.python(unknown)
