"""Names: the record's fields, dotted over links, and what every formula has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from trellis.formula.env import Env, RecordLike
from trellis.formula.nodes.base import Closure, Expr
from trellis.formula.sql import values
from trellis.formula.sql.scope import SqlLink, SqlScope, SqlValue
from trellis.formula.types import JSON, Ref, Type, Value

Row = SqlScope | Ref | RecordLike | None
"""Where a path stands in SQL: a row of the FROM, or a record that is known."""
RecordClosure = Callable[[Env], RecordLike | None]


def record_in_hand(value: Value, env: Env) -> RecordLike | None:
    """The record of a link's value, or the record itself."""
    if value is None or isinstance(value, Ref):
        return None if value is None else env.graph.follow(value)
    return value if isinstance(value, RecordLike) else None


def reference(value: Value) -> Value:
    """A record in hand as a Ref; any other value as it is."""
    if isinstance(value, RecordLike) and not isinstance(value, (Mapping, Ref)):
        return None if value.id is None else Ref(value.entity, value.id)
    return value


class Place(Expr):
    """A node that stands for a record."""

    __slots__ = ()

    def record(self, unknown: bool) -> RecordClosure:
        """The record as a function of an Env."""
        value = self.python(unknown)
        return lambda env: record_in_hand(value(env), env)

    def rows(self, scope: SqlScope) -> list[Row]:
        """The rows that the record may be: one for each entity it may belong to."""
        if self.is_outer:
            known = self.outer_record(scope.env)
            return [] if known is None else [known]
        return self.joined_rows(scope)

    def outer_record(self, env: Env) -> Row:
        """The record where it is the same for every row."""
        return self.evaluated(env)  # type: ignore[no-any-return]

    def joined_rows(self, scope: SqlScope) -> list[Row]:
        """The rows by joining on a computed id."""
        value = self.value(scope)
        if isinstance(value, SqlLink):
            return [scope.follow_id(value.id, e, value.entity == e) for e in self.type.entities]
        assert isinstance(value, ColumnElement)
        return [scope.follow_id(value, e) for e in self.type.entities]


class Root(Place):
    """The record, `this`, `old` or `via`. Only `this` inside an aggregate and the record depend on the row in SQL."""

    __slots__ = ("which",)

    def __init__(self, start: int, end: int, type: Type, which: str, inside: bool = False) -> None:
        outer = which == "old" or (which == "this" and not inside)
        super().__init__(start, end, type, outer=outer, constant=False)
        self.which = which

    def record(self, unknown: bool) -> RecordClosure:
        match self.which:
            case "old":
                return lambda env: env.old
            case "this":
                return lambda env: env.this
        return lambda env: env.record

    def python(self, unknown: bool) -> Closure:
        record = self.record(unknown)
        return lambda env: reference(record(env))

    def outer_record(self, env: Env) -> Row:
        return env.old if self.which == "old" else env.this

    def joined_rows(self, scope: SqlScope) -> list[Row]:
        if self.which == "this" and isinstance(scope.this, SqlScope):
            return [scope.this]
        return [scope]

    def sql(self, scope: SqlScope) -> SqlValue:
        row = self.joined_rows(scope)[0]
        assert isinstance(row, SqlScope)
        return row.column("id")


def is_record(place: Place) -> bool:
    """Whether a place is the record itself."""
    return isinstance(place, Root) and place.which == "record"


class Known(Place):
    """`me`, `my_team`, `is_new`, a setting, a parameter or a variable of a workflow."""

    __slots__ = ("get",)

    def __init__(self, start: int, end: int, type: Type, get: Callable[[Env], Value]) -> None:
        super().__init__(start, end, type, constant=False)
        self.get = get

    def python(self, unknown: bool) -> Closure:
        get = self.get
        return lambda env: reference(get(env))

    def record(self, unknown: bool) -> RecordClosure:
        get = self.get
        return lambda env: record_in_hand(get(env), env)

    def outer_record(self, env: Env) -> Row:
        return self.get(env)  # type: ignore[no-any-return]


class Member(Place):
    """A field of a record. `having`: the entities that have it, where the link may point to several."""

    __slots__ = ("having", "name", "of")

    def __init__(self, start: int, end: int, type: Type, of: Place, name: str, having: tuple[str, ...]) -> None:
        of_record = isinstance(of, Root)
        super().__init__(start, end, type, of, outer=of_record and of.is_outer, constant=False)
        self.of = of
        self.name = name
        self.having = having

    def python(self, unknown: bool) -> Closure:
        name = f"via.{self.name}" if isinstance(self.of, Root) and self.of.which == "via" else self.name
        if self.type.kind == "text":
            return self._text(name)
        if isinstance(self.of, Root) and self.of.which == "record":
            return lambda env: env.record.get(name)  # type: ignore[union-attr]
        record = self.of.record(unknown)
        if len(self.of.type.entities) == 1:
            return lambda env: None if (r := record(env)) is None else r.get(name)
        having = frozenset(self.having)
        return lambda env: None if (r := record(env)) is None or r.entity not in having else r.get(name)

    def _text(self, name: str) -> Closure:
        # phone and email with `multiple` hold several; the plain name reads the first
        record = self.of.record(False)
        having = frozenset(self.having)

        def read(env: Env) -> Value:
            r = record(env)
            if r is None or r.entity not in having:
                return None
            value = r.get(name)
            return (value[0]["value"] if value else None) if type(value) is tuple else value

        return read

    def rows(self, scope: SqlScope) -> list[Row]:
        found: list[Row] = []
        for row in self.of.rows(scope):
            if isinstance(row, SqlScope):
                if row.entity in self.having:
                    found.extend(row.follow(self.name, e) for e in self._targets(row))
            elif isinstance(row, Ref):
                inner = scope.follow_ref(row)
                found.extend(inner.follow(self.name, e) for e in self._targets(inner))
            elif row is not None and row.entity in self.having:
                value = row.get(self.name)
                found.extend([] if value is None else [scope.follow_ref(value) if isinstance(value, Ref) else value])
        return found

    def _targets(self, row: SqlScope) -> list[str]:
        return [e for e in row.catalog.target(row.entity, self.name) if e in self.type.entities]

    def sql(self, scope: SqlScope) -> SqlValue:
        if isinstance(self.of, Root) and self.of.which == "via":
            assert scope.via is not None
            assert scope.via_of is not None
            return scope.catalog.column(*scope.via_of, scope.via, self.name)
        found: list[SqlValue] = []
        for row in self.of.rows(scope):
            if isinstance(row, SqlScope):
                if row.entity in self.having:
                    found.append(row.field(self.name))
            elif isinstance(row, Ref):
                if row.entity in self.having:
                    found.append(scope.follow_ref(row).field(self.name))
            elif row is not None and row.entity in self.having:
                found.append(values.to_sql(row.get(self.name), self.type, scope.reader))
        if not found:
            return values.to_sql(None, self.type, scope.reader)
        return values.first_given(found, self.type)


class JsonMember(Expr):
    """A key of a JSON value: `payload.customer.email`."""

    __slots__ = ("name", "of")

    def __init__(self, start: int, end: int, of: Expr, name: str) -> None:
        super().__init__(start, end, JSON, of)
        self.of = of
        self.name = name

    def python(self, unknown: bool) -> Closure:
        of, name = self.of.python(unknown), self.name

        def read(env: Env) -> Value:
            value = of(env)
            return value.get(name) if isinstance(value, Mapping) else None

        return read

    def sql(self, scope: SqlScope) -> SqlValue:
        of: Any = self.of.column(scope)
        found: ColumnElement[Any] = of.op("->", return_type=of.type)(sa.literal(self.name, sa.Text()))
        return found


def path_of(node: Expr) -> str | None:
    """The dotted path of a field of the record, as it would be written; None for anything else."""
    names: list[str] = []
    while isinstance(node, Member):
        names.append(node.name)
        node = node.of
    return ".".join(reversed(names)) if names and isinstance(node, Root) and node.which == "record" else None
