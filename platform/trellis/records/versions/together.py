"""Undoing many alike at once: a run of records of one entity that all go to the bin, or that all get fields back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis.records.draft import Draft
from trellis.records.merging import lookup
from trellis.records.recycling import bin as recycle
from trellis.records.refusal import Fault, Missing, Refused
from trellis.records.versions import keeping, relining
from trellis.records.writing import write

if TYPE_CHECKING:
    from trellis.records.session import Session
    from trellis.records.versions.undoing import Past

AT_ONCE = 500
Result = tuple[str, tuple[Fault, ...]]
FieldBack = Callable[["Session", Draft, str, Any, Any, list[Fault]], bool]
SINCE = Fault("since", "It had been changed since.", None)
IN_BIN = Fault("since", "It is in the recycle bin.", None)


def runs(session: Session, pasts: Sequence[Past]) -> Iterator[list[Past]]:
    """The records in their order, those together that follow each other and are alike."""
    run: list[Past] = []
    for past in pasts:
        if run and (
            len(run) >= AT_ONCE or _kind(session, past) is None or _kind(session, past) != _kind(session, run[0])
        ):
            yield run
            run = []
        run.append(past)
    if run:
        yield run


def _kind(session: Session, past: Past) -> tuple[str, str] | None:
    """What can be done to several at once; None for what has to be done singly."""
    if past.is_to_go:
        return past.entity, "delete"
    if all(entry["kind"] == "delete" for entry in past.entries):
        return past.entity, "restore"
    plain = all(entry["kind"] == "update" for entry in past.entries)
    entity = session.model.entities[past.entity]
    if plain and not relining.steps(session, entity, past.entries) and not keeping.spans_of(entity, past.spans()):
        return past.entity, "update"
    return None


def undo(
    session: Session, run: Sequence[Past], along: Mapping[str, Collection[UUID]], field_back: FieldBack
) -> list[Result]:
    """Undo all of a run; raises when one of them cannot be: then each is undone for itself."""
    table = session.table(run[0].entity)
    ids = [past.id for past in run]
    statement = sa.select(table.c.id, table.c.version, table.c.deleted_at).where(table.c.id.in_(ids))
    rows: Sequence[Any] = session.execute(statement.order_by(table.c.id).with_for_update()).all()
    states = {row[0]: (row[1], row[2] is None) for row in rows}
    if len(states) < len(run):
        raise Missing("one of them is gone for good")
    live = [id for id in ids if states[id][1]]
    if run[0].is_to_go:
        recycle.delete_together(session, run[0].entity, live, means="undo", along=along)
        return [_deleted(past, *states[past.id]) for past in run]
    if run[0].did("delete"):
        moments = {row[2] for row in rows if row[2] is not None}
        if len(moments) > 1:
            raise Missing("they went at several moments")  # each for itself, then
        gone = [id for id in ids if not states[id][1]]
        for at in moments:
            if lookup.winners(session, run[0].entity, gone):
                raise Missing("one of them was merged")
            recycle.restore_together(session, run[0].entity, gone, at, means="undo")
        return [("restored" if not states[past.id][1] else "unchanged", ()) for past in run]
    return _changed(session, run, set(live), field_back)


def _deleted(past: Past, version: int, was_live: bool) -> Result:
    if not was_live:
        return "unchanged", ()
    return "deleted", (SINCE,) if past.version and version > past.version else ()


def _changed(session: Session, run: Sequence[Past], live: set[UUID], field_back: FieldBack) -> list[Result]:
    opened = write.open_many(session, run[0].entity, list(live), means="undo")
    results: list[Result] = []
    drafts: list[Draft] = []
    for past in run:
        if past.id not in live:
            results.append(("refused", (IN_BIN,)))
            continue
        draft = opened[past.id]
        if not isinstance(draft, Draft):
            raise draft
        faults: list[Fault] = []
        spans = past.spans()
        back = [name for name, (old, new) in spans.items() if field_back(session, draft, name, old, new, faults)]
        if back:
            write.derive(draft)
            drafts.append(draft)
        results.append(("changed" if back else "refused" if faults else "unchanged", tuple(faults)))
    write.check_all(session, drafts)
    if any(draft.all_faults() for draft in drafts):
        raise Refused([fault for draft in drafts for fault in draft.all_faults()])
    write.store_changed(session, drafts)
    return results
