"""The tables that a Model needs: entities, links, the platform's own and Flask-AppBuilder's."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSVECTOR

from trellis.storage.columns import NOW
from trellis.storage.fab import identity_tables
from trellis.storage.indexes import add_indexes
from trellis.storage.matching import add_match_indexes
from trellis.storage.names import quoted, short
from trellis.storage.ordering import ORDER, ordered_field
from trellis.storage.platform import PlatformTables, platform_tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trellis.model.entity import Entity
    from trellis.model.field import Field
    from trellis.model.model import Model

SYSTEM_COLUMNS = (
    "id",
    "created_at",
    "created_by",
    "updated_at",
    "updated_by",
    "deleted_at",
    "deleted_by",
    "version",
    "search",
)
NAMING = {
    "pk": "%(table_name)s_pkey",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
}
KEPT = 64


@dataclass(frozen=True)
class Tables:
    """Every table of a tenant. No schema in them: the transaction's search_path says whose they are."""

    metadata: sa.MetaData
    entity: Mapping[str, sa.Table]
    links: Mapping[tuple[str, str], sa.Table]  # (entity, field) → source, target, position and the field's columns
    platform: PlatformTables


_known: OrderedDict[str, Tables] = OrderedDict()
_guard = threading.Lock()


def tables_for(model: Model) -> Tables:
    """The Model's tables. The same content gives the same objects, so that compiled statements are found again."""
    with _guard:
        if (tables := _known.get(model.hash)) is not None:
            _known.move_to_end(model.hash)
            return tables
        tables = _known[model.hash] = build_tables(model)
        while len(_known) > KEPT:
            _known.popitem(last=False)
        return tables


def build_tables(model: Model) -> Tables:
    """Make the tables anew."""
    metadata = sa.MetaData(naming_convention=NAMING)
    identity_tables(metadata)
    platform = platform_tables(metadata)
    entities = {e.key: _entity_table(e, metadata, model) for e in model.entities.values()}
    add_match_indexes(model, entities)
    links = {
        (e.key, f.key): _link_table(e, f, metadata)
        for e in model.entities.values()
        for f in e.fields.values()
        if f.type.formula_type().kind == "records" and not f.is_derived
    }
    return Tables(metadata, entities, links, platform)


def columns_of(field: Field) -> dict[str, str]:
    """The names of a field's columns by suffix."""
    return {suffix: short(field.key + suffix) for suffix in field.type.columns()}


def linked_entity(field: Field) -> str | None:
    """The one entity that a stored link points to; None for an any_link and for what is no link."""
    kind = field.type.formula_type()
    if kind.kind == "record" and len(kind.entities) == 1 and set(field.type.columns()) == {""}:
        return kind.entities[0]
    return None


def _system_columns() -> list[sa.Column[Any]]:
    moment = sa.DateTime(timezone=True)
    return [
        sa.Column(quoted("id"), sa.Uuid, primary_key=True),
        sa.Column(quoted("created_at"), moment, nullable=False, server_default=NOW),
        sa.Column(quoted("created_by"), sa.Uuid),
        sa.Column(quoted("updated_at"), moment, nullable=False, server_default=NOW),
        sa.Column(quoted("updated_by"), sa.Uuid),
        sa.Column(quoted("deleted_at"), moment),
        sa.Column(quoted("deleted_by"), sa.Uuid),
        sa.Column(quoted("version"), sa.Integer, nullable=False, server_default="1"),
        sa.Column(quoted("search"), TSVECTOR),
    ]


def _entity_table(entity: Entity, metadata: sa.MetaData, model: Model) -> sa.Table:
    columns = _system_columns()
    for field in entity.stored_fields():
        if field.key not in SYSTEM_COLUMNS:
            columns += _field_columns(field, model)
    if ordered_field(entity) is not None:
        columns.append(sa.Column(quoted(ORDER), sa.Text))
    if entity.key == "user":
        columns.append(sa.Column(quoted("login"), sa.Integer, sa.ForeignKey("ab_user.id", ondelete="SET NULL")))
    names = [c.name for c in columns]
    if twice := {n for n in names if names.count(n) > 1}:
        raise ValueError(f"entity {entity.key}: two fields need the column {', '.join(sorted(twice))}")
    table = sa.Table(quoted(entity.key), metadata, *columns)
    add_indexes(entity, table)
    return table


def _field_columns(field: Field, model: Model) -> list[sa.Column[Any]]:
    """A field's columns. They take blanks even when the field is required: the door enforces that, with conditions."""
    target = linked_entity(field)
    if target is not None and target in model.entities:
        return [sa.Column(quoted(field.key), sa.Uuid, _foreign_key(target))]
    return [sa.Column(quoted(field.key + suffix), kind) for suffix, kind in field.type.columns().items()]


def _foreign_key(target: str, *, ondelete: str | None = None) -> sa.ForeignKey:
    # checked at commit, so that records that point at each other can be written in any order
    return sa.ForeignKey(
        f"{short(target)}.id", deferrable=True, initially="DEFERRED", ondelete=ondelete, use_alter=True
    )


def _link_table(entity: Entity, field: Field, metadata: sa.MetaData) -> sa.Table:
    target = field.type.formula_type().entities[0]
    extra: Mapping[str, Field] = getattr(field.type, "columns_of_link", {})
    columns = [
        sa.Column(quoted("source"), sa.Uuid, _foreign_key(entity.key, ondelete="CASCADE"), primary_key=True),
        sa.Column(quoted("target"), sa.Uuid, _foreign_key(target), primary_key=True),
        sa.Column(quoted("position"), sa.Integer, nullable=False, server_default="0"),
    ]
    for column in extra.values():
        columns += [sa.Column(quoted(column.key + s), kind) for s, kind in column.type.columns().items()]
    table = sa.Table(quoted(f"{entity.key}__{field.key}"), metadata, *columns)
    sa.Index(quoted(f"{table.name}_target"), table.c.target)
    return table
