"""Filters that no formula can write: the records that are linked with a given one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from trellis.formula.formula import Formula, constant
from trellis.formula.types import BOOLEAN, Ref, Value
from trellis.model.entity import Entity
from trellis.records.reading.catalog import link_columns
from trellis.storage.names import short

if TYPE_CHECKING:
    from uuid import UUID

    from trellis.formula.sql.scope import SqlScope
    from trellis.records.store import Store
    from trellis.storage.tables import Tables

IN_THE_OPEN = frozenset({"this"})  # keeps the statement out of the plans that all readers share


class Linked(Formula):
    """A condition on the rows of a list: that they are linked with one record."""

    def __init__(self, condition: Any) -> None:
        super().__init__("", constant(True, BOOLEAN).node, BOOLEAN, frozenset(), IN_THE_OPEN)
        object.__setattr__(self, "_condition", condition)

    def predicate(self, scope: SqlScope) -> sa.ColumnElement[bool]:
        """The condition over the row of `scope`."""
        made: sa.ColumnElement[bool] = self._condition(scope)  # type: ignore[attr-defined]
        return made


def pointing_at(entity: Entity, field: str, ref: Ref) -> Formula:
    """The records of `entity` whose link, or link to any entity, points at the record."""
    suffixes = entity.fields[field].type.columns()

    def condition(scope: SqlScope) -> sa.ColumnElement[bool]:
        columns = scope.alias.c
        same: sa.ColumnElement[bool] = columns[short(field)] == ref.id
        return sa.and_(same, columns[short(f"{field}_entity")] == ref.entity) if "_entity" in suffixes else same

    return Linked(condition)


def pointing_at_any(entity: Entity, field: str, ids: Sequence[UUID]) -> Formula:
    """The records of `entity` whose link points at one of the records."""

    def condition(scope: SqlScope) -> sa.ColumnElement[bool]:
        return scope.alias.c[short(field)].in_(list(ids))

    return Linked(condition)


def one_of(ids: Sequence[UUID]) -> Formula:
    """The records with these ids."""
    return Linked(lambda scope: scope.alias.c.id.in_(list(ids)))


def linked_with(tables: Tables, owner: str, field: str, ref: Ref, *, from_owner: bool) -> Formula:
    """The far ends of a many-to-many `field` of `owner`: those that the record names, or those that name it."""
    table = tables.links[owner, field]

    def condition(scope: SqlScope) -> sa.ColumnElement[bool]:
        rows = table.alias()
        near, far = (rows.c.source, rows.c.target) if from_owner else (rows.c.target, rows.c.source)
        return sa.exists(sa.select(sa.literal(1)).where(near == ref.id, far == scope.alias.c.id))

    return Linked(condition)


def link_values(
    store: Store, owner: str, field: str, ref: Ref, others: Sequence[UUID] | None, *, from_owner: bool
) -> dict[UUID, dict[str, Value]]:
    """What a many-to-many keeps with its links from one record, by the id of the far end; call it for what was read.

    With None, of all its links: for their order alone.
    """
    table = store.tenant.tables.links[owner, field]
    columns = link_columns(store.tenant.model.entities[owner].fields[field])
    near, far = (table.c.source, table.c.target) if from_owner else (table.c.target, table.c.source)
    with store.transaction() as connection:
        wanted = [near == ref.id, *([far.in_(list(others))] if others is not None else [])]
        rows = connection.execute(sa.select(table).where(*wanted)).mappings().all()
    return {
        row[far.name]: {
            key: column.type.from_columns({s: row[short(key + s)] for s in column.type.columns()})
            for key, column in columns.items()
        }
        for row in rows
    }
