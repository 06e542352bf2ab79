"""Undoing a batch: what it made goes to the bin, what it changed goes back unless it was changed since, what it deleted
comes back. The undoing is a batch itself.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from dataclasses import field as dc_field
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from trellis.formula.types import Ref, Value
from trellis.model.entity import Entity
from trellis.model.fields.base import Invalid
from trellis.records.conversion import convert
from trellis.records.deriving import rollups
from trellis.records.draft import Draft
from trellis.records.reading import shown
from trellis.records.recycling import bin as recycle
from trellis.records.refusal import Fault, Forbidden, Missing, Refused
from trellis.records.versions import batches, history, keeping, relining, together
from trellis.records.writing import joining, lines, write

if TYPE_CHECKING:
    from trellis.records.session import Session
    from trellis.records.versions.batches import Batch

Along = dict[str, set[UUID]]  # what goes to the bin as well, by entity
KINDS = {"import": "create", "edit": "update", "delete": "delete", "restore": "restore"}  # the right that each needs


@dataclass(frozen=True, slots=True)
class Undone:
    """What became of one record: deleted, changed, restored, unchanged or refused; `faults` say what was left."""

    entity: str
    id: UUID
    title: str
    status: str
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Undoing:
    """What came of undoing a batch. `batch` is the undoing's own, None when nothing was changed."""

    batch: UUID | None
    rows: Sequence[Undone]

    @property
    def counts(self) -> Counter[str]:
        """How many by status."""
        return Counter(row.status for row in self.rows)


@dataclass
class Past:
    """What a batch did to one record, the newest entry first."""

    entity: str
    id: UUID
    entries: list[sa.RowMapping] = dc_field(default_factory=list)

    def did(self, kind: str) -> bool:
        """Whether it did this to the record."""
        return any(entry["kind"] == kind for entry in self.entries)

    @property
    def is_to_go(self) -> bool:
        """Whether the record was not there, or in the bin, before the batch."""
        return self.entries[-1]["kind"] in ("create", "restore")

    def spans(self) -> dict[str, list[Any]]:
        """Each changed field's value before the batch, and the one after it."""
        found: dict[str, list[Any]] = {}
        for entry in self.entries:
            if entry["kind"] in ("update", "convert"):
                for name, old, new in entry["changes"] or []:
                    found.setdefault(name, [old, new])[0] = old
        return found

    @property
    def version(self) -> int:
        """The version that the batch left."""
        return max((entry["version"] or 0 for entry in self.entries), default=0)


def undo(session: Session, id: UUID) -> Undoing:
    """Undo a batch of one's own, or as an administrator anybody's. Raises Missing, Forbidden, Refused."""
    row = batches.find(session, id, lock=True)
    _require_right(session, row)
    if row["undone_by"] is not None:
        raise Refused([Fault("undone", "It has been undone already.", None)])
    pasts = list(_pasts(session, id))
    along: Along = defaultdict(set)
    for past in pasts:
        if past.is_to_go:
            along[past.entity].add(past.id)
    was_unlocked = session.is_unlocked
    session.is_unlocked = True
    found: dict[tuple[str, UUID], tuple[str, tuple[Fault, ...]]] = {}
    try:
        with batches.within(session, "undo", row["entity"], undoes=id) as batch, session.as_system():
            waiting = pasts
            while waiting:
                again: list[Past] = []
                for run in together.runs(session, waiting):
                    for past, result in zip(run, _several(session, run, along), strict=True):
                        found[past.entity, past.id] = result
                        if result[0] == "refused" and past.did("delete"):
                            again.append(past)  # what it belongs to may come back later
                if len(again) == len(waiting):
                    break
                waiting = again
            _comments_back(session, row["data"] or {}, batch)
    finally:
        session.is_unlocked = was_unlocked
    is_done = any(status in ("deleted", "changed", "restored") for status, _ in found.values())
    if is_done:
        _mark(session, row, batch)
    titles = shown.titles(session, [Ref(p.entity, p.id) for p in pasts])
    told = [Undone(p.entity, p.id, titles.get((p.entity, p.id), ""), *found[p.entity, p.id]) for p in pasts]
    return Undoing(batch.id if is_done else None, told)


def _require_right(session: Session, row: sa.RowMapping) -> None:
    """Who made the batch and may still do such things; administrators."""
    permit, entity, kind = session.permit, row["entity"], row["kind"]
    if permit.allows("admin") or entity not in session.model.entities:
        return
    allowed = convert.may(session, entity) if kind == "convert" else permit.may(KINDS.get(kind, "update"), entity)
    if not allowed:
        raise Forbidden(entity, "undo")


def _pasts(session: Session, id: UUID) -> Iterator[Past]:
    """The records that a batch touched, the last one first."""
    table = session.tables.platform.history
    statement = sa.select(table).where(table.c.batch == id).order_by(table.c.id.desc())
    found: dict[tuple[str, UUID], Past] = {}
    for row in session.execute(statement).mappings():
        key = (row["entity"], row["record"])
        found.setdefault(key, Past(*key)).entries.append(row)
    yield from (past for past in found.values() if past.entity in session.model.entities)


def _several(session: Session, run: Sequence[Past], along: Along) -> list[tuple[str, tuple[Fault, ...]]]:
    """Undo a run of records at once, or where one of them is refused each for itself."""
    if len(run) > 1:
        try:
            with session.connection.begin_nested():
                return together.undo(session, run, along, _field_back)
        except (Refused, Forbidden, Missing, IntegrityError):
            pass
    return [_one(session, past, along) for past in run]


def _one(session: Session, past: Past, along: Along) -> tuple[str, tuple[Fault, ...]]:
    """Undo what was done to one record; a refusal leaves it as it is."""
    try:
        with session.connection.begin_nested():
            return _undo_one(session, past, along)
    except Refused as refused:
        return "refused", refused.faults
    except Forbidden:
        return "refused", (Fault("forbidden", "You are not allowed to change this.", None),)
    except Missing:
        return "refused", (Fault("missing", "It does not exist any more.", None),)
    except IntegrityError:
        return "refused", (Fault("database", "The database refuses this.", None),)


def _undo_one(session: Session, past: Past, along: Along) -> tuple[str, tuple[Fault, ...]]:
    state = _state(session, past)
    if state is None:
        raise Missing(f"{past.entity} {past.id}")
    version, is_live = state
    if past.is_to_go:
        if not is_live:
            return "unchanged", ()
        recycle.delete(session, past.entity, past.id, means="undo", along=along)
        changed = past.version and version > past.version
        return "deleted", (Fault("since", "It had been changed since.", None),) if changed else ()
    restored = past.did("delete") and not is_live
    if restored:
        recycle.restore(session, past.entity, past.id, means="undo")
    if not restored and not is_live:
        return "refused", (Fault("since", "It is in the recycle bin.", None),)
    changed, faults = _change_back(session, past)
    if restored:
        return "restored", faults
    if changed:
        return "changed", faults
    return ("refused" if faults else "unchanged"), faults


def _state(session: Session, past: Past) -> tuple[int, bool] | None:
    """The record's version, and whether it is live; None when it is gone for good."""
    table = session.table(past.entity)
    statement = sa.select(table.c.version, table.c.deleted_at).where(table.c.id == past.id)
    row: Any = session.execute(statement.with_for_update()).first()
    return None if row is None else (row[0], row[1] is None)


def _change_back(session: Session, past: Past) -> tuple[bool, tuple[Fault, ...]]:
    """Give fields their old values, except those that were changed since; whether any was given back."""
    spans = past.spans()
    faults: list[Fault] = []
    changed = _links_back(session, past, faults)
    entity = session.model.entities[past.entity]
    moved = relining.steps(session, entity, [e for e in past.entries if e["kind"] in ("update", "convert")])
    if spans:
        draft = write.open_for_update(session, past.entity, past.id, means="undo")
        given = relining.undone(session, draft, moved, faults)
        back = [name for name, (old, new) in spans.items() if _field_back(session, draft, name, old, new, faults)]
        if keeping.give_back(session, draft, spans, faults) or back or given:
            came = [UUID(told[0].partition(".")[2]) for told in draft.told]
            lines.take(session, draft, given)
            write.derive(draft)
            write.check_all(session, [draft])
            write.refuse([draft])
            write.store_changed(session, [draft])
            for name in given:
                rollups.after_membership(session, entity.inverses[name].entity, came)
            changed = True
    return changed, tuple(faults)


def _field_back(session: Session, draft: Draft, name: str, old: Any, new: Any, faults: list[Fault]) -> bool:
    """Set one field back; a fault says why it stays."""
    field = draft.entity.fields.get(name)
    if field is None:
        return False  # a row, or what the entity no longer has
    if field.is_derived:
        return False
    if history.SECRET in (old, new):
        faults.append(Fault("secret", "Secrets are not kept in the history.", name))
        return False
    try:
        before, after = (_parsed(session, draft.entity, name, v) for v in (old, new))
    except Invalid:
        faults.append(Fault("since", "The field is another one since.", name))
        return False
    now = draft.value(name)
    if field.type.same(now, before) if now is not None and before is not None else now == before:
        return False
    if not (now == after if now is None or after is None else field.type.same(now, after)):
        faults.append(Fault("since", "It has been changed since.", name))
        return False
    draft.set(name, before)
    draft.given[name] = before
    return True


def _parsed(session: Session, entity: Entity, name: str, value: Any) -> Value:
    return None if value is None else entity.fields[name].type.parse(value, session.reader)


def _links_back(session: Session, past: Past, faults: list[Fault]) -> bool:
    """Take away links that were made, and make those that were taken away."""
    changed = False
    for entry in past.entries:
        if entry["kind"] not in ("link", "unlink"):
            continue
        for name, old, new in entry["changes"] or []:
            for told in (new if entry["kind"] == "link" else old) or []:
                target = Ref(told["entity"], UUID(told["id"]))
                try:
                    if entry["kind"] == "link":
                        joining.unlink(session, past.entity, past.id, name, target, means="undo")
                    else:
                        kept = told.get("kept") or {}
                        joining.link(session, past.entity, past.id, name, target, kept, means="undo")
                    changed = True
                except (Refused, Missing):
                    faults.append(Fault("since", "It has been changed since.", name))
    return changed


def _comments_back(session: Session, data: dict[str, Any], batch: Batch) -> None:
    """Comments that followed a converted record go back to it."""
    moved = data.get("comments")
    if not moved:
        return
    table = session.tables.platform.comment
    entity, record = moved["from"]
    ids = [UUID(id) for id in moved["ids"]]
    where = sa.select(table.c.entity, table.c.record).where(table.c.id.in_(ids)).limit(1)
    now: Any = session.execute(where).first()
    if now is not None:
        batch.data["comments"] = {"from": [now[0], str(now[1])], "ids": moved["ids"]}
    session.execute(sa.update(table).where(table.c.id.in_(ids)).values(entity=entity, record=UUID(record)))


def _mark(session: Session, row: sa.RowMapping, batch: Batch) -> None:
    """Note that the batch is undone; what an undoing had undone holds again."""
    table = session.tables.platform.batch
    session.execute(sa.update(table).where(table.c.id == row["id"]).values(undone_by=batch.id))
    if row["undoes"] is not None:
        session.execute(sa.update(table).where(table.c.id == row["undoes"]).values(undone_by=None))
