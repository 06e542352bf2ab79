"""The recycle bin: records go in with their parts, come back with them, or are purged for good."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis.formula.sql.scope import SqlScope
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.records.deriving import rollups
from trellis.records.draft import Draft, Event
from trellis.records.graph import LiveRecord, StoreGraph
from trellis.records.merging import lookup
from trellis.records.privacy.holding import kept_by_law
from trellis.records.reading.catalog import system_scope
from trellis.records.recycling import orphans
from trellis.records.refusal import Fault, Forbidden, Missing, Refused
from trellis.records.sharing import shares
from trellis.records.versions import history
from trellis.records.writing import locks, unique
from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.records.session import Session

Found = dict[str, dict[UUID, None]]  # records by entity, in the order in which they were found
Clearing = tuple[str, Field, list[UUID]]  # the holders of a link that is cleared


def delete(
    session: Session, entity: str, id: UUID, *, means: str, along: Mapping[str, Collection[UUID]] | None = None
) -> None:
    """Put a record into the bin, with its parts and what cascades; Refused when something holds it, unless that goes
    along.
    """
    delete_all(session, entity, [id], means=means, along=along)


def delete_all(
    session: Session,
    entity: str,
    ids: Sequence[UUID],
    *,
    means: str,
    along: Mapping[str, Collection[UUID]] | None = None,
) -> None:
    """Put records into the bin as `delete` does, all of them or none."""
    reach_all_or_raise(session, entity, ids, "delete", deleted=False)
    delete_together(session, entity, ids, means=means, along=along)


def delete_together(
    session: Session,
    entity: str,
    wanted: Sequence[UUID],
    *,
    means: str,
    along: Mapping[str, Collection[UUID]] | None = None,
) -> None:
    """Put live records, which the caller has locked and may delete, into the bin: all of them, or Refused."""
    going: Found = defaultdict(dict)
    clearing: list[Clearing] = []
    _collect(session, entity, wanted, going, clearing)
    _refuse_locked(session, going)
    _refuse_hooked(session, going)
    _refuse_held(session, going, along or {})
    for holder, field, holders in clearing:
        _clear(session, holder, field, holders, means)
    now, me = session.reader.now, session.principal.id
    for key, ids in going.items():
        table = session.table(key)
        session.execute(
            sa.update(table)
            .where(table.c.id.in_(list(ids)))
            .values(deleted_at=now, deleted_by=me, updated_at=now, updated_by=me, version=table.c.version + 1)
        )
        history.record_plain(session, key, ids, "delete", means, [])
    for key, ids in going.items():
        rollups.after_membership(session, key, ids)
    session.emit([Event("deleted", key, one, means) for key, ids in going.items() for one in ids])


def reach_or_raise(session: Session, entity: str, id: UUID, action: str, *, deleted: bool) -> None:
    """Lock the record; Missing when this person cannot read it, Forbidden when the action is not allowed with it."""
    reach_all_or_raise(session, entity, [id], action, deleted=deleted)


def reach_all_or_raise(session: Session, entity: str, ids: Sequence[UUID], action: str, *, deleted: bool) -> None:
    """Lock records; Missing when this person cannot read all of them, Forbidden when one does not allow the action."""
    session.entity(entity)
    scope = system_scope(session, entity)
    table = scope.alias
    readable, allowed = (_flag(session, act, scope) for act in ("read", action))
    state = table.c.deleted_at.is_not(None) if deleted else table.c.deleted_at.is_(None)
    columns = (table.c.id, readable.label("readable"), allowed.label("allowed"))
    statement = sa.select(*columns).select_from(scope.joined()).where(table.c.id.in_(list(ids)), state)
    rows = session.execute(statement.order_by(table.c.id).with_for_update(of=table)).mappings().all()
    seen = [row["id"] for row in rows if row["readable"]]
    if deleted and seen and lookup.winners(session, entity, seen):
        raise Refused([Fault("merged", "It was merged into another record. Undo the merge to have it back.")])
    if len(seen) < len(set(ids)):
        raise Missing(f"{entity} {', '.join(str(id) for id in ids if id not in seen)}")
    if not all(row["allowed"] for row in rows):
        raise Forbidden(entity, action)


def _flag(session: Session, action: str, scope: SqlScope) -> sa.ColumnElement[bool]:
    reach = session.permit.reach(action, scope)
    return sa.true() if reach is None else sa.func.coalesce(reach, sa.false())


def _links_to(session: Session, entity: str) -> list[tuple[Entity, Field]]:
    """Every stored link that may point at the entity, with or without an inverse list."""
    found = []
    for other in session.model.entities.values():
        for field in other.stored_fields():
            kind = field.type.formula_type()
            if kind.kind == "record" and not field.system and (not kind.entities or entity in kind.entities):
                found.append((other, field))
    return found


def _pointing(
    session: Session, other: Entity, field: Field, entity: str, ids: Sequence[UUID], *, live: bool | None
) -> list[UUID]:
    table = session.table(other.key)
    statement = sa.select(table.c.id).where(table.c[short(field.key)].in_(ids))
    if "_entity" in field.type.columns():
        statement = statement.where(table.c[short(f"{field.key}_entity")] == entity)
    if live is not None:
        statement = statement.where(table.c.deleted_at.is_(None) if live else table.c.deleted_at.is_not(None))
    return list(session.execute(statement).scalars())


def on_delete(entity: Entity, field: Field) -> str:
    """What becomes of a record when the one it links to is deleted: parts follow their parent."""
    if entity.part_of and entity.parent_field == field.key:
        return "cascade"
    return str(getattr(field.type, "on_delete", "restrict"))


def _collect(session: Session, entity: str, ids: Sequence[UUID], going: Found, clearing: list[Clearing]) -> None:
    """Find everything that goes along, and the links that are cleared."""
    new = [id for id in ids if id not in going[entity]]
    if not new:
        return
    going[entity].update(dict.fromkeys(new))
    for other, field in _links_to(session, entity):
        what = on_delete(other, field)
        if what == "cascade":
            _collect(session, other.key, _pointing(session, other, field, entity, new, live=True), going, clearing)
        elif what == "clear":
            found = _pointing(session, other, field, entity, new, live=True)
            if found:
                clearing.append((other.key, field, found))


def _refuse_locked(session: Session, going: Found) -> None:
    """Raise when something that goes is read-only for good."""
    faults: list[Fault] = []
    for key, ids in going.items():
        if locks.may_be_locked(session, key):
            records = StoreGraph(session).load(key, list(ids))
            faults.extend(fault for record in records if (fault := locks.lock_on(session, record)) is not None)
    if faults:
        raise Refused(faults[:1])


def _refuse_hooked(session: Session, going: Found) -> None:
    """Raise when automation refuses the deletion of something that goes."""
    faults: list[Fault] = []
    for key, deleting in session.hooks.deleting.items():
        if going.get(key):
            faults.extend(deleting(StoreGraph(session).load(key, list(going[key]))))
    if faults:
        raise Refused(faults)


def _refuse_held(session: Session, going: Found, along: Mapping[str, Collection[UUID]]) -> None:
    """Raise when a record that stays, in the bin or not, holds on to one that goes."""
    faults = []
    for key, ids in list(going.items()):
        for other, field in _links_to(session, key):
            if on_delete(other, field) != "restrict":
                continue
            holders = _pointing(session, other, field, key, list(ids), live=None)
            leaving = {*going.get(other.key, ()), *along.get(other.key, ())}
            staying = [h for h in holders if h not in leaving]
            if staying:
                faults.append(_held_by(session, other, field, staying))
    if faults:
        raise Refused(faults)


def _held_by(session: Session, other: Entity, field: Field, ids: Sequence[UUID]) -> Fault:
    """What holds the record, by name as far as this person may read it."""
    from trellis.records.recycling import deletion

    return deletion.held_by(session, other, field, ids)


def _clear(session: Session, holder: str, field: Field, ids: Sequence[UUID], means: str) -> None:
    """Blank the links of the holders, which keeps its own history."""
    table = session.table(holder)
    graph = StoreGraph(session)
    holders = graph.load(holder, ids)
    values = {short(field.key + suffix): None for suffix in field.type.columns()}
    session.execute(sa.update(table).where(table.c.id.in_(list(ids))).values(**values, version=table.c.version + 1))
    for record in holders:
        draft = Draft(record.definition, record.copy(), record, means=means)
        draft.set(field.key, None)
        history.record(session, [draft], "update")
        rollups.after_drafts(session, [draft])


def restore(session: Session, entity: str, id: UUID, *, means: str) -> dict[str, int]:
    """Take a record out of the bin, with everything that went in with it, which is counted by entity. Refused when it
    would break uniqueness, or needs what is in the bin itself; links that clear are blank then.
    """
    action = "restore"
    reach_or_raise(session, entity, id, action, deleted=True)
    table = session.table(entity)
    at = session.execute(sa.select(table.c.deleted_at).where(table.c.id == id)).scalar_one()
    return restore_together(session, entity, [id], at, means=means)


def restore_all(session: Session, entity: str, ids: Sequence[UUID], *, means: str) -> None:
    """Take records out of the bin as `restore` does, all of them or none, those of one moment together."""
    reach_all_or_raise(session, entity, ids, "restore", deleted=True)
    table = session.table(entity)
    moments: dict[UUID, datetime] = {
        row.id: row.deleted_at
        for row in session.execute(sa.select(table.c.id, table.c.deleted_at).where(table.c.id.in_(list(ids))))
    }
    for at in dict.fromkeys(moments[id] for id in ids):
        restore_together(session, entity, [id for id in ids if moments[id] == at], at, means=means)


def restore_together(
    session: Session, entity: str, wanted: Sequence[UUID], at: datetime, *, means: str
) -> dict[str, int]:
    """Take records out of the bin that went in at one moment, and that the caller has locked and may restore."""
    coming: Found = defaultdict(dict)
    _collect_back(session, entity, wanted, at, coming)
    _refuse_orphans(session, entity, wanted)
    graph = StoreGraph(session)
    now, me = session.reader.now, session.principal.id
    clearing: list[Clearing] = []
    for key, ids in coming.items():
        records = graph.load(key, ids)
        clearing += orphans.settle(session, key, records, coming)
        drafts = [_as_new(r) for r in records]
        unique.check(session, drafts)
        found = [f for d in drafts for f in d.all_faults()]
        if found:
            raise Refused(found)
    for key, ids in coming.items():
        one = session.table(key)
        session.execute(
            sa.update(one)
            .where(one.c.id.in_(list(ids)))
            .values(deleted_at=None, deleted_by=None, updated_at=now, updated_by=me, version=one.c.version + 1)
        )
        history.record_plain(session, key, ids, "restore", means, [])
    for holder, field, holders in clearing:
        _clear(session, holder, field, holders, means)
    for key, ids in coming.items():
        rollups.after_membership(session, key, ids)
        own = {(key, f.key): set(ids) for f in session.model.entities[key].fields.values() if f.rollup is not None}
        rollups.recompute(session, own)
    session.emit([Event("restored", key, one, means) for key, ids in coming.items() for one in ids])
    return {key: n for key, ids in coming.items() if (n := len(ids) - len(wanted) * (key == entity))}


def _as_new(record: LiveRecord) -> Draft:
    return Draft(record.definition, record.copy(), None)


def _collect_back(session: Session, entity: str, ids: Sequence[UUID], at: Any, coming: Found) -> None:
    new = [id for id in ids if id not in coming[entity]]
    if not new:
        return
    coming[entity].update(dict.fromkeys(new))
    for other, field in _links_to(session, entity):
        if on_delete(other, field) == "cascade":
            table = session.table(other.key)
            found = _pointing(session, other, field, entity, new, live=False)
            same = sa.select(table.c.id).where(table.c.id.in_(found), table.c.deleted_at == at)
            _collect_back(session, other.key, list(session.execute(same).scalars()), at, coming)


def _refuse_orphans(session: Session, entity: str, ids: Sequence[UUID]) -> None:
    """A part comes back with its parent, or when its parent is there."""
    definition = session.model.entities[entity]
    if not definition.part_of or not definition.parent_field:
        return
    table, parent = session.table(entity), session.table(definition.part_of)
    statement = sa.select(parent.c.deleted_at).join(table, table.c[short(definition.parent_field)] == parent.c.id)
    gone = statement.where(table.c.id.in_(list(ids)), parent.c.deleted_at.is_not(None)).limit(1)
    if session.execute(gone).first() is not None:
        raise Refused(
            [Fault("restrict", "It belongs to a record in the recycle bin. Restore that one.", definition.parent_field)]
        )


def purge(session: Session, entity: str, id: UUID, *, means: str) -> None:
    """Remove a record in the bin for good, with its parts in the bin; the history stays."""
    purge_all(session, entity, [id], means=means)


def purge_all(session: Session, entity: str, wanted: Sequence[UUID], *, means: str) -> None:
    """Remove records in the bin for good as `purge` does, all of them or none."""
    reach_all_or_raise(session, entity, wanted, "delete", deleted=True)
    going: Found = defaultdict(dict)
    _collect_for_good(session, entity, wanted, going)
    held = kept_by_law(session, going) or _holders_for_good(session, going)
    if held:
        raise Refused(held)
    for key, ids in going.items():
        history.record_plain(session, key, ids, "purge", means, [])
        for (owner, _), links in session.tables.links.items():
            if owner == key:
                session.execute(sa.delete(links).where(links.c.source.in_(list(ids))))
        for (owner, name), links in session.tables.links.items():
            if session.model.entities[owner].fields[name].type.formula_type().entities[0] == key:
                session.execute(sa.delete(links).where(links.c.target.in_(list(ids))))
        shares.forget(session, key, ids)
        table = session.table(key)
        session.execute(sa.delete(table).where(table.c.id.in_(list(ids))))
    session.emit([Event("purged", key, one, means) for key, ids in going.items() for one in ids])


def _collect_for_good(session: Session, entity: str, ids: Sequence[UUID], going: Found) -> None:
    new = [id for id in ids if id not in going[entity]]
    if not new:
        return
    going[entity].update(dict.fromkeys(new))
    for other, field in _links_to(session, entity):
        if on_delete(other, field) == "cascade":
            _collect_for_good(session, other.key, _pointing(session, other, field, entity, new, live=False), going)


def _holders_for_good(session: Session, going: Found) -> list[Fault]:
    """What still points at records that would be gone; links that are cleared are, also in the bin."""
    faults = []
    for key, ids in list(going.items()):
        for other, field in _links_to(session, key):
            holders = [
                h
                for h in _pointing(session, other, field, key, list(ids), live=None)
                if h not in going.get(other.key, {})
            ]
            if not holders:
                continue
            if on_delete(other, field) == "clear":
                table = session.table(other.key)
                blank = {short(field.key + suffix): None for suffix in field.type.columns()}
                session.execute(sa.update(table).where(table.c.id.in_(holders)).values(**blank))
            else:
                faults.append(_held_by(session, other, field, holders))
    return faults
