"""The field paths that a list can be filtered by, sorted by and show: the entity's own, and those one link away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trellis.web.cells.column import label_of

if TYPE_CHECKING:
    from trellis.formula.formula import Formula
    from trellis.model.entity import Entity, Filter
    from trellis.model.field import Field
    from trellis.records.store import Store

NOT_LISTED = frozenset({"secret", "signature", "json", "search"})
HIDDEN_SYSTEM = frozenset({"id", "version", "deleted_at", "deleted_by", "position"})


class Sight:
    """Which paths one person may see; each entity is asked for once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._fields: dict[str, frozenset[str]] = {}

    def fields(self, entity: str) -> frozenset[str]:
        """The readable fields of an entity; none when its records may not be read."""
        if entity not in self._fields:
            may = self._store.may("read", entity)
            self._fields[entity] = frozenset(self._store.readable_fields(entity)) if may else frozenset()
        return self._fields[entity]

    def path(self, entity: Entity, path: str) -> bool:
        """Whether every step of a path may be seen."""
        model = self._store.tenant.model
        first, _, rest = path.partition(".")
        field = entity.fields.get(first)
        if field is None or first not in self.fields(entity.key):
            return False
        if not rest:
            return True
        ends = [model.entities[key] for key in field.type.formula_type().entities if key in model.entities]
        return any(self.path(end, rest) for end in ends)


def may_ask(store: Store, entity: Entity, formula: Formula | None) -> bool:
    """Whether a formula of the Model tells the person nothing that is kept from them: no concealed field is read."""
    permit, entities = store.session.permit, store.tenant.model.entities
    for path in formula.reads if formula is not None else ():
        at: tuple[str, ...] = (entity.key,)
        for name in path:
            if any(permit.conceals(key, name) for key in at):
                return False
            found = [entities[key].fields.get(name) for key in at]
            at = tuple(k for f in found if f is not None for k in f.type.formula_type().entities if k in entities)
    return True


def open_filters(store: Store, entity: Entity) -> dict[str, Filter]:
    """The entity's named filters that this person may use: what is hidden or masked cannot be found out by one."""
    return {key: one for key, one in entity.filters.items() if may_ask(store, entity, one.formula)}


@dataclass(frozen=True, slots=True)
class Path:
    """A path with its label; `group` is the link that it goes through."""

    path: str
    label: str
    field: Field
    group: str = ""


def paths_of(store: Store, entity: Entity, *, through_links: bool = True) -> list[Path]:
    """Every path that the person may read, the entity's own first."""
    model, language = store.tenant.model, store.principal.reader.language
    readable = frozenset(store.readable_fields(entity.key))
    own = [f for f in entity.fields.values() if f.key in readable and _is_listed(f)]
    paths = [Path(f.key, f.label.in_language(language), f) for f in own]
    if not through_links:
        return paths
    for link in own:
        type_ = link.type.formula_type()
        if type_.kind != "record" or len(type_.entities) != 1 or type_.entities[0] not in model.entities:
            continue
        target = model.entities[type_.entities[0]]
        if link.system or not store.may("read", target.key):
            continue
        seen = frozenset(store.readable_fields(target.key))
        group = label_of(model, entity, link.key, language)
        paths += [
            Path(f"{link.key}.{f.key}", f.label.in_language(language), f, group)
            for f in target.fields.values()
            if f.key in seen and not f.system and _is_listed(f)
        ]
    return paths


def _is_listed(field: Field) -> bool:
    return field.type.name not in NOT_LISTED and field.key not in HIDDEN_SYSTEM and "list" not in field.hidden
