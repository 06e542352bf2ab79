"""Aggregates of many rows at once: one GROUP BY for each list, in place of a subquery for each aggregate and row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

import sqlalchemy as sa
from sqlalchemy import ColumnElement, FromClause

from trellis.formula.sql import values
from trellis.formula.sql.scope import SqlScope, SqlValue

Column = ColumnElement[Any]


class NotGrouped(Exception):
    """What is aggregated reads the record that the list hangs on."""


class _Unreachable(SqlScope):
    """The outer record of grouped rows: there is none, there are many."""

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise NotGrouped

    column = field = follow = follow_ref = follow_id = ref_id = _refuse


@dataclass
class _List:
    name: str
    inner: SqlScope
    child: FromClause
    parent: Column
    where: ColumnElement[bool]
    columns: list[Column] = field(default_factory=list)


class Grouped:
    """The aggregates over the rows of a scope. `among`: which rows are wanted, of a column with their ids."""

    def __init__(self, scope: SqlScope, among: Callable[[Column], ColumnElement[bool]]) -> None:
        self._scope = scope
        self._among = among
        self._lists: dict[str, _List] = {}
        self._known: dict[tuple[int, str], Column] = {}

    def column(self, key: tuple[int, str], name: str, pick: Callable[[SqlScope], Column]) -> Column:
        """What `pick` makes of the rows of the list `name`, for the scope's row; NULL where the list is empty.

        NotGrouped when it cannot be had so.
        """
        found = self._known.get(key)
        if found is None:
            listed = self._list(name)
            picked = pick(listed.inner)
            listed.columns.append(picked)
            # by name: the table that holds it is made when every aggregate is known
            text = f"{listed.name}.v{len(listed.columns)}"
            found = self._known[key] = sa.literal_column(text, picked.type)
        return found

    def joined(self) -> FromClause:
        """The scope's FROM with a table for each list."""
        result = self._scope.joined()
        for listed in self._lists.values():
            if listed.columns:
                columns = [column.label(f"v{n}") for n, column in enumerate(listed.columns, 1)]
                rows = sa.select(listed.parent.label("parent"), *columns).select_from(listed.inner.joined(listed.child))
                table = rows.where(listed.where).group_by(listed.parent).subquery(listed.name)
                result = result.outerjoin(table, table.c.parent == self._scope.alias.c.id)
        return result

    def _list(self, name: str) -> _List:
        found = self._lists.get(name)
        if found is None:
            catalog, scope = self._scope.catalog, self._scope
            spec = catalog.children(scope.entity, name)
            if spec.links is not None:
                raise NotGrouped
            child = catalog.table(spec.entity).alias()
            nobody = _Unreachable(catalog, scope.entity, scope.alias, scope.reader)
            inner = SqlScope(catalog, spec.entity, child, scope.reader, nobody)
            inner.env, inner.is_late, inner.keeps = scope.env, scope.is_late, True
            parent = child.c[spec.column]
            where = self._among(parent)
            if spec.entity_column is not None:
                where = sa.and_(where, child.c[spec.entity_column] == scope.entity)
            if "deleted_at" in child.c:
                where = sa.and_(where, child.c.deleted_at.is_(None))
            if (within := catalog.reach(inner)) is not None:
                where = sa.and_(where, within)
            found = self._lists[name] = _List(f"grouped_{len(self._lists) + 1}", inner, child, parent, where)
        return found


def once(scope: SqlScope, name: str, make: Callable[[], SqlValue]) -> SqlValue:
    """A derived value of the scope's row, computed once for each row however often it is named."""
    found = scope.kept.get(name)
    if found is None:
        value = make()
        columns = [part for part in dict.fromkeys(values.parts(value)) if not _is_simple(part)]
        if columns:
            apart = sa.select(*(c.label(f"c{n}") for n, c in enumerate(columns))).correlate_except().lateral()
            scope.add_join(apart, sa.true())
            places = dict(zip(columns, apart.c, strict=True))
            value = values.rebuilt(value, [places.get(part, part) for part in values.parts(value)])
        found = scope.kept[name] = value
    return found


def _is_simple(part: Column) -> bool:
    """Whether a column is as well written wherever it is needed; PostgreSQL would take a lone NULL for a text."""
    return isinstance(part, (sa.Column, sa.Null, sa.BindParameter))
