"""Whether a record is in the part of a tree that hangs on another."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from trellis.formula.env import Env
from trellis.formula.nodes.base import Closure, Expr
from trellis.formula.sql import values as sqlv
from trellis.formula.sql.parameters import parameter
from trellis.formula.sql.scope import SqlScope, SqlValue
from trellis.formula.types import BOOLEAN, Ref, Value


def _id_of(value: Value) -> UUID | None:
    """The id of the top: a record, or its id as text; None for what is none."""
    if isinstance(value, Ref):
        return value.id
    try:
        return UUID(str(value)) if value is not None else None
    except ValueError:
        return None


class InTree(Expr):
    """in_tree(link, top): the linked record is the top or below it. The top is the same for every row."""

    __slots__ = ("entity", "of", "parent", "top")

    def __init__(self, start: int, end: int, of: Expr, top: Expr, parent: str) -> None:
        super().__init__(start, end, BOOLEAN, of, top, constant=False)
        self.of = of
        self.top = top
        self.entity = of.type.entities[0]
        self.parent = parent

    def python(self, unknown: bool) -> Closure:
        of, top, parent = self.of.python(False), self.top.python(False), self.parent

        def below(env: Env) -> Value:
            at, end = of(env), _id_of(top(env))
            seen: set[UUID] = set()
            while isinstance(at, Ref) and end is not None and at.id not in seen:
                if at.id == end:
                    return True
                seen.add(at.id)
                record = env.graph.follow(at)
                at = None if record is None else record.get(parent)
            return False

        return below

    def sql(self, scope: SqlScope) -> SqlValue:
        return self.truth(scope)

    def truth(self, scope: SqlScope) -> ColumnElement[bool]:
        top = sa.cast(parameter(scope, lambda env: _id_of(self.top.evaluated(env)), sa.Uuid()), sa.Uuid())
        first = sa.select(top.label("id")).cte(recursive=True, nesting=True)
        child = scope.catalog.table(self.entity).alias()
        inner = scope.inside(self.entity, child)
        parent = sqlv.key(inner.field(self.parent))
        below = inner.joined(child).join(first, parent == first.c.id)
        down = first.union(sa.select(child.c.id).select_from(below))
        found: ColumnElement[bool] = sqlv.key(self.of.value(scope)).in_(sa.select(down.c.id))
        return sa.func.coalesce(found, sa.false())
