"""What the lines of a save will ask for, read at once: fifty lines are then few statements, not hundreds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trellis.formula.types import Ref
from trellis.model.entity import Entity
from trellis.model.fields.base import Invalid
from trellis.records.graph import LiveRecord, StoreGraph

if TYPE_CHECKING:
    from trellis.records.session import Session

FEW = 3  # so many lines are not worth it


def foresee(
    session: Session, graph: StoreGraph, part: Entity, rows: Sequence[tuple[Mapping[str, Any], LiveRecord | None]]
) -> None:
    """Read the records that the lines link to, and the lists and links by which their defaults go on from there.

    Each line is what was given of it, and how it is stored: what is not given stays.
    """
    if len(rows) < FEW:
        return
    for name, field in part.fields.items():
        targets = field.type.formula_type().entities
        if name == part.parent_field or field.is_derived or field.type.formula_type().kind != "record":
            continue
        wanted = (
            _ref(session, field, row.get(name)) if old is None or name in row else old.value(name) for row, old in rows
        )
        refs = [ref for ref in wanted if isinstance(ref, Ref)]
        for target in dict.fromkeys(ref.entity for ref in refs if not targets or ref.entity in targets):
            records = graph.load(target, [ref.id for ref in refs if ref.entity == target])
            for path in dict.fromkeys(p[1:] for p in _paths(part) if p[0] == name):
                _walk(graph, session.model.entities[target], records, path)


def _ref(session: Session, field: Any, raw: Any) -> Ref | None:
    if raw is None or raw == "":
        return None
    try:
        found = field.type.parse(raw, session.reader)
    except Invalid:
        return None
    return found if isinstance(found, Ref) else None


def _paths(part: Entity) -> list[tuple[str, ...]]:
    """What the defaults of new lines read."""
    return sorted(path for f in part.fields.values() if f.default is not None for path in f.default.reads if path)


def _walk(graph: StoreGraph, entity: Entity, records: Sequence[LiveRecord], path: tuple[str, ...]) -> None:
    """Go along a path, as far as it leads to records."""
    model = graph.session.model
    for name in path:
        inverse = entity.inverses.get(name)
        if inverse is not None and name not in entity.fields:
            records = graph.load_children(records, name)
            entity = model.entities[inverse.entity]
            continue
        field = entity.fields.get(name)
        kind = field.type.formula_type() if field is not None else None
        if field is None or kind is None or field.is_derived or kind.kind != "record" or len(kind.entities) != 1:
            return
        refs = [ref for record in records if isinstance(ref := record.value(name), Ref)]
        records = graph.load(kind.entities[0], [ref.id for ref in refs])
        entity = model.entities[kind.entities[0]]
