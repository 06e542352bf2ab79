"""Many records at once: imports and bulk edits, each row with an outcome of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from trellis.formula.formula import Formula
from trellis.records.access import rights
from trellis.records.draft import Draft
from trellis.records.reading import filtering
from trellis.records.reading.selection import Selection
from trellis.records.record import Outcome
from trellis.records.recycling import bin as recycle
from trellis.records.recycling import orphans
from trellis.records.refusal import Fault, Forbidden, Missing, Refused
from trellis.records.writing import write

if TYPE_CHECKING:
    from trellis.records.session import Session

CHUNK = 500
MOST = 100_000


def create_many(session: Session, entity: str, rows: Sequence[Mapping[str, Any]], *, means: str) -> list[Outcome]:
    """Create records, many rows to a statement; a refused row holds up no other."""
    outcomes: list[Outcome] = []
    for start in range(0, len(rows), CHUNK):
        outcomes.extend(_create_chunk(session, entity, rows[start : start + CHUNK], means))
    return outcomes


def _create_chunk(session: Session, entity: str, rows: Sequence[Mapping[str, Any]], means: str) -> list[Outcome]:
    drafts = write.create_drafts(session, entity, rows, means=means)
    faults = [tuple(d.all_faults()) for d in drafts]
    good = [d for d, wrong in zip(drafts, faults, strict=True) if not wrong]
    late: dict[int, tuple[Fault, ...]] = {}
    if good:
        try:
            with session.connection.begin_nested():
                write.store_new(session, good)
        except (Refused, Forbidden, IntegrityError):
            late = _one_by_one(session, good)
    outcomes = []
    for draft, wrong in zip(drafts, faults, strict=True):
        wrong = wrong or late.get(id(draft), ())
        outcomes.append(Outcome("refused", None, wrong) if wrong else Outcome("created", draft.record.id))
    return outcomes


def _one_by_one(session: Session, drafts: Sequence[Draft]) -> dict[int, tuple[Fault, ...]]:
    """Store drafts singly, to find the one that the database refuses."""
    refused: dict[int, tuple[Fault, ...]] = {}
    for draft in drafts:
        try:
            with session.connection.begin_nested():
                write.store_new(session, [draft])
        except Refused as error:
            refused[id(draft)] = error.faults
        except Forbidden:
            refused[id(draft)] = (Fault("forbidden", "You are not allowed to create this.", None),)
    return refused


def update_many(
    session: Session,
    entity: str,
    changes: Sequence[tuple[UUID, Mapping[str, Any]]],
    *,
    means: str,
    confirmed: bool = True,
) -> list[Outcome]:
    """Change records, each with values of its own, many to a statement; a refused one holds up no other.

    Unconfirmed, what only warns is a refusal too. Raises Forbidden for a person without the right `bulk-edit`.
    """
    rights.require_many(session, entity, means)
    outcomes: list[Outcome] = []
    for start in range(0, len(changes), CHUNK):
        chunk = changes[start : start + CHUNK]
        out = rights.out_of_many(session, entity, [id for id, _ in chunk], means)
        within = [(id, values) for id, values in chunk if id not in out]
        if len({id for id, _ in within}) == len(within):
            done = _update_chunk(session, entity, within, means, confirmed)
        else:  # the same record again: the second change builds on the first
            done = [_update_one(session, entity, id, values, means, confirmed) for id, values in within]
        rest = iter(done)
        outcomes.extend(_outcome(id, Forbidden(entity, "bulk-edit")) if id in out else next(rest) for id, _ in chunk)
    return outcomes


def _update_chunk(
    session: Session, entity: str, changes: Sequence[tuple[UUID, Mapping[str, Any]]], means: str, confirmed: bool
) -> list[Outcome]:
    opened = write.open_many(session, entity, [id for id, _ in changes], means=means)
    drafts = [(found, values) for id, values in changes if isinstance(found := opened[id], Draft)]
    for draft, values in drafts:
        write.prepare(session, draft, values)
    write.check_all(session, [draft for draft, _ in drafts])
    if not confirmed:
        for draft, _ in drafts:
            draft.faults.extend(draft.warnings)
    good = [draft for draft, _ in drafts if not draft.all_faults()]
    late: dict[UUID, Outcome] = {}
    try:
        with session.connection.begin_nested():
            write.store_changed(session, good)
    except (Refused, Forbidden, IntegrityError):  # one that the database refuses: found by doing them singly
        ids = {draft.record.id for draft in good}
        again = [(id, values) for id, values in changes if id in ids]
        late = {id: _update_one(session, entity, id, values, means, confirmed) for id, values in again}
    for draft, values in drafts:  # a value that another record of the batch has given up by now is free
        if any(fault.code == "unique" for fault in draft.all_faults()):
            late[draft.record.id] = _update_one(session, entity, draft.record.id, values, means, confirmed)
    return [late.get(id) or _outcome(id, opened[id]) for id, _ in changes]


def _outcome(id: UUID, found: Draft | Refused | Missing | Forbidden) -> Outcome:
    """What became of one record."""
    if isinstance(found, Refused):
        return Outcome("refused", id, found.faults)
    if isinstance(found, Missing):
        return Outcome("refused", id, (Fault("missing", "There is no such record.", None),))
    if isinstance(found, Forbidden):
        return Outcome("refused", id, (Fault("forbidden", "You are not allowed to change this.", None),))
    if faults := found.all_faults():
        return Outcome("refused", id, tuple(faults))
    return Outcome("updated" if found.is_written else "unchanged", id)


def _update_one(
    session: Session, entity: str, id: UUID, values: Mapping[str, Any], means: str, confirmed: bool
) -> Outcome:
    try:
        with session.connection.begin_nested():
            draft = write.update(session, entity, id, values, version=None, means=means, confirmed=confirmed)
    except Refused as error:
        return Outcome("refused", id, error.faults)
    except (Missing, Forbidden) as error:
        return _outcome(id, error)
    return _outcome(id, draft)


def delete_many(session: Session, entity: str, ids: Sequence[UUID], *, means: str) -> list[Outcome]:
    """Put records into the bin; one that is held holds up no other."""
    rights.require_many(session, entity, means)
    out = rights.out_of_many(session, entity, ids, means)
    done = _moved(session, recycle.delete_all, "deleted", entity, [id for id in ids if id not in out], means)
    return _in_order(entity, ids, done)


def restore_many(session: Session, entity: str, ids: Sequence[UUID], *, means: str) -> list[Outcome]:
    """Take records out of the bin, those that others of them link to first."""
    rights.require_many(session, entity, means)
    out = rights.out_of_many(session, entity, ids, means)
    order = [id for id in orphans.in_order(session, entity, ids) if id not in out]
    return _in_order(entity, ids, _moved(session, recycle.restore_all, "restored", entity, order, means))


def purge_many(session: Session, entity: str, ids: Sequence[UUID], *, means: str) -> list[Outcome]:
    """Remove records in the bin for good; those that another of them held are tried again once that one is gone."""
    rights.require_many(session, entity, means)
    out = rights.out_of_many(session, entity, ids, means)
    done: dict[UUID, Outcome] = {}
    waiting = [id for id in dict.fromkeys(ids) if id not in out]
    while waiting:
        done |= _moved(session, recycle.purge_all, "purged", entity, waiting, means)
        held = [id for id in waiting if done[id].status == "refused"]
        waiting = held if len(held) < len(waiting) else []
    return _in_order(entity, ids, done)


def _moved(
    session: Session, do: Callable[..., object], status: str, entity: str, ids: Sequence[UUID], means: str
) -> dict[UUID, Outcome]:
    """Do it to all at once; where one is refused by halves, so that it holds up no other."""
    done: dict[UUID, Outcome] = {}
    parts = [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)][::-1]
    while parts:
        part = parts.pop()
        try:
            with session.connection.begin_nested():
                do(session, entity, part, means=means)
        except (Refused, Missing, Forbidden) as error:
            if len(part) > 1:
                half = len(part) // 2
                parts += [part[half:], part[:half]]
            else:
                done[part[0]] = _outcome(part[0], error)
        else:
            done |= {id: Outcome(status, id) for id in part}
    return done


def _in_order(entity: str, ids: Sequence[UUID], done: Mapping[UUID, Outcome]) -> list[Outcome]:
    """The outcomes as the ids were given; what is not among them may not be touched with many others."""
    return [done.get(id) or _outcome(id, Forbidden(entity, "bulk-edit")) for id in ids]


def update_where(
    session: Session,
    entity: str,
    where: Sequence[Formula | str],
    values: Mapping[str, Any],
    *,
    q: str | None = None,
    means: str = "bulk",
) -> list[Outcome]:
    """Change every record that matches and that this person may read."""
    rights.require_many(session, entity, means)
    return update_many(session, entity, [(id, values) for id in matching(session, entity, where, q=q)], means=means)


def matching(
    session: Session, entity: str, where: Sequence[Formula | str], *, q: str | None = None, limit: int = MOST
) -> list[UUID]:
    """The ids of all records that match."""
    filtering.require_readable(session, entity)
    selection = Selection(session, entity)
    place = selection.add(selection.alias.c.id)
    conditions = filtering.restrict(selection, filtering.compile_all(session, entity, where), q=q, many=True)
    statement = selection.select().where(*conditions).order_by(selection.alias.c.id).limit(limit)
    with filtering.in_time(session, where):
        rows = session.execute(statement).all()
    return [row[place] for row in rows]
