"""Records that come out of the bin while what they link to is still in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis.formula.types import Ref
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.records.graph import LiveRecord
from trellis.records.reading import shown
from trellis.records.refusal import Fault, Refused
from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.records.session import Session

Clearing = tuple[str, Field, list[UUID]]  # the holders of a link that is blank from now on


def settle(
    session: Session, key: str, records: Iterable[LiveRecord], coming: Mapping[str, Collection[UUID]]
) -> list[Clearing]:
    """The links to blank, since their targets stay in the bin; Refused where a link does not clear.

    It is as if the records had been there when the targets were deleted: what would have held a target, or gone
    with it, does not come back without it.
    """
    links = list(_links(session.model.entities[key]))
    every = list(records)
    if not links or not every:
        return []
    gone = _in_bin(session, [ref for record in every for field in links if (ref := _target(record, field))])
    blank: dict[str, list[UUID]] = defaultdict(list)
    faults = []
    for record in every:
        for field in links:
            ref = _target(record, field)
            if ref is None or (ref.entity, ref.id) not in gone or ref.id in coming.get(ref.entity, ()):
                continue
            if _clears(field):
                blank[field.key].append(record.id)
            else:
                faults.append(_fault(session, field, ref))
    if faults:
        raise Refused(faults)
    return [(key, field, blank[field.key]) for field in links if field.key in blank]


def in_order(session: Session, entity: str, ids: Sequence[UUID]) -> list[UUID]:
    """The ids, each after those among them that it links to."""
    definition, table = session.model.entities.get(entity), None if not ids else session.table(entity)
    if definition is None or table is None:
        return list(ids)
    before: dict[UUID, list[UUID]] = defaultdict(list)
    for field in _links(definition):
        if field.type.formula_type().entities == (entity,):
            column = table.c[short(field.key)]
            statement = sa.select(table.c.id, column).where(table.c.id.in_(list(ids)), column.in_(list(ids)))
            rows: Sequence[Any] = session.execute(statement).all()
            for row in rows:
                before[row[0]].append(row[1])
    ordered: dict[UUID, None] = {}
    for first in ids:
        path, waiting = {first}, [first]
        while waiting:
            id = waiting[-1]
            ahead = next((one for one in before[id] if one not in ordered and one not in path), None)
            if ahead is None:
                ordered[waiting.pop()] = None
            else:
                path.add(ahead)
                waiting.append(ahead)
    return list(ordered)


def _links(entity: Entity) -> Iterable[Field]:
    """The entity's own single links, but not that of a part to its parent, which has a rule of its own."""
    for field in entity.stored_fields():
        is_parent = bool(entity.part_of) and entity.parent_field == field.key
        if field.type.formula_type().kind == "record" and not field.system and not is_parent:
            yield field


def _clears(field: Field) -> bool:
    return getattr(field.type, "on_delete", "restrict") == "clear"


def _target(record: LiveRecord, field: Field) -> Ref | None:
    value = record.value(field.key)
    return value if isinstance(value, Ref) else None


def _in_bin(session: Session, refs: Iterable[Ref]) -> set[tuple[str, UUID]]:
    """Those of the records that lie in the bin."""
    wanted: dict[str, dict[UUID, None]] = defaultdict(dict)
    for ref in refs:
        if ref.entity in session.model.entities:
            wanted[ref.entity][ref.id] = None
    found = set()
    for entity, ids in wanted.items():
        table = session.table(entity)
        statement = sa.select(table.c.id).where(table.c.id.in_(list(ids)), table.c.deleted_at.is_not(None))
        found |= {(entity, id) for id in session.execute(statement).scalars()}
    return found


def _fault(session: Session, field: Field, ref: Ref) -> Fault:
    """What has to come back first, by name where this person may know it."""
    title = shown.title(session, ref)
    label = session.model.entities[ref.entity].label
    by_name = "It links to {entity} “{title}”, which is in the recycle bin. Restore that first."
    message = by_name if title else "It links to {entity} in the recycle bin. Restore that first."
    return Fault(
        "restrict", message, field.key, {"entity": label, "title": title, "key": ref.entity, "id": str(ref.id)}
    )
