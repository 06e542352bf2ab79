"""Undoing a merge within thirty days: what nobody has changed since is as it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from trellis.formula.types import Ref
from trellis.records import auditing
from trellis.records.access import rights
from trellis.records.deriving import rollups
from trellis.records.draft import KEPT, Draft, Event
from trellis.records.graph import LiveRecord, StoreGraph, title_of
from trellis.records.merging.carried_shares import levels_back, shares_back
from trellis.records.merging.lookup import UNDO_FOR
from trellis.records.merging.merge import may_merge
from trellis.records.merging.moving import after_move, kept_rows, move_links
from trellis.records.merging.own_links import own_links
from trellis.records.merging.own_links import told as link_changes
from trellis.records.pipelines import stays
from trellis.records.recycling.bin import reach_or_raise
from trellis.records.refusal import Fault, Forbidden, Missing, Refused
from trellis.records.versions import history
from trellis.records.writing import rows, trees, unique, write

if TYPE_CHECKING:
    from trellis.records.session import Session


@dataclass(frozen=True, slots=True)
class Unmerged:
    """What came back, and what stays as it is because it was changed after the merge."""

    entity: str
    winner: UUID
    losers: tuple[UUID, ...]
    fields: tuple[str, ...]  # of the winner: changed since, so left alone
    records: int  # how many records that had moved lead elsewhere by now


def unmerge(session: Session, id: UUID, *, means: str) -> Unmerged:
    """Undo a merge. Refused when it is too late, undone already, or a later merge stands in the way."""
    done = session.tables.platform.merge
    row = session.execute(sa.select(done).where(done.c.id == id).with_for_update()).mappings().first()
    if row is None or row["entity"] not in session.model.entities:
        raise Missing(f"merge {id}")
    entity, winner = row["entity"], row["winner"]
    losers = _open(session, dict(row))
    graph = StoreGraph(session)
    [old] = graph.load(entity, [winner])
    links = own_links(session, Draft(old.definition, old, old))
    names, kept = _restore_values(session, entity, winner, row["before"], row["after"])
    back = StoreGraph(session).load(entity, losers)
    gone = session.tables.platform.merged
    session.execute(sa.delete(gone).where(gone.c.merge == id))
    _lead_back(session, entity, winner, losers)
    with rows.refusing_races(session, [Draft(old.definition, old, old)]):
        records = _move_back(session, id, entity, winner, back, means)
    _revive(session, entity, back)
    draft = _as_draft(session, entity, old, names, means)
    _settle(session, draft, losers)
    session.execute(
        sa.update(done).where(done.c.id == id).values(undone_at=session.reader.now, undone_by=session.principal.id)
    )
    told = [history.as_told(Ref(entity, r.id, title_of(r))) for r in back]
    changes = link_changes(draft, links, own_links(session, draft))
    history.record(session, [draft], "unmerge", [["merged", told, None], *changes])
    winner_told = history.as_told(Ref(entity, winner, title_of(draft.record)))
    history.record_plain(session, entity, losers, "unmerged", means, [["merged_into", winner_told, None]])
    auditing.note(session, "data.unmerged", entity=entity, record=winner, details={"losers": [str(i) for i in losers]})
    session.emit([Event("unmerged", entity, one, means) for one in (winner, *losers)])
    return Unmerged(entity, winner, tuple(losers), tuple(sorted(kept)), records)


def _open(session: Session, row: Mapping[str, Any]) -> list[UUID]:
    """The merged records, if this person may have them back and it can be done."""
    entity, winner = row["entity"], row["winner"]
    if row["undone_at"] is not None:
        raise Refused([Fault("merge", "This merge has been undone already.")])
    if not may_merge(session, entity):
        raise Forbidden(entity, "merge")
    gone = session.tables.platform.merged
    later = sa.select(gone.c.loser).where(gone.c.entity == entity, gone.c.loser == winner)
    if session.execute(later).first() is not None:
        raise Refused([Fault("merge", "The record was merged once more since. Undo that merge first.")])
    reach_or_raise(session, entity, winner, "update", deleted=False)
    if session.reader.now - row["at"] > UNDO_FOR:
        raise Refused([Fault("merge", "A merge can be undone within 30 days.")])
    losers = list(session.execute(sa.select(gone.c.loser).where(gone.c.merge == row["id"])).scalars())
    table = session.table(entity)
    held = sa.select(table.c.id).where(table.c.id.in_(losers)).order_by(table.c.id).with_for_update()
    there = set(session.execute(held).scalars())
    if not losers or there != set(losers):
        raise Refused([Fault("merge", "The merged records are no longer there.")])
    for action in ("update", "delete"):
        rights.require_all(session, action, entity, [winner, *losers])
    return losers


def _restore_values(
    session: Session, entity: str, winner: UUID, before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[list[str], set[str]]:
    """The winner's values of before, where they are still those of the merge; the fields done, and those left."""
    table = session.table(entity)
    fields = {
        name: field
        for field in session.model.entities[entity].stored_fields()
        if field.key not in KEPT and field.rollup is None
        for name in (table.c[column].name for column in _columns(session, entity, field.key))
        if name in before
    }
    row = table.table_valued()
    now = session.execute(sa.select(sa.func.to_jsonb(row, type_=JSONB())).where(table.c.id == winner)).scalar_one()
    changed = {field.key for name, field in fields.items() if now[name] != after[name]}
    restored = [name for name, field in fields.items() if field.key not in changed]
    if restored:
        old = sa.func.jsonb_populate_record(
            sa.literal_column(f'NULL::"{table.name}"'), sa.literal(dict(before), JSONB())
        ).table_valued(*restored, name="old")
        values = {name: sa.select(old.c[name]).scalar_subquery() for name in restored}
        session.execute(sa.update(table).where(table.c.id == winner).values(values))
    return list(dict.fromkeys(fields[name].key for name in restored)), changed


def _columns(session: Session, entity: str, key: str) -> list[str]:
    from trellis.storage.tables import columns_of

    return list(columns_of(session.model.entities[entity].fields[key]).values())


def _lead_back(session: Session, entity: str, winner: UUID, losers: list[UUID]) -> None:
    """What was merged into the merged records leads to these again."""
    gone = session.tables.platform.merged
    rows_ = session.execute(
        sa.select(gone.c.loser, gone.c.into).where(gone.c.entity == entity, gone.c.winner == winner)
    )
    into: dict[UUID, UUID] = {row.loser: row.into for row in rows_.all()}
    for loser in into:
        at, seen = loser, {loser}
        while at in into and into[at] not in seen:
            at = into[at]
            seen.add(at)
        if at in losers:
            session.execute(sa.update(gone).where(gone.c.entity == entity, gone.c.loser == loser).values(winner=at))


def _move_back(session: Session, id: UUID, entity: str, winner: UUID, back: list[LiveRecord], means: str) -> int:
    """Everything that still hangs on the winner because of the merge; how many records lead elsewhere by now."""
    table = session.tables.platform.merge_move
    titles = {r.id: Ref(entity, r.id, title_of(r)) for r in back}
    here = Ref(entity, winner, title_of(StoreGraph(session).load(entity, [winner])[0]))
    missing = 0
    moves = session.execute(sa.select(table).where(table.c.merge == id)).mappings().all()
    for move in sorted(moves, key=lambda m: m["kind"] == "bin"):  # last, when there is room for them again
        handler = _BACK[move["kind"]]
        missing += handler(session, move, here, titles, means)
    return missing


def _link_back(session: Session, move: Any, here: Ref, titles: Mapping[UUID, Ref], means: str) -> int:
    other = session.model.entities.get(move["entity"])
    field = other.fields.get(move["field"]) if other is not None else None
    if other is None or field is None or move["loser"] not in titles:
        return 0
    there = titles[move["loser"]]
    count = move_links(session, other, field, here.entity, [here], there, means, None, only=move["records"])
    after_move(session, other, field, here.entity, [here.id, there.id])
    return len(move["records"]) - count


def _many_back(session: Session, move: Any, here: Ref, titles: Mapping[UUID, Ref], means: str) -> int:
    links = session.tables.links.get((move["entity"], move["field"]))
    if links is None:
        return 0
    side = move["kind"]
    near, far = (links.c.source, links.c.target) if side == "source" else (links.c.target, links.c.source)
    noted = {UUID(end): kept for end, kept in (move["before"] or {}).items()}
    now = kept_rows(session, links, near, far, here.id) if noted else {}
    same = [end for end in move["records"] if not noted or (end in now and now[end] == noted.get(end))]
    session.execute(sa.delete(links).where(near == here.id, far.in_(same)))
    if (
        side == "target"
        and move["loser"] in titles
        and session.model.entities[move["entity"]].fields[move["field"]].audit
    ):
        told = [move["field"], [history.as_told(here)], [history.as_told(titles[move["loser"]])]]
        history.record_each(session, move["entity"], {end: [told] for end in same}, "link", means)
    rollups.after_links(session, move["entity"], move["field"], side, [here.id, *titles], move["records"])
    return len(move["records"]) - len(same)


def _columns_back(session: Session, move: Any, here: Ref, titles: Mapping[UUID, Ref], means: str) -> int:
    """Columns of a link that the merge filled are blank again, unless they hold something else by now."""
    links = session.tables.links.get((move["entity"], move["field"]))
    if links is None:
        return 0
    side = move["kind"].removesuffix("_columns")
    near, far = (links.c.source, links.c.target) if side == "source" else (links.c.target, links.c.source)
    now = kept_rows(session, links, near, far, here.id)
    for end in move["records"]:
        filled = move["before"].items() if isinstance(move["before"], dict) else ()
        blank = [k for k, v in filled if k in links.c and end in now and now[end].get(k) == v]
        if blank:
            session.execute(sa.update(links).where(near == here.id, far == end).values(dict.fromkeys(blank)))
    rollups.after_links(session, move["entity"], move["field"], side, [here.id], move["records"])
    return 0


def _rows_back(session: Session, move: Any, here: Ref, titles: Mapping[UUID, Ref], means: str) -> int:
    table = getattr(session.tables.platform, move["entity"])
    mine = table.c.id.in_(move["records"]) & (table.c.record == here.id)
    session.execute(sa.update(table).where(mine).values(record=move["loser"]))
    return 0


def _shared_back(session: Session, move: Any, here: Ref, titles: Mapping[UUID, Ref], means: str) -> int:
    table = getattr(session.tables.platform, move["entity"])
    mine = (table.c.entity == here.entity) & (table.c.record == here.id) & table.c.user.in_(move["records"])
    session.execute(sa.delete(table).where(mine))
    return 0


def _out_of_bin(session: Session, move: Any, here: Ref, titles: Mapping[UUID, Ref], means: str) -> int:
    table = session.tables.entity.get(move["entity"])
    if table is None:
        return 0
    mine = table.c.id.in_(move["records"]) & table.c.deleted_at.is_not(None)
    back = sa.update(table).where(mine).values(deleted_at=None, deleted_by=None, version=table.c.version + 1)
    ids = list(session.execute(back.returning(table.c.id)).scalars())
    rollups.after_membership(session, move["entity"], ids)
    return len(move["records"]) - len(ids)


_BACK = {
    "link": _link_back,
    "source": _many_back,
    "target": _many_back,
    "source_columns": _columns_back,
    "target_columns": _columns_back,
    "platform": _rows_back,
    "shared": _shared_back,
    "share": shares_back,
    "share_level": levels_back,
    "bin": _out_of_bin,
}


def _revive(session: Session, entity: str, back: list[LiveRecord]) -> None:
    """The merged records are live again; Refused when what they need to have alone is somebody else's by now."""
    drafts = [Draft(r.definition, r.copy(), None) for r in back]
    unique.check(session, drafts)
    write.refuse(drafts)
    table = session.table(entity)
    ids = [r.id for r in back]
    live = sa.update(table).where(table.c.id.in_(ids))
    session.execute(live.values(deleted_at=None, deleted_by=None, version=table.c.version + 1))


def _as_draft(session: Session, entity: str, old: LiveRecord, names: list[str], means: str) -> Draft:
    """The winner as a change from what it was a moment ago."""
    graph = StoreGraph(session)
    [new] = graph.load(entity, [old.id])
    draft = Draft(new.definition, new, old, means=means)
    for name in names:
        draft.set(name, new.value(name))
    return draft


def _settle(session: Session, draft: Draft, losers: list[UUID]) -> None:
    """The row's version and words, trees, the stage history and roll-ups."""
    entity = draft.entity.key
    trees.check(session, [draft])
    write.refuse([draft])
    rows.update(session, draft, [name for name in write.changed_fields(draft) if draft.entity.fields[name].is_stored])
    stays.record(session, [draft])
    rollups.after_membership(session, entity, losers)
    own = {(entity, f.key): {draft.record.id, *losers} for f in draft.entity.fields.values() if f.rollup is not None}
    rollups.recompute(session, own)
    rollups.after_drafts(session, [draft])
