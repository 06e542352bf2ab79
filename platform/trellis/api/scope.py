"""What of the Model the API shows: entities and fields that are open to it, and to this caller."""

from __future__ import annotations

from trellis.model.entity import Entity, Inverse
from trellis.model.field import Field
from trellis.records.reading.linked import linked_list
from trellis.records.refusal import Missing
from trellis.records.store import Store

PLACE = "api"  # in a field's `hidden`


def entity_of(store: Store, key: str) -> Entity:
    """An entity that this caller may read, create or change. Raises Missing."""
    found = store.tenant.model.entities.get(key)
    if found is None or not found.features.api or not any(store.may(a, key) for a in ("read", "create", "update")):
        raise Missing(key)
    return found


def open_entities(store: Store) -> list[Entity]:
    """Every entity that the API has for this caller."""
    entities = store.tenant.model.entities.values()
    return [e for e in entities if e.features.api and any(store.may(a, e.key) for a in ("read", "create", "update"))]


def readable(store: Store, entity: Entity) -> list[Field]:
    """The fields that the API gives to this caller."""
    fields = (entity.fields[key] for key in store.readable_fields(entity.key))
    return [f for f in fields if PLACE not in f.hidden and not f.type.is_write_only]


def writable(store: Store, entity: Entity) -> list[Field]:
    """The fields that the API takes from this caller."""
    fields = (entity.fields[key] for key in store.writable_fields(entity.key))
    return [f for f in fields if PLACE not in f.hidden]


def part_lists(store: Store, entity: Entity) -> dict[str, Inverse]:
    """The lists of parts (lines) that are read and written with the record, by name."""
    entities = store.tenant.model.entities
    found = {}
    for name, inverse in entity.inverses.items():
        part = entities[inverse.entity]
        if part.part_of == entity.key and part.parent_field == inverse.field and part.features.api:
            found[name] = inverse
    return found


def linked_lists(store: Store, entity: Entity) -> list[str]:
    """The links fields and inverse lists whose records this caller may list."""
    own = [f.key for f in readable(store, entity) if f.type.name == "links"]
    found = (linked_list(store, entity, name) for name in (*own, *entity.inverses))
    return [linked.name for linked in found if linked is not None and linked.target.features.api]
