"""The lists beside a record: what a links field names, and what points at it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from trellis.formula.formula import Formula
from trellis.formula.types import Ref, Value
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.records.reading.catalog import link_columns
from trellis.records.reading.pointing import link_values, linked_with, pointing_at

if TYPE_CHECKING:
    from trellis.records.store import Store


@dataclass(frozen=True)
class LinkedList:
    """Records of `target` that point at a record by `link`, or are joined with it by the links field `many`."""

    name: str
    target: Entity
    link: str = ""  # the link on the target that points here
    many: tuple[str, str] | None = None  # (owner, field) of a many-to-many
    from_owner: bool = True  # whether the record is on the owner's side of the many-to-many
    link_columns: Mapping[str, Field] = field(default_factory=dict)  # what is kept with each link

    def where(self, store: Store, ref: Ref) -> Formula:
        """The condition that a target is in the list of one record."""
        if self.many is not None:
            return linked_with(store.tenant.tables, *self.many, ref, from_owner=self.from_owner)
        return pointing_at(self.target, self.link, ref)

    def values(self, store: Store, ref: Ref, others: Sequence[UUID] | None) -> dict[UUID, dict[str, Value]]:
        """What is kept with the links of one record, by the far record; with None of all, for their order alone."""
        if self.many is None or not self.link_columns or (others is not None and not others):
            return {}
        return link_values(store, *self.many, ref, others, from_owner=self.from_owner)


def linked_list(store: Store, entity: Entity, name: str) -> LinkedList | None:
    """The list of that name; None where there is none, or none for this reader."""
    entities = store.tenant.model.entities
    inverse = entity.inverses.get(name)
    if inverse is not None:
        if not store.may("read", inverse.entity) or store.session.permit.hides(entity.key, name):
            return None
        target = entities[inverse.entity]
        if not inverse.many:
            return LinkedList(name, target, inverse.field, None, False)
        many = (inverse.entity, inverse.field)
        return LinkedList(name, target, inverse.field, many, False, _columns(store, many))
    own = entity.fields.get(name)
    if own is None or own.type.name != "links" or name not in store.readable_fields(entity.key):
        return None
    target = entities[own.type.formula_type().entities[0]]
    if not store.may("read", target.key):
        return None
    return LinkedList(name, target, "", (entity.key, name), True, _columns(store, (entity.key, name)))


def _columns(store: Store, many: tuple[str, str]) -> Mapping[str, Field]:
    """What is kept with a many-to-many's links, for one who may see the field."""
    owner, name = many
    return link_columns(store.tenant.model.entities[owner].fields[name]) if name in store.readable_fields(owner) else {}
