"""A function, or an arithmetic operator, with its arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from trellis.formula.nodes.base import Closure, Expr, Literal
from trellis.formula.sql.scope import SqlScope, SqlValue
from trellis.formula.types import Type, Value


@dataclass(frozen=True, slots=True, eq=False)
class Param:
    """A parameter: a kind of value, or `literal` names a set of texts of which one must be written there."""

    kind: str
    optional: bool = False
    many: bool = False
    literal: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Overload:
    """One signature with both implementations.

    `python` takes the values (an Env before them with `env`), `sql` the scope and the SQL values. Where an argument is
    blank the result is blank and neither is asked, unless `blanks` says that they look at blanks themselves. A literal
    parameter is given to both as its text.
    """

    params: tuple[Param, ...]
    result: Type
    python: Callable[..., Value]
    sql: Callable[..., SqlValue]
    env: bool = False
    blanks: bool = False
    uses: tuple[str, ...] = ()
    outer: bool = True
    times: int = 1

    def accepts(self, count: int) -> bool:
        """May it be called with so many arguments?"""
        least = sum(1 for p in self.params if not p.optional)
        return least <= count and (count <= len(self.params) or bool(self.params and self.params[-1].many))

    def param(self, index: int) -> Param:
        """The parameter of an argument."""
        return self.params[min(index, len(self.params) - 1)]


class Call(Expr):
    """A call of one overload."""

    __slots__ = ("args", "overload")

    def __init__(
        self, start: int, end: int, overload: Overload, args: Sequence[Expr], type: Type | None = None
    ) -> None:
        constant = not overload.uses and not overload.env
        super().__init__(start, end, type or overload.result, *args, outer=overload.outer, constant=constant)
        self.overload = overload
        self.args = tuple(args)
        self.weight *= overload.times

    def _is_literal(self, index: int) -> bool:
        return bool(self.overload.param(index).literal)

    def python(self, unknown: bool) -> Closure:
        parts = [a.python(False) for a in self.args]
        f = self.overload.python
        if self.overload.blanks:
            if self.overload.env:
                return lambda env: f(env, *[p(env) for p in parts])
            return lambda env: f(*[p(env) for p in parts])
        if self.overload.env:
            return _spreading_env(f, parts)
        match parts:
            case [one]:
                return lambda env: None if (a := one(env)) is None else f(a)
            case [one, two]:
                return lambda env: None if (a := one(env)) is None or (b := two(env)) is None else f(a, b)
        return _spreading(f, parts)

    def sql(self, scope: SqlScope) -> SqlValue:
        values: list[Any] = [
            a.constant if self._is_literal(i) and isinstance(a, Literal) else a.value(scope)
            for i, a in enumerate(self.args)
        ]
        return self.overload.sql(scope, *values)


def _spreading(f: Callable[..., Value], parts: list[Closure]) -> Closure:
    def call(env: Any) -> Value:
        values = [p(env) for p in parts]
        return None if any(v is None for v in values) else f(*values)

    return call


def _spreading_env(f: Callable[..., Value], parts: list[Closure]) -> Closure:
    def call(env: Any) -> Value:
        values = []
        for part in parts:
            value = part(env)
            if value is None:
                return None
            values.append(value)
        return f(env, *values)

    return call
