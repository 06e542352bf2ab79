"""Where records point at others: the links, many-to-manys and rows of the platform that a merge carries along."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import sqlalchemy as sa

from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.records.session import Session

MOVED = ("comment", "file")  # platform tables whose rows belong to one record
SHARED = ("follow",)  # those where a row of the winner may be there already


def links_to(session: Session, entity: str) -> Iterator[tuple[Entity, Field]]:
    """Every stored link that may point at the entity's records."""
    for other in session.model.entities.values():
        for field in other.stored_fields():
            kind = field.type.formula_type()
            if kind.kind == "record" and not field.system and (not kind.entities or entity in kind.entities):
                yield other, field


def many_of(session: Session, entity: str) -> Iterator[tuple[str, str, str]]:
    """Every many-to-many that has the entity at an end: owner, field, and the column that names the entity's side."""
    for owner, name in session.tables.links:
        if owner == entity:
            yield owner, name, "source"
        if session.model.entities[owner].fields[name].type.formula_type().entities[0] == entity:
            yield owner, name, "target"


def points_at(table: sa.FromClause, field: Field, entity: str) -> sa.ColumnElement[bool]:
    """Whether an any_link's row means this entity; true for a plain link."""
    if "_entity" in field.type.columns():
        same: sa.ColumnElement[bool] = table.c[short(f"{field.key}_entity")] == entity
        return same
    return sa.true()
