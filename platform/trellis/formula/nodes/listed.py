"""The records of a list: which list, from where, in Python and in SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, FromClause

from trellis.formula.env import Env, RecordLike
from trellis.formula.nodes.paths import Place, record_in_hand, reference
from trellis.formula.sql import values as sqlv
from trellis.formula.sql.scope import SqlLink, SqlScope
from trellis.formula.types import Ref


@dataclass(frozen=True, slots=True)
class Step:
    """A step from records to records: over a list, or over a link to one of `entities`."""

    name: str
    is_list: bool
    entities: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """The records that `steps` lead to from the record at `base`; the last step is a list. Each record counts once."""

    base: Place
    steps: tuple[Step, ...]
    entity: str  # of the listed records

    def python(self) -> Callable[[Env], Iterable[RecordLike]]:
        """The records as a function of an Env."""
        base, steps = self.base.record(False), self.steps
        if len(steps) == 1:
            name = steps[0].name
            return lambda env: () if (r := base(env)) is None else env.graph.children(r, name)

        def walk(env: Env) -> Iterable[RecordLike]:
            start = base(env)
            records: list[RecordLike] = [] if start is None else [start]
            for step in steps:
                found = _stepped(records, step, env)
                records = list({(r.entity, r.id if r.id is not None else id(r)): r for r in found}.values())
            return records

        return walk

    def select(self, scope: SqlScope) -> tuple[SqlScope, FromClause, ColumnElement[bool]]:
        """The listed rows for a correlated subquery: their scope, what they come from, and which they are."""
        *before, last = self.steps
        parents: list[tuple[str, Any]] = []
        for row in self.base.rows(scope):
            for entity, id_ in _ids(row, scope):
                parents.append((entity, id_))
        for step in before:
            parents = [next_ for entity, ids in parents for next_ in _sql_step(scope, entity, ids, step)]
        return _children(scope, parents, last.name, self.entity)


@dataclass(frozen=True, slots=True, eq=False)
class Held(Listed):
    """The records that a variable holds (`base`), such as what a step has found, and those that `steps` lead to."""

    def python(self) -> Callable[[Env], Iterable[RecordLike]]:
        """The records as a function of an Env."""
        value, steps = self.base.python(False), self.steps

        def walk(env: Env) -> Iterable[RecordLike]:
            records = [found for each in _several(value(env)) if (found := record_in_hand(each, env)) is not None]
            for step in steps:
                records = _stepped(records, step, env)
            return list({(r.entity, r.id if r.id is not None else id(r)): r for r in records}.values())

        return walk

    def select(self, scope: SqlScope) -> tuple[SqlScope, FromClause, ColumnElement[bool]]:
        """The rows for a subquery: those of the records in hand, or what leads on from them."""
        held = [r for each in _several(self.base.evaluated(scope.env)) if isinstance(r := reference(each), Ref)]
        if not self.steps:
            child = scope.catalog.table(self.entity).alias()
            inner = scope.inside(self.entity, child)
            where = sa.and_(child.c.id.in_([scope.ref_id(ref) for ref in held]), child.c.deleted_at.is_(None))
            within = scope.catalog.reach(inner)
            return inner, child, where if within is None else sa.and_(where, within)
        *before, last = self.steps
        parents: list[tuple[str, Any]] = [(ref.entity, scope.ref_id(ref)) for ref in held]
        for step in before:
            parents = [next_ for entity, ids in parents for next_ in _sql_step(scope, entity, ids, step)]
        return _children(scope, parents, last.name, self.entity)


def _several(value: Any) -> Iterable[Any]:
    return value if isinstance(value, (list, tuple)) else [value]


def _stepped(records: Iterable[RecordLike], step: Step, env: Env) -> list[RecordLike]:
    if step.is_list:
        return [c for r in records for c in env.graph.children(r, step.name)]
    links = (r.get(step.name) for r in records)
    return [f for v in links if (f := record_in_hand(v, env)) is not None and f.entity in step.entities]


def _ids(row: Any, scope: SqlScope) -> list[tuple[str, Any]]:
    if isinstance(row, SqlScope):
        return [(row.entity, row.column("id"))]
    if isinstance(row, Ref):
        return [(row.entity, scope.ref_id(row))]
    return [] if row is None or row.id is None else [(row.entity, sa.literal(row.id, sa.Uuid()))]


def _sql_step(scope: SqlScope, entity: str, ids: Any, step: Step) -> list[tuple[str, Any]]:
    """The ids of the next records, as subqueries."""
    if step.is_list:
        target = step.entities[0]
        inner, source, where = _children(scope, [(entity, ids)], step.name, target)
        return [(target, _subquery(inner, source, where, inner.column("id"), scope))]
    row = scope.inside(entity, scope.catalog.table(entity).alias())
    link = row.field(step.name)
    found: list[tuple[str, Any]] = []
    for target in step.entities:
        where = _is_in(row.column("id"), ids)
        if isinstance(link, SqlLink):
            where = sa.and_(where, link.entity == target)
        found.append((target, _subquery(row, row.alias, where, sqlv.key(link), scope)))
    return found


def _subquery(
    inner: SqlScope, source: FromClause, where: ColumnElement[bool], column: ColumnElement[Any], outer: SqlScope
) -> Any:
    return correlated(inner, sa.select(column).where(where), source)


def correlated(inner: SqlScope, select: sa.Select[Any], source: FromClause) -> sa.Select[Any]:
    """A select over the listed rows with the joins that were asked for; everything else is the outer query's."""
    joined = inner.joined(source)
    return select.select_from(joined).correlate_except(*_tables(joined))


def _tables(source: FromClause) -> list[FromClause]:
    if isinstance(source, sa.Join):
        return [source, *_tables(source.left), *_tables(source.right)]
    return [source]


def _is_in(column: ColumnElement[Any], ids: Any) -> ColumnElement[bool]:
    return column.in_(ids) if isinstance(ids, sa.Select) else column == ids


def _children(
    scope: SqlScope, parents: list[tuple[str, Any]], name: str, entity: str
) -> tuple[SqlScope, FromClause, ColumnElement[bool]]:
    table = scope.catalog.table(entity)
    child = table.alias()
    inner = scope.inside(entity, child)
    source: FromClause = child
    tests: list[ColumnElement[bool]] = []
    for parent, ids in parents:
        spec = scope.catalog.children(parent, name)
        if spec.links is not None:
            if inner.via is None:
                inner.via = spec.links.alias()
                inner.via_of = (parent, name)
                source = inner.via.join(child, child.c.id == inner.via.c[spec.far])
            tests.append(_is_in(inner.via.c[spec.near], ids))
            inner.order = [inner.via.c[c] for c in spec.order]
        else:
            test = _is_in(child.c[spec.column], ids)
            if spec.entity_column is not None:
                test = sa.and_(test, child.c[spec.entity_column] == parent)
            tests.append(test)
            inner.order = [child.c[c] for c in spec.order]
    where = sa.or_(*tests) if tests else sa.false()
    if "deleted_at" in child.c:
        where = sa.and_(where, child.c.deleted_at.is_(None))
    within = scope.catalog.reach(inner)
    return inner, source, where if within is None else sa.and_(where, within)
