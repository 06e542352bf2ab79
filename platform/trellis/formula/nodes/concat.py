"""Text joined with `&`, and templates."""

from __future__ import annotations

from functools import reduce

from trellis.formula.env import Env
from trellis.formula.nodes.base import Closure, Expr
from trellis.formula.sql.scope import SqlScope, SqlValue
from trellis.formula.types import TEXT, Value


class Concat(Expr):
    """Texts put together; every part is text already, blank is none of it."""

    __slots__ = ("items",)

    def __init__(self, start: int, end: int, items: tuple[Expr, ...]) -> None:
        super().__init__(start, end, TEXT, *items)
        self.items = items

    def python(self, unknown: bool) -> Closure:
        parts = [i.python(False) for i in self.items]

        def joined(env: Env) -> Value:
            return "".join([p(env) or "" for p in parts])

        return joined

    def sql(self, scope: SqlScope) -> SqlValue:
        return reduce(lambda a, b: a.concat(b), [i.column(scope) for i in self.items])
