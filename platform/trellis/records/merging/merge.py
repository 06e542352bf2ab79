"""Several records become one, in one transaction: the winner keeps its address, everything of the others follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from uuid_utils.compat import uuid7

from trellis.formula.types import Ref
from trellis.records import auditing
from trellis.records.access import rights
from trellis.records.deriving import rollups
from trellis.records.draft import Draft, Event
from trellis.records.graph import LiveRecord, title_of
from trellis.records.merging.choosing import take_over
from trellis.records.merging.moving import Moving
from trellis.records.merging.own_links import own_links
from trellis.records.merging.own_links import told as link_changes
from trellis.records.pipelines import pipeline as stages
from trellis.records.pipelines import stays
from trellis.records.refusal import Fault, Forbidden, Refused
from trellis.records.versions import history
from trellis.records.writing import check, locks, rows, trees, unique, write
from trellis.storage.ordering import ORDER

if TYPE_CHECKING:
    from trellis.records.session import Session

MOST = 10  # records that become one at a time
NEEDS = ("update", "delete")  # of every record that takes part, beside the right to merge


def may_merge(session: Session, entity: str) -> bool:
    """Whether there can be records of the entity that this person may merge."""
    definition = session.model.entities.get(entity)
    if definition is None or not definition.merge or definition.internal or definition.part_of:
        return False
    return all(session.permit.may(action, entity) for action in ("read", "merge", *NEEDS))


def open_all(session: Session, entity: str, ids: Sequence[UUID], *, means: str = "page") -> list[Draft]:
    """Lock the records that are to be merged or were; Refused, Missing or Forbidden when one cannot be."""
    definition = session.entity(entity)
    if not definition.merge or definition.internal or definition.part_of:
        raise Refused([Fault("merge", "Records of this kind cannot be merged.")])
    if len(set(ids)) != len(ids) or not 2 <= len(ids) <= MOST:
        raise Refused([Fault("merge", "Choose between 2 and {most} different records.", None, {"most": MOST})])
    if not may_merge(session, entity):
        raise Forbidden(entity, "merge")
    opened = write.open_many(session, entity, ids, means=means)
    drafts = []
    for id in ids:
        found = opened[id]
        if isinstance(found, Exception):
            raise found
        if found.old is not None and (fault := locks.lock_on(session, found.old)) is not None:
            raise Refused([fault])
        drafts.append(found)
    for action in ("delete", "merge"):
        rights.require_all(session, action, entity, ids)
    return drafts


def merge(
    session: Session,
    entity: str,
    winner: UUID,
    losers: Sequence[UUID],
    take: Mapping[str, UUID],
    *,
    versions: Mapping[UUID, int],
    means: str,
) -> tuple[Draft, UUID]:
    """Merge records into the winner; `take` says whose value a field gets. The merge's id is for undoing it."""
    drafts = open_all(session, entity, [winner, *losers], means=means)
    if any(versions.get(d.record.id, d.record.version) != d.record.version for d in drafts):
        message = "One of the records has changed in the meantime. Look at the values again."
        raise Refused([Fault("stale", message)])
    draft, others = drafts[0], [d.record for d in drafts[1:]]
    titles = {d.record.id: Ref(entity, d.record.id, title_of(d.record)) for d in drafts}
    id = uuid7()
    before, links = _snapshot(session, entity, winner), own_links(session, draft)
    _bury(session, entity, others)
    take_over(session, draft, others, take)
    _check(session, draft)
    moving = Moving(session, id, entity, titles[winner], [titles[r.id] for r in others], means)
    with rows.refusing_races(session, [draft]):
        moving.run()
    _write_winner(session, draft)
    _note(session, id, entity, draft, before, others)
    told: list[Any] = [["merged", None, [history.as_told(titles[r.id]) for r in others]]]
    told += link_changes(draft, links, own_links(session, draft))
    _tell(session, draft, others, told, history.as_told(Ref(entity, winner, title_of(draft.record))), means)
    return draft, id


def _snapshot(session: Session, entity: str, id: UUID) -> dict[str, Any]:
    """A row as JSON: exact, and PostgreSQL takes it back."""
    table = session.table(entity)
    row = table.table_valued()
    found: dict[str, Any] = session.execute(
        sa.select(sa.func.to_jsonb(row, type_=JSONB())).where(table.c.id == id)
    ).scalar_one()
    return {name: value for name, value in found.items() if name not in ("search", ORDER)}


def _bury(session: Session, entity: str, others: Sequence[LiveRecord]) -> None:
    """The merged records are no longer live; their rows stay, to be found by and for the undoing."""
    table = session.table(entity)
    ids = [r.id for r in others]
    now, me = session.reader.now, session.principal.id
    session.execute(
        sa.update(table).where(table.c.id.in_(ids)).values(deleted_at=now, deleted_by=me, version=table.c.version + 1)
    )


def _check(session: Session, draft: Draft) -> None:
    """What every save must keep; what is like another record does not stand in a merge's way."""
    stages.follow(session, draft)
    for hook in session.hooks.before:
        hook(draft)
    write.derive(draft)
    for field in draft.entity.fields.values():
        if field.is_writable and draft.has_changed(field.key):
            check.check_field(session, draft, field)
    check.check_rules(session, draft)
    unique.check(session, [draft])
    write.refuse([draft])


def _write_winner(session: Session, draft: Draft) -> None:
    """The winner's row, always with a new version; its trees and roll-ups."""
    trees.check(session, [draft])
    write.refuse([draft])
    stored = {f.key for f in draft.stored_fields()}
    rows.update(session, draft, [name for name in write.changed_fields(draft) if name in stored])
    _refuse_rings(session, draft)
    stays.record(session, [draft])


def _refuse_rings(session: Session, draft: Draft) -> None:
    """What was below a merged record and above the winner would now be both."""
    table = session.table(draft.entity.key)
    for field in draft.entity.fields.values():
        if not getattr(field.type, "tree", False):
            continue
        link = table.c[field.key]
        above, seen = draft.value(field.key), set[UUID]()
        at: UUID | None = above.id if isinstance(above, Ref) else None
        while at is not None and at not in seen:
            if at == draft.record.id:
                message = "One of these records stands above another by way of a third. Move that one first."
                raise Refused([Fault("tree", message, field.key)])
            seen.add(at)
            at = session.execute(sa.select(link).where(table.c.id == at)).scalar()


def _note(
    session: Session, id: UUID, entity: str, draft: Draft, before: Mapping[str, Any], others: Sequence[LiveRecord]
) -> None:
    """Keep what the undoing needs, and where the merged records are now."""
    platform, winner = session.tables.platform, draft.record.id
    after = _snapshot(session, entity, winner)
    changed = [name for name in before if before[name] != after[name]]
    principal = session.principal
    session.execute(
        sa.insert(platform.merge).values(
            id=id,
            entity=entity,
            winner=winner,
            at=session.reader.now,
            by=principal.id,
            by_name=principal.name or None,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
        )
    )
    gone, ids = platform.merged, [r.id for r in others]
    session.execute(
        sa.update(gone).where(gone.c.entity == entity, gone.c.winner.in_(ids)).values(winner=winner)
    )  # what was merged into these earlier
    session.execute(
        sa.insert(gone), [{"entity": entity, "loser": i, "winner": winner, "into": winner, "merge": id} for i in ids]
    )


def _tell(
    session: Session, draft: Draft, others: Sequence[LiveRecord], changes: Sequence[Any], winner: Any, means: str
) -> None:
    """Roll-ups, history and events."""
    entity, ids = draft.entity.key, [r.id for r in others]
    rollups.after_membership(session, entity, ids)
    own = {(entity, f.key): {draft.record.id} for f in draft.entity.fields.values() if f.rollup is not None}
    rollups.recompute(session, own)
    rollups.after_drafts(session, [draft])
    history.record(session, [draft], "merge", changes)
    history.record_plain(session, entity, ids, "merged", means, [["merged_into", None, winner]])
    told = {"losers": [str(id) for id in ids]}
    auditing.note(session, "data.merged", entity=entity, record=draft.record.id, details=told)
    session.emit(
        [
            Event(
                "merged",
                entity,
                draft.record.id,
                means,
                {n: (draft.before(n), draft.value(n)) for n in write.changed_fields(draft)},
            ),
            *(Event("merged_into", entity, id, means) for id in ids),
        ]
    )
