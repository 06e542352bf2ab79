"""What names a record: as SQL for whoever reads it, and whether it tells only what a person may know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.formula.sql.scope import SqlScope
    from trellis.model.entity import Entity
    from trellis.model.field import Field
    from trellis.records.access.permit import Permit
    from trellis.records.reading.catalog import Catalog


def title_expression(catalog: Catalog, scope: SqlScope, entity: Entity) -> sa.ColumnElement[Any]:
    """The text that names a record of the scope's entity, as this person may know it.

    What it reads from linked records that are out of reach is blank; made of a concealed field of its own, it is empty.
    """
    if any(catalog.is_concealed(entity.key, name) for name in _reads(entity)):
        return sa.literal("", sa.Text())
    column = _title_column(scope, entity)
    if column is not None:
        return column
    if entity.title is None:
        return sa.cast(scope.alias.c.id, sa.Text())
    with catalog.naming():
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


def names_freely(permit: Permit, entity: str, _busy: frozenset[str] = frozenset()) -> bool:
    """Whether the title of each record of the entity that this person may read holds only what they may know."""
    if permit.is_system or entity in _busy:
        return True
    definition = permit.model.entities[entity]
    if definition.title is None:
        return not permit.conceals(entity, definition.title_field or "")
    busy = _busy | {entity}
    return all(_is_known(permit, entity, path, busy) for path in definition.title.reads)


def _is_known(permit: Permit, entity: str, path: tuple[str, ...], busy: frozenset[str]) -> bool:
    """Whether a person may know what a path leads to, whichever record it begins at."""
    entities: tuple[str, ...] = (entity,)
    for name in path:
        following: list[str] = []
        for each in entities:
            if permit.conceals(each, name):
                return False
            definition = permit.model.entities[each]
            field = definition.fields.get(name)
            if field is not None:
                following.extend(_targets(permit, field))
            elif (inverse := definition.inverses.get(name)) is not None:
                following.append(inverse.entity)
        entities = tuple(dict.fromkeys(following))
        if not all(permit.is_unlimited("read", each) for each in entities):
            return False
    return all(names_freely(permit, each, busy) for each in entities)


def _targets(permit: Permit, field: Field) -> tuple[str, ...]:
    kind = field.type.formula_type()
    if kind.kind not in ("record", "records"):
        return ()
    return kind.entities or tuple(permit.model.entities)
