"""Which entities are about a record: found from the Model by their links to any of several entities."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trellis.automation.mentions import NOTE
from trellis.model.entity import Entity
from trellis.records.kept import kept

if TYPE_CHECKING:
    from trellis.model.model import Model
    from trellis.records.store import Store


@dataclass(frozen=True)
class Activity:
    """An entity whose `field` may point at the record's entity; `at` is the field that says when it is or was."""

    entity: Entity
    field: str
    at: str
    text: str = ""
    files: str = ""

    @property
    def key(self) -> str:
        """The kind on the timeline."""
        return self.entity.key


def activity_links(store: Store, entity: Entity) -> list[Activity]:
    """The activities of an entity that this person may read, in the Model's order."""
    if not entity.features.activities:
        return []
    found = []
    for other in _about_others(store.tenant.model):
        if not store.may("read", other.key) or (other.key == NOTE and not entity.features.comments):
            continue
        readable = store.readable_fields(other.key)
        for field in other.fields.values():
            if field.type.name != "any_link" or field.is_derived or field.key not in readable:
                continue
            targets = field.type.formula_type().entities
            if not targets or entity.key in targets:
                found.append(
                    Activity(other, field.key, _when(other, readable), _text(other, readable), _files(other, readable))
                )
                break
    return found


def _about_others(model: Model) -> tuple[Entity, ...]:
    """The entities whose records may be about records of several kinds: asked on every record page."""

    def find() -> tuple[Entity, ...]:
        candidates = (e for e in model.entities.values() if not e.internal and not e.part_of)
        return tuple(e for e in candidates if any(f.type.name == "any_link" for f in e.fields.values()))

    found: tuple[Entity, ...] = kept((model.hash, "about others"), find)
    return found


def _when(entity: Entity, readable: Collection[str]) -> str:
    """The moment of an activity: where its calendar puts it, else its first own date or time, else its creation."""
    calendar = next((v.start for v in entity.views.values() if v.type == "calendar" and v.start), None)
    if calendar is not None and calendar in readable:
        return calendar
    own = (f.key for f in entity.fields.values() if f.type.name in ("date", "datetime") and f.is_writable)
    return next((key for key in own if key in readable), "created_at")


def _text(entity: Entity, readable: Collection[str]) -> str:
    """The field with the most to read."""
    kinds = ("long_text", "rich_text")
    return next(
        (f.key for f in entity.fields.values() if f.type.name in kinds and f.key in readable),
        "",
    )


def _files(entity: Entity, readable: Collection[str]) -> str:
    """The field with what is attached."""
    return next((f.key for f in entity.fields.values() if f.type.widget in ("file", "image") and f.key in readable), "")
