"""Linking and unlinking two records from either side, with the links' own columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis.formula.types import Ref, Value
from trellis.records import faults
from trellis.records.deriving import rollups
from trellis.records.draft import Draft, Event
from trellis.records.graph import StoreGraph
from trellis.records.reading import catalog
from trellis.records.recycling.bin import reach_or_raise
from trellis.records.refusal import Fault, Refused
from trellis.records.versions import history
from trellis.records.writing import linked, locks, values, write

if TYPE_CHECKING:
    from trellis.records.session import Session


def link(
    session: Session, entity: str, id: UUID, field: str, target: Ref | UUID, columns: Mapping[str, Any], *, means: str
) -> None:
    """Link a record with another: needs update on the side that is edited and read on the other."""
    side = _side(session, entity, field)
    other = target.id if isinstance(target, Ref) else target
    if side is None:
        _set_inverse(session, entity, id, field, other, linked_now=True, means=means)
        return
    draft, near, far = _open(session, entity, id, other, side, means)
    definition = session.entity(side.owner).fields[side.field]
    parsed = linked.parse_columns(draft, definition, columns, "")
    before = linked.stored_columns(session, session.entity(side.owner), definition, near)
    for column in catalog.link_columns(definition).values():
        if column.required and parsed.get(column.key) is None and (far not in before or column.key in parsed):
            draft.fault(faults.required(column.key))
    write.refuse([draft])
    linked.put(session, side.owner, definition, near, far, parsed)
    told = linked.tell(draft, definition, before, {far: parsed})
    if far not in before:
        _after(session, entity, id, field, side, near, far, other, "link", means)
    elif told:  # it was linked, and keeps something else now
        _touch(session, side.owner, near)
        rollups.after_link(session, side.owner, side.field, near, far)
    if told:
        history.record_plain(session, side.owner, [near], "update", means, told)


def unlink(session: Session, entity: str, id: UUID, field: str, target: Ref | UUID, *, means: str) -> None:
    """Take a link away."""
    side = _side(session, entity, field)
    other = target.id if isinstance(target, Ref) else target
    if side is None:
        _set_inverse(session, entity, id, field, other, linked_now=False, means=means)
        return
    _, near, far = _open(session, entity, id, other, side, means)
    table = session.tables.links[side.owner, side.field]
    owner = session.entity(side.owner)
    kept = linked.stored_columns(session, owner, owner.fields[side.field], near).get(far, {})
    gone = session.execute(sa.delete(table).where(table.c.source == near, table.c.target == far)).rowcount
    if gone:
        _after(session, entity, id, field, side, near, far, other, "unlink", means, kept)


class _Side:
    """Whose many-to-many it is, and which end the edited record is."""

    def __init__(self, owner: str, field: str, other: str, *, is_owner: bool) -> None:
        self.owner = owner
        self.field = field
        self.other = other
        self.is_owner = is_owner


def _side(session: Session, entity: str, name: str) -> _Side | None:
    """The side of a many-to-many; None for an inverse list of plain links."""
    definition = session.entity(entity)
    found = definition.fields.get(name)
    if found is not None and found.type.formula_type().kind == "records" and not session.permit.hides(entity, name):
        return _Side(entity, name, found.type.formula_type().entities[0], is_owner=True)
    inverse = definition.inverses.get(name)
    if inverse is None or session.permit.hides(entity, name):
        raise Refused([faults.unknown_field(session, entity, name)])
    return _Side(inverse.entity, inverse.field, inverse.entity, is_owner=False) if inverse.many else None


def _open(session: Session, entity: str, id: UUID, other: UUID, side: _Side, means: str) -> tuple[Draft, UUID, UUID]:
    draft = write.open_for_update(session, entity, id, means=means)
    write.refuse([draft])  # what is locked
    reach_or_raise(session, side.other, other, "read", deleted=False)
    owner = draft if side.is_owner else _owner(session, side.owner, other, means)
    if (closed := values.closed(session, owner, owner.entity.fields[side.field])) is not None:
        raise Refused([closed])
    return (draft, id, other) if side.is_owner else (draft, other, id)


def _owner(session: Session, entity: str, id: UUID, means: str) -> Draft:
    """The record whose field is changed from the other side. Raises Refused when it is locked."""
    [stored] = StoreGraph(session).load(entity, [id])
    if (locked := locks.lock_on(session, stored)) is not None:
        raise Refused([locked])
    return Draft(stored.definition, stored.copy(), stored, means=means)


def _after(
    session: Session,
    entity: str,
    id: UUID,
    field: str,
    side: _Side,
    near: UUID,
    far: UUID,
    other: UUID,
    kind: str,
    means: str,
    kept: Mapping[str, Value] | None = None,
) -> None:
    _touch(session, entity, id)
    ref = Ref(side.other, other)
    told: dict[str, Any] = {"entity": ref.entity, "id": str(ref.id), "title": StoreGraph(session).title(ref)}
    definition = session.entity(side.owner).fields[side.field]
    columns = catalog.link_columns(definition) if definition.audit else {}
    if was := {k: columns[k].type.to_json(v) for k, v in (kept or {}).items() if k in columns and v is not None}:
        told["kept"] = was  # what the link kept, for the undoing and for looking back
    change = [field, None, [told]] if kind == "link" else [field, [told], None]
    history.record_plain(session, entity, [id], kind, means, [change])
    rollups.after_link(session, side.owner, side.field, near, far)
    session.emit([Event(f"{kind}ed", entity, id, means, {field: (None, ref) if kind == "link" else (ref, None)})])


def _touch(session: Session, entity: str, id: UUID) -> None:
    table = session.table(entity)
    now, me = session.reader.now, session.principal.id
    session.execute(
        sa.update(table).where(table.c.id == id).values(version=table.c.version + 1, updated_at=now, updated_by=me)
    )


def _set_inverse(
    session: Session, entity: str, id: UUID, name: str, other: UUID, *, linked_now: bool, means: str
) -> None:
    """An inverse list is edited by the link on its far side."""
    inverse = session.entity(entity).inverses[name]
    reach_or_raise(session, entity, id, "read", deleted=False)
    value = Ref(entity, id) if linked_now else None
    if not linked_now:
        draft = write.open_for_update(session, inverse.entity, other, means=means)
        if draft.before(inverse.field) != Ref(entity, id):
            raise Refused([Fault("link", "It is not linked here.", name)])
    write.update(session, inverse.entity, other, {inverse.field: value}, version=None, means=means)
