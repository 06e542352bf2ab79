"""The indexes of an entity's table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from trellis.model.fields.choices import ChoiceLike
from trellis.model.matching import form_of
from trellis.storage.names import digest, quoted, short
from trellis.storage.ordering import ORDER, name_order, ordered_field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trellis.model.entity import Entity
    from trellis.model.field import Field
    from trellis.model.matching import Match

LIVE = sa.text("deleted_at IS NULL")
IN_BIN = sa.text("deleted_at IS NOT NULL")


def add_indexes(entity: Entity, table: sa.Table) -> None:
    """Add what an entity's lists, links, keys and searches need."""
    _add(table, "live", [table.c.created_at.desc(), table.c.id.desc()], where=LIVE)
    _add(table, "bin", [table.c.deleted_at], where=IN_BIN)
    if entity.search_fields():
        _add(table, "search", [table.c.search], using="gin")
    if "login" in table.c and entity.key == "user":
        _add(table, "login", [table.c.login], unique=True)
    for field in entity.stored_fields():
        if field.key not in ("id", "created_at"):
            _add_field(table, field)
    for unique in entity.uniques:
        if parts := _columns(table, unique.fields):
            folded = [c if unique.case or not _is_text(c) else sa.func.lower(c) for c in parts]
            _add(table, f"{unique.key}_unique", folded, unique=True, where=LIVE)
    for key, names in entity.indexes.items():
        if parts := _columns(table, names):
            _add(table, key, parts)
    for key in sorted(lookups(entity)):
        _add(table, f"{key}_lookup", [table.c[short(key)]])
    order, titled = first_order(entity), ordered_field(entity)
    if order is not None and titled is not None and titled.key == order:
        _add(table, f"{order}_order", [table.c[ORDER], table.c.id], where=LIVE)
    elif order is not None and not _is_served(entity, order):
        column = table.c[short(order)]
        key_part = name_order(column) if entity.fields[order].type.formula_type().kind == "name" else column
        _add(table, f"{order}_order", [key_part, table.c.id], where=LIVE)


def lookups(entity: Entity) -> frozenset[str]:
    """The plain fields that saves and imports look records up by: the natural key, and what dedupe compares."""
    wanted = {
        entity.natural_key,
        *(m.field for rule in entity.dedupe if not rule.against for m in rule.match if _as_is(entity, m)),
    }
    return frozenset(
        field.key
        for field in entity.stored_fields()
        if field.key in wanted and _is_plain(field) and not _leads_index(entity, field)
    )


def _as_is(entity: Entity, match: Match) -> bool:
    """Whether a rule compares a field as it is stored; what it compares normalised has an index of that."""
    field = entity.fields.get(match.field)
    return field is not None and match.how != "similar" and (match.how == "exact" or form_of(field) == "plain")


def add_lookup(entity: Entity, table: sa.Table, field: Field) -> None:
    """Add the index of a field that other entities' rules compare as it is, unless it has one."""
    if _is_plain(field) and not _leads_index(entity, field) and field.key not in lookups(entity):
        _add(table, f"{field.key}_lookup", [table.c[short(field.key)]])


def add_live_index(table: sa.Table, name: str, value: Any) -> None:
    """Add an index of an expression over live records."""
    _add(table, name, [value], where=LIVE)


def add_held_index(table: sa.Table, name: str, value: Any) -> None:
    """Add an index by which a list in JSON is found by what it holds."""
    _add(table, name, [value], using="gin")


def first_order(entity: Entity) -> str | None:
    """The field that the entity's first list is sorted by, when an index can hold that order."""
    view = next((v for v in entity.views.values() if v.type == "list"), None)
    field = entity.fields.get(view.sort[0].path) if view is not None and view.sort else None
    if field is None or not field.is_stored or field.key in ("id", "created_at"):
        return None
    return field.key if _is_plain(field) or field.type.formula_type().kind == "name" else None


def is_indexed(entity: Entity, field: Field) -> bool:
    """Whether an index gives the field's order."""
    if not field.is_stored:
        return False
    titled = ordered_field(entity)
    if titled is not None and titled.key == field.key:
        return first_order(entity) == field.key
    return _leads_index(entity, field) or field.key in lookups(entity) or field.key == first_order(entity)


def _is_served(entity: Entity, key: str) -> bool:
    return _leads_index(entity, entity.fields[key]) or key in lookups(entity)


def _leads_index(entity: Entity, field: Field) -> bool:
    """Whether the configuration itself asks for an index that begins with the field."""
    return field.unique or field.index or any(names[:1] == (field.key,) for names in entity.indexes.values())


def _is_plain(field: Field) -> bool:
    """Whether the field's order is that of its one column: no choice (in the order of its options), money or link."""
    if isinstance(field.type, ChoiceLike) or field.type.name in ("long_text", "rich_text", "code", "json", "secret"):
        return False
    return field.type.formula_type().kind in ("text", "number", "date", "datetime", "time")


def _add_field(table: sa.Table, field: Field) -> None:
    """What one field needs: a unique field, a link, an indexed one."""
    columns = _columns(table, [field.key])
    if not columns:
        return
    entity_column = short(f"{field.key}_entity")
    if field.unique or getattr(field.type, "one", False):
        _add(table, f"{field.key}_unique", columns, unique=True, where=LIVE)
    elif columns[0].foreign_keys:
        _add(table, field.key, columns)
    elif entity_column in table.c:  # a link to one of several entities
        _add(table, field.key, [table.c[entity_column], *columns])
    elif field.index:
        several = isinstance(columns[0].type, ARRAY | JSONB)
        _add(table, field.key, columns, using="gin" if several else None)


def _columns(table: sa.Table, fields: Sequence[str]) -> list[sa.Column[Any]]:
    """The main columns of the fields; none when one of them has no column."""
    names = [short(f) for f in fields]
    return [table.c[n] for n in names] if all(n in table.c for n in names) else []


def _is_text(column: sa.Column[Any]) -> bool:
    return isinstance(column.type, sa.String)


def _add(
    table: sa.Table,
    name: str,
    parts: Sequence[Any],
    *,
    unique: bool = False,
    where: Any = None,
    using: str | None = None,
) -> None:
    """Add an index whose name holds a digest of what it is, so that a change of it shows as another index."""
    definition = f"{[str(p) for p in parts]} {unique} {where} {using}"
    sa.Index(
        quoted(f"{table.name}_{name}_{digest(definition)[:6]}"),
        *parts,
        unique=unique,
        postgresql_where=where,
        postgresql_using=using,
    )
