"""What names a record, as SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.formula.sql.scope import SqlScope
    from trellis.model.entity import Entity
    from trellis.records.catalog import Catalog


def title_expression(catalog: Catalog, scope: SqlScope, entity: Entity) -> sa.ColumnElement[Any]:
    """The text that names a record of the scope's entity; empty when it is made of what this person may not know."""
    if any(catalog.is_concealed(entity.key, name) for name in _reads(entity)):
        return sa.literal("", sa.Text())
    column = _title_column(scope, entity)
    if column is not None:
        return column
    if entity.title is None:
        return sa.cast(scope.alias.c.id, sa.Text())
    with catalog.unguarded():
        value = entity.title.sql(scope)
    if not isinstance(value, sa.ColumnElement):
        raise TypeError(f"the title of {entity.key} is no text")
    return value


def _title_column(scope: SqlScope, entity: Entity) -> sa.ColumnElement[Any] | None:
    """The column itself, when the title is simply a text field: an index may serve it."""
    field = entity.fields.get(entity.title_field or "")
    if field is None or not field.is_stored or set(field.type.columns()) != {""}:
        return None
    found: sa.ColumnElement[Any] = scope.alias.c[short(field.key)]
    if isinstance(found.type, sa.Text):
        return found
    return sa.cast(found, sa.Text()) if entity.title is None else None


def _reads(entity: Entity) -> set[str]:
    if entity.title is None:
        return {entity.title_field} if entity.title_field else set()
    return {path[0] for path in entity.title.reads}
