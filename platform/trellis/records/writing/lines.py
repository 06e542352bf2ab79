"""Rows that live inside a record: taken from the same save, checked with it, stored with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from trellis.formula.types import Ref
from trellis.model.entity import Entity, Inverse
from trellis.records import faults
from trellis.records.deriving import money
from trellis.records.draft import Draft
from trellis.records.graph import LiveRecord
from trellis.records.refusal import Fault
from trellis.records.writing import following
from trellis.records.writing.foresight import foresee
from trellis.records.writing.hands import MOST_AT_ONCE
from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.records.session import Session


def part_lists(session: Session, entity: Entity) -> list[Inverse]:
    """The entity's lists whose rows are part of it."""
    return [
        inverse
        for inverse in entity.inverses.values()
        if (part := session.model.entities[inverse.entity]).part_of == entity.key and part.parent_field == inverse.field
    ]


def take(session: Session, draft: Draft, given: Mapping[str, Any]) -> None:
    """Make drafts of the lines that were given; a list that was given replaces the stored one."""
    parts = {i.name: i for i in part_lists(session, draft.entity)}
    for name, raw in given.items():
        if name in draft.entity.fields or name not in draft.entity.inverses:
            continue
        inverse = parts.get(name)
        if inverse is None:
            draft.fault(faults.readonly(name))
        elif isinstance(raw, (list, tuple)) and len(raw) > MOST_AT_ONCE and not session.principal.is_system:
            draft.fault(Fault("length", "Must have at most {max} items.", name, {"max": MOST_AT_ONCE}))
        elif raw is not None:
            _take_list(session, draft, inverse, raw)


def moved(session: Session, draft: Draft, given: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The lists that were not given, whose lines depend on what has changed in the record."""
    if draft.is_new:
        return {}
    found: dict[str, list[dict[str, Any]]] = {}
    for inverse in part_lists(session, draft.entity):
        part = session.model.entities[inverse.entity]
        if inverse.name in given or draft.old is None:
            continue
        if money.dates_its_lines(draft, part) or following.reaches_lines(session, draft, part):
            found[inverse.name] = [{"id": line.id} for line in draft.record.graph.children(draft.old, inverse.name)]
    return found


def _take_list(session: Session, draft: Draft, inverse: Inverse, raw: Any) -> None:
    from trellis.records.writing import write

    if not isinstance(raw, (list, tuple)) or not all(isinstance(row, Mapping) for row in raw):
        draft.fault(Fault("invalid", "Expected a list of rows.", inverse.name))
        return
    graph = draft.record.graph
    part = session.model.entities[inverse.entity]
    stored = [] if draft.old is None else list(graph.children(draft.old, inverse.name))
    left = {record.id: record for record in stored}
    foresee(session, graph, part, [(row, _stored(left, row)) for row in raw])
    drafts: list[Draft] = []
    for index, row in enumerate(raw):
        place = f"{draft.prefix}{inverse.name}.{index}."
        line = _line(draft, part, row, left, place)
        if line is None:
            continue
        assert part.parent_field is not None
        line.set(part.parent_field, draft.record.ref)
        if "position" in part.fields:
            line.set("position", index)
        drafts.append(line)
    draft.lines[inverse.name] = drafts
    draft.gone[inverse.name] = list(left.values())
    draft.record.lists[inverse.name] = [d.record for d in drafts]
    for line, row in zip(drafts, list(raw), strict=False):
        write.prepare(session, line, {k: v for k, v in row.items() if k not in ("position", part.parent_field)})


def _stored(records: Mapping[UUID, LiveRecord], row: Mapping[str, Any]) -> LiveRecord | None:
    id = _id(row.get("id"))
    return None if id is None else records.get(id)


def place(session: Session, drafts: Sequence[Draft]) -> None:
    """Give lines that are made alone, by a file or a program, the place after the last one of their record."""
    by_parent: dict[tuple[str, UUID], list[Draft]] = defaultdict(list)
    for draft in drafts:
        part = draft.entity
        parent = draft.value(part.parent_field) if part.parent_field and "position" in part.fields else None
        if isinstance(parent, Ref) and draft.value("position") is None:
            by_parent[part.key, parent.id].append(draft)
    for entity in dict.fromkeys(key for key, _ in by_parent):
        table = session.table(entity)
        link = table.c[short(session.entity(entity).parent_field or "")]
        parents = [id for key, id in by_parent if key == entity]
        last = sa.select(link, sa.func.max(table.c.position)).where(link.in_(parents)).group_by(link)
        found: Sequence[Any] = session.execute(last).all()
        known: dict[UUID, int | None] = {row[0]: row[1] for row in found}
        for parent_id in parents:
            at = known.get(parent_id)
            for n, draft in enumerate(by_parent[entity, parent_id], 0 if at is None else at + 1):
                draft.set("position", n)


def _line(draft: Draft, part: Entity, row: Mapping[str, Any], left: dict[UUID, LiveRecord], place: str) -> Draft | None:
    """A draft of a new line, or of the stored one whose id was given."""
    graph = draft.record.graph
    id = _id(row.get("id"))
    old = left.pop(id, None) if id is not None else None
    if id is not None and old is None and draft.old is not None and id in graph_ids(draft):
        draft.fault(Fault("invalid", "This row is here twice.", place.rstrip(".")))
        return None
    record = LiveRecord(graph, part, uuid7(), {}, is_new=True) if old is None else old.copy()
    graph.put(record)
    return Draft(part, record, old, means=draft.means, prefix=place, parent=draft)


def graph_ids(draft: Draft) -> set[UUID]:
    """The ids of the lines that were taken already."""
    return {d.record.id for drafts in draft.lines.values() for d in drafts}


def _id(raw: Any) -> UUID | None:
    if isinstance(raw, UUID):
        return raw
    try:
        return UUID(str(raw)) if raw else None
    except ValueError:
        return None


def changed(draft: Draft) -> bool:
    """Whether a line is new, gone or different."""
    from trellis.records.writing.write import changed_fields

    return any(draft.gone.values()) or any(
        line.is_new or changed_fields(line) or changed(line) for drafts in draft.lines.values() for line in drafts
    )


def store(session: Session, draft: Draft) -> None:
    """Insert new lines, update changed ones, put those that are gone into the bin."""
    from trellis.records.writing import rows
    from trellis.records.writing.write import changed_fields

    for name, drafts in draft.lines.items():
        rows.insert(session, [d for d in drafts if d.is_new])
        changes = []
        for line in drafts:
            if not line.is_new and (names := changed_fields(line)):
                stored = {f.key for f in line.stored_fields()}
                changes.append((line, [n for n in names if n in stored]))
        rows.update_all(session, changes)
        for line in drafts:
            store(session, line)
        gone = draft.gone.get(name, [])
        if gone:
            table = session.table(gone[0].entity)
            now, me = session.reader.now, session.principal.id
            ids = [record.id for record in gone]
            session.execute(sa.update(table).where(table.c.id.in_(ids)).values(deleted_at=now, deleted_by=me))
