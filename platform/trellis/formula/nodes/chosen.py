"""A chosen record: `if`, `case`, `coalesce`, first and last may give a record, whose fields follow a dot."""

from __future__ import annotations

from trellis.formula.nodes.base import Closure, Expr
from trellis.formula.nodes.paths import Place
from trellis.formula.sql.scope import SqlScope, SqlValue


class Chosen(Place):
    """A node of type record that is no path itself."""

    __slots__ = ("of",)

    def __init__(self, of: Expr) -> None:
        super().__init__(of.start, of.end, of.type, of)
        self.of = of

    def python(self, unknown: bool) -> Closure:
        return self.of.python(unknown)

    def sql(self, scope: SqlScope) -> SqlValue:
        return self.of.value(scope)


def place(of: Expr) -> Expr:
    """A node as a place when it is a record; others as they are."""
    return Chosen(of) if of.type.kind == "record" and not isinstance(of, Place) else of
