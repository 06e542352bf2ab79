"""Links as values: a link among links to other entities, the entity of a record, its id."""

from __future__ import annotations

import sqlalchemy as sa

from trellis.formula.env import Env, RecordLike
from trellis.formula.nodes.base import Closure, Expr
from trellis.formula.nodes.paths import Place, RecordClosure, Row
from trellis.formula.sql import values as sqlv
from trellis.formula.sql.scope import SqlLink, SqlScope, SqlValue
from trellis.formula.types import TEXT, Type, record_of


def with_entity(value: SqlValue, type_: Type) -> SqlLink:
    """A link with the key of its entity beside it."""
    if isinstance(value, SqlLink):
        return value
    id_ = sqlv.key(value)
    return SqlLink(id_, sa.case((id_.is_not(None), sa.literal(type_.entities[0], sa.Text()))))


class Widened(Place):
    """A link where links to other entities are too."""

    __slots__ = ("of",)

    def __init__(self, of: Expr, type: Type) -> None:
        super().__init__(of.start, of.end, type, of)
        self.of = of

    def python(self, unknown: bool) -> Closure:
        return self.of.python(unknown)

    def sql(self, scope: SqlScope) -> SqlValue:
        return with_entity(self.of.value(scope), self.of.type)

    def joined_rows(self, scope: SqlScope) -> list[Row]:
        return self.of.rows(scope) if isinstance(self.of, Place) else super().joined_rows(scope)


class Narrowed(Place):
    """`about.account`: the record if it is of the entity, else blank."""

    __slots__ = ("entity", "of")

    def __init__(self, start: int, end: int, of: Place, entity: str) -> None:
        super().__init__(start, end, record_of(entity), of)
        self.of = of
        self.entity = entity

    def python(self, unknown: bool) -> Closure:
        of, entity = self.of.python(False), self.entity
        return lambda env: v if (v := of(env)) is not None and v.entity == entity else None

    def record(self, unknown: bool) -> RecordClosure:
        of, entity = self.of.record(False), self.entity

        def record(env: Env) -> RecordLike | None:
            found = of(env)
            return found if found is not None and found.entity == entity else None

        return record

    def joined_rows(self, scope: SqlScope) -> list[Row]:
        return [r for r in self.of.rows(scope) if r is not None and r.entity == self.entity]

    def sql(self, scope: SqlScope) -> SqlValue:
        value = with_entity(self.of.value(scope), self.of.type)
        return sa.case((value.entity == self.entity, value.id))


class EntityOf(Expr):
    """entity_of(x): the key of the record's entity."""

    __slots__ = ("of",)

    def __init__(self, start: int, end: int, of: Expr) -> None:
        super().__init__(start, end, TEXT, of)
        self.of = of

    def python(self, unknown: bool) -> Closure:
        of = self.of.python(False)
        return lambda env: None if (v := of(env)) is None else v.entity

    def sql(self, scope: SqlScope) -> SqlValue:
        return with_entity(self.of.value(scope), self.of.type).entity


class RecordId(Expr):
    """x.id: the id as text, for addresses."""

    __slots__ = ("of",)

    def __init__(self, start: int, end: int, of: Expr) -> None:
        super().__init__(start, end, TEXT, of)
        self.of = of

    def python(self, unknown: bool) -> Closure:
        of = self.of.python(False)
        return lambda env: None if (v := of(env)) is None else str(v.id)

    def sql(self, scope: SqlScope) -> SqlValue:
        return sa.cast(sqlv.key(self.of.value(scope)), sa.Text())
