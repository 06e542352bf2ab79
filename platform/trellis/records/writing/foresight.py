"""What the lines of a save will ask for, read at once: fifty lines are then few statements, not hundreds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trellis.formula.types import Ref
from trellis.model.entity import Entity
from trellis.model.fields.base import Invalid
from trellis.records.graph import LiveRecord

if TYPE_CHECKING:
    from trellis.records.draft import Draft
    from trellis.records.session import Session

FEW = 3  # so many lines are not worth it


def foresee(session: Session, draft: Draft, part: Entity, rows: Sequence[Mapping[str, Any]]) -> None:
    """Read the records that the lines link to, and the lists and links by which their defaults go on from there."""
    if len(rows) < FEW:
        return
    graph = draft.record.graph
    for name, field in part.fields.items():
        targets = field.type.formula_type().entities
        if name == part.parent_field or field.is_derived or field.type.formula_type().kind != "record":
            continue
        refs = [ref for row in rows if (ref := _ref(session, field, row.get(name))) is not None]
        for target in dict.fromkeys(ref.entity for ref in refs if not targets or ref.entity in targets):
            records = graph.load(target, [ref.id for ref in refs if ref.entity == target])
            for path in dict.fromkeys(p[1:] for p in _paths(part) if p[0] == name):
                _walk(draft, session.model.entities[target], records, path)


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


def _walk(draft: Draft, entity: Entity, records: Sequence[LiveRecord], path: tuple[str, ...]) -> None:
    """Go along a path, as far as it leads to records."""
    graph, model = draft.record.graph, draft.record.graph.session.model
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
