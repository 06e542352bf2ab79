"""What stored derived values depend on: for each entity, which roll-ups and search words read its records, and how."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from trellis.formula.formula import Formula
from trellis.formula.naming import TITLE
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.model.model import Model
from trellis.storage.ordering import ordered_field

SEARCH = "{search}"  # stands beside the names of roll-ups for the words by which a record is found
DEEPEST = 60


@dataclass(frozen=True, slots=True)
class Hop:
    """One step from a record to others: over its link `name`, or to the rows of its list `name`."""

    entity: str
    name: str
    kind: str  # link, inverse, links, linked (the far side of links)
    to: str
    field: str  # the link field: of `entity` for link and links, of `to` for inverse and linked


Hops = tuple[Hop, ...]
Way = tuple[Hops, str | None]


@dataclass(frozen=True, slots=True)
class Dependency:
    """A stored value that reads a field of records over `hops` from its own; no field: which records there are."""

    entity: str
    target: str  # the roll-up, or SEARCH
    hops: Hops
    field: str | None


_by_hash: dict[str, dict[str, list[Dependency]]] = {}
KEPT = 256


def dependencies(model: Model) -> Mapping[str, list[Dependency]]:
    """What depends on each entity's records."""
    known = _by_hash.get(model.hash)
    if known is None:
        known = _by_hash[model.hash] = _find(model)
        while len(_by_hash) > KEPT:
            del _by_hash[next(iter(_by_hash))]
    return known


def _find(model: Model) -> dict[str, list[Dependency]]:
    found: dict[str, dict[Dependency, None]] = defaultdict(dict)
    for entity in model.entities.values():
        for target in targets(entity):
            for hops, name in ways_of(model, entity, target):
                for at, dependency in _along_way(model, entity.key, target, hops, name):
                    found[at][dependency] = None
    return {entity: list(items) for entity, items in found.items()}


def _along_way(
    model: Model, entity: str, target: str, hops: Hops, name: str | None
) -> Iterator[tuple[str, Dependency]]:
    """What can change along one way: each link on it, which records a list has, their order, the value at its end."""
    for index, hop in enumerate(hops):
        before, through = hops[:index], hops[: index + 1]
        if hop.kind in ("link", "links"):
            yield hop.entity, Dependency(entity, target, before, hop.field)
        else:
            yield hop.to, Dependency(entity, target, through, hop.field)
        if hop.kind != "link":
            yield hop.to, Dependency(entity, target, through, None)
        if hop.kind == "inverse" and "position" in model.entities[hop.to].fields:
            yield hop.to, Dependency(entity, target, through, "position")
    if name is not None:
        yield (hops[-1].to if hops else entity), Dependency(entity, target, hops, name)


def targets(entity: Entity) -> list[str]:
    """The stored derived values of an entity's records."""
    found = [field.key for field in entity.fields.values() if field.rollup is not None]
    return [*found, SEARCH] if entity.search_fields() or ordered_field(entity) is not None else found


def ways_of(model: Model, entity: Entity, target: str) -> Iterator[Way]:
    """The stored fields that a stored value is computed from, each with the way to it."""
    if target != SEARCH:
        formula = entity.fields[target].rollup
        assert formula is not None
        yield from ways(model, entity.key, formula)
        return
    for field in entity.search_fields():
        yield from _ways_of_words(model, entity, field)


def _ways_of_words(model: Model, entity: Entity, field: Field) -> Iterator[Way]:
    """What a searched field's words are made of, but for what a save of the record itself sees to."""
    kind = field.type.formula_type()
    if field.formula is not None:
        for way in ways(model, entity.key, field.formula):
            if way[0] or _is_kept(entity, way[1]):
                yield way
    elif field.rollup is not None or kind.kind == "records":
        yield (), field.key
    if kind.kind in ("record", "records"):
        yield from _along(model, entity.key, (field.key, TITLE), (), 0)


def _is_kept(entity: Entity, name: str | None) -> bool:
    """Whether a field of the record itself is written apart from its save: a roll-up, a many-to-many."""
    field = entity.fields.get(name or "")
    return field is not None and (field.rollup is not None or field.type.formula_type().kind == "records")


def ways(model: Model, entity: str, formula: Formula, start: Hops = (), depth: int = 0) -> Iterator[Way]:
    """The stored fields that a formula reads, with the way to them; derived fields are followed to what they read."""
    if depth > DEEPEST:
        return
    for path in formula.reads:
        yield from _along(model, entity, path, start, depth)
        if "titles" in formula.uses:  # some record's title, we do not know whose
            for hops, at in _ends(model, entity, path, start, depth):
                yield from _title(model, at, hops, depth)


def _along(model: Model, at: str, path: tuple[str, ...], hops: Hops, depth: int) -> Iterator[Way]:
    """The ways of what is left of a path, from an entity that the hops have led to."""
    if not path or path[0] == "via":
        yield hops, None
        return
    name, rest = path[0], path[1:]
    if name == TITLE:
        yield from _title(model, at, hops, depth)
        return
    field = model.entities[at].fields.get(name)
    if field is not None and field.formula is not None:
        yield from ways(model, at, field.formula, hops, depth + 1)
        for way, target in _derived_ends(model, at, field, hops, depth) if rest else ():
            yield from _along(model, target, rest, way, depth + 1)
        return
    following = list(_hops(model, at, name))
    leads = [hop for hop in following if hop.kind != "link" or (rest and _has(model, hop.to, rest[0]))]
    for hop in leads:
        yield from _along(model, hop.to, rest, (*hops, hop), depth)
    if field is not None and not leads:
        yield hops, name


def _hops(model: Model, at: str, name: str) -> Iterator[Hop]:
    """The steps that a name of an entity may mean: of a link to several entities, one to each."""
    definition = model.entities[at]
    field = definition.fields.get(name)
    if field is None:
        if (inverse := definition.inverses.get(name)) is not None:
            yield Hop(at, name, "linked" if inverse.many else "inverse", inverse.entity, inverse.field)
        return
    kind = field.type.formula_type()
    if kind.kind == "records":
        yield Hop(at, name, "links", kind.entities[0], name)
    elif kind.kind == "record":
        for target in kind.entities or tuple(model.entities):
            yield Hop(at, name, "link", target, name)


def _has(model: Model, entity: str, name: str) -> bool:
    definition = model.entities[entity]
    return name == TITLE or name in definition.fields or name in definition.inverses


def _title(model: Model, entity: str, hops: Hops, depth: int) -> Iterator[Way]:
    definition = model.entities[entity]
    if definition.title is not None:
        yield from ways(model, entity, definition.title, hops, depth + 1)
    elif definition.title_field:
        yield from _along(model, entity, (definition.title_field,), hops, depth + 1)


def _derived_ends(model: Model, at: str, field: Field, hops: Hops, depth: int) -> Iterator[tuple[Hops, str]]:
    """The records that a derived link may lead to: of all that its formula walks over, those of its entities."""
    assert field.formula is not None
    wanted = field.type.formula_type().entities
    for path in field.formula.reads if depth <= DEEPEST else ():
        for way, target in _ends(model, at, path, hops, depth + 1):
            if not wanted or target in wanted:
                yield way, target


def _ends(model: Model, at: str, path: tuple[str, ...], hops: Hops, depth: int) -> Iterator[tuple[Hops, str]]:
    """The records at the end of a path."""
    if not path or path[0] in ("via", TITLE):
        yield hops, at
        return
    field = model.entities[at].fields.get(path[0])
    if field is not None and field.formula is not None:
        for way, target in _derived_ends(model, at, field, hops, depth):
            yield from _ends(model, target, path[1:], way, depth + 1)
        return
    for hop in _hops(model, at, path[0]):
        if len(path) == 1 or _has(model, hop.to, path[1]):
            yield from _ends(model, hop.to, path[1:], (*hops, hop), depth)
