"""Records that steps look for: by a condition that may name what the workflow knows, or from a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from trellis.formula.env import Env, Graph, RecordLike
from trellis.formula.formula import Formula
from trellis.formula.sql.scope import SqlScope
from trellis.formula.types import Ref, Value
from trellis.model.automation.steps import Find, ListOf
from trellis.model.view import Sort
from trellis.records.reading import query
from trellis.records.reading.pointing import IN_THE_OPEN

if TYPE_CHECKING:
    from trellis.records.session import Session

MOST = 10_000


class Bound(Formula):
    """A condition over the rows of a list whose names may also be those of a workflow in hand."""

    def __init__(self, formula: Formula, env: Env) -> None:
        super().__init__(formula.source, formula.node, formula.type, formula.reads, formula.uses | IN_THE_OPEN)
        object.__setattr__(self, "_env", env)

    def predicate(self, scope: SqlScope) -> sa.ColumnElement[bool]:
        """The condition over the row of `scope`, asked apart where it needs joins of its own."""
        env: Env = self._env  # type: ignore[attr-defined]
        inner = self._scope(scope, scope.alias, env)
        predicate: sa.ColumnElement[bool] = self.node.truth(inner)
        if inner.joined() is scope.alias:
            return predicate
        table = scope.catalog.table(scope.entity).alias()
        inner = self._scope(scope, table, env)
        predicate = self.node.truth(inner)
        rows = sa.select(sa.literal(1)).select_from(inner.joined()).where(table.c.id == scope.alias.c.id, predicate)
        return sa.exists(rows)

    @staticmethod
    def _scope(scope: SqlScope, alias: Any, env: Env) -> SqlScope:
        graph: Graph = env.graph
        return SqlScope(scope.catalog, scope.entity, alias, env.reader, env.record, env.variables, graph=graph)


def find(session: Session, step: Find, env: Env) -> Value:
    """The first record that fits, or all of them (`many`), as far as this session may see them; None for none."""
    where = [Bound(step.where, env)] if step.where is not None else []
    sort = tuple(Sort(path.removeprefix("-"), path.startswith("-")) for path in step.sort)
    limit = min(step.limit or MOST, MOST) if step.many else 1
    found: list[Ref] = []
    cursor = None
    while len(found) < limit:
        count = min(limit - len(found), query.MOST_ROWS)
        page = query.list_page(
            session, step.entity, columns=(), where=where, q=None, sort=sort, limit=count, cursor=cursor, deleted=False
        )
        found += [row.ref for row in page.rows]
        if (cursor := page.next) is None:
            break
    return tuple(found) if step.many else next(iter(found), None)


def members(session: Session, listed: ListOf, env: Env) -> Sequence[RecordLike]:
    """The records of a list: of the record in hand, of another one, or what a step found."""
    if listed.found is not None:
        value = listed.found.evaluate(env)
        refs = value if isinstance(value, (list, tuple)) else [value]
        return [record for ref in refs if (record := in_hand(ref, env)) is not None]
    record = in_hand(listed.record.evaluate(env), env) if listed.record is not None else env.record
    return env.graph.children(record, listed.list) if record is not None else ()


def in_hand(value: Value, env: Env) -> RecordLike | None:
    """The record that a value is, or points to."""
    if isinstance(value, Ref):
        return env.graph.follow(value)
    return value if isinstance(value, RecordLike) else None
