"""A form that begins as a copy of a record: its values and its lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from trellis.model.entity import Entity
from trellis.records.pipelines.pipeline import tracks
from trellis.records.record import Record
from trellis.web.widgets.lines import lines_of

if TYPE_CHECKING:
    from trellis.records.store import Store


def copy_of(store: Store, entity: Entity, id: UUID) -> dict[str, Any]:
    """The values of a record and of its lines, as far as this person sees them, without what a copy must not have."""
    copied: dict[str, Any] = _values(entity, store.read(entity.key, id))
    for track in tracks(entity):  # a copy begins where every new record does
        copied.pop(track.field, None)
    for name, child in lines_of(entity, store.tenant.model.entities).items():
        copied[name] = [_values(child, line) for line in store.lines(entity.key, id, name)]
    return copied


def set_by_hand(store: Store, entity: Entity, copied: Mapping[str, Any]) -> frozenset[str]:
    """The names of the lines' values that no default may replace: all but those that are what their default gives."""
    children = lines_of(entity, store.tenant.model.entities)
    bare = {
        **copied,
        **{
            name: [{k: v for k, v in line.items() if not child.fields[k].follow_default} for line in copied[name]]
            for name, child in children.items()
            if name in copied
        },
    }
    given = [
        (f"{name}.{number}.{key}", child.fields[key], value)
        for name, child in children.items()
        for number, line in enumerate(copied.get(name, ()))
        for key, value in line.items()
    ]
    if not given:
        return frozenset()
    defaults = store.evaluate_form(entity.key, bare).defaults
    return frozenset(
        path
        for path, field, value in given
        if not (field.follow_default and field.type.same(defaults.get(path), value))
    )


def _values(entity: Entity, source: Record) -> dict[str, Any]:
    """What a copy takes over: no number, nothing that must be unique, not its place in what it is part of."""
    own = {entity.parent_field, "position"} if entity.part_of else set()
    return {
        f.key: source.get(f.key)
        for f in entity.fields.values()
        if f.copy and f.is_writable and not f.unique and f.type.name != "sequence" and f.key not in own
        if source.get(f.key) is not None
    }
