"""Which fields are personal, and which entities stand for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trellis.model.entity import Entity
    from trellis.model.field import Field
    from trellis.model.model import Model

REACHED_BY = ("email", "phone")  # types of fields that a person is known by across entities
NAMED_BY = ("name",)
STAFF = frozenset({"user", "team"})  # they sign in: what they did is kept, their own record is an administrator's


def is_personal(entity: Entity) -> bool:
    """Whether a record of the entity holds data of a person: reading one is noted."""
    return entity.key not in STAFF and any(field.personal for field in entity.fields.values())


def is_subject(entity: Entity) -> bool:
    """Whether a record of the entity stands for a person: it has their name or a way to reach them, as personal data,
    and is no part of another record."""
    if entity.key in STAFF or entity.part_of or entity.internal:
        return False
    return any(f.personal and f.stored and f.type.name in (*REACHED_BY, *NAMED_BY) for f in entity.fields.values())


def known_by(entity: Entity) -> list[Field]:
    """The personal fields by which one person is found in several records: e-mail addresses and phone numbers."""
    return [f for f in entity.fields.values() if f.personal and f.stored and f.type.name in REACHED_BY]


def subjects(model: Model) -> tuple[str, ...]:
    """Every entity whose records stand for persons."""
    return tuple(entity.key for entity in model.entities.values() if is_subject(entity))
