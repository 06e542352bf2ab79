"""What is the same as a record that somebody has locked: nobody else claims it, changes it or follows it up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis.formula.types import Ref
from trellis.model.pool import LOCKED_UNTIL, Pool
from trellis.records.draft import Draft
from trellis.records.pools import standing
from trellis.records.pools.which import is_activity, pools_of
from trellis.records.refusal import Fault
from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.records.graph import LiveRecord
    from trellis.records.session import Session


def keep_others_out(session: Session, entity: str) -> bool:
    """Whether a lock on a record of the entity counts for its duplicates, too."""
    return any(_counts(pool) for pool in pools_of(session.model).of.get(entity, ()))


def _counts(pool: Pool) -> bool:
    return pool.lock is not None and pool.lock.duplicates


def kept_from(session: Session, record: LiveRecord, user: UUID | None) -> Fault | None:
    """Why somebody may do nothing with a stored record that is the same as another; None where they may."""
    from trellis.records.merging import dedupe

    pools = pools_of(session.model).of.get(record.entity, ())
    if not keep_others_out(session, record.entity) or any(standing.is_admin(session, pool) for pool in pools):
        return None  # a pool's admins put such cases in order
    until = None
    with session.as_system():
        by_entity: dict[str, list[UUID]] = {}
        for entity, id in dedupe.same_as(session, Draft(record.definition, record, record, means="page")):
            by_entity.setdefault(entity, []).append(id)
    for entity, ids in by_entity.items():
        for pool in [p for p in pools_of(session.model).of.get(entity, ()) if _counts(p)][:1]:
            table = session.table(entity)
            locked = table.c[LOCKED_UNTIL] > session.reader.now
            others = table.c[short(pool.owner)].is_distinct_from(user)
            last = sa.select(sa.func.max(table.c[LOCKED_UNTIL])).where(table.c.id.in_(ids), locked, others)
            found: Any = session.execute(last).scalar()
            until = max(filter(None, (until, found)), default=None)
    said = "It is the same as a record that somebody else has locked until {until}. Have the two merged, or wait."
    return Fault("locked", said, None, {"until": until}) if until is not None else None


def check(session: Session, drafts: Sequence[Draft]) -> None:
    """Refuse new activities about what is kept from somebody."""
    guarded = [entity for entity in pools_of(session.model).of if keep_others_out(session, entity)]
    if not guarded or session.principal.is_system:
        return
    for draft in drafts:
        for entity in guarded if draft.is_new else ():
            name = is_activity(session.model, draft.entity, entity)
            about = draft.value(name) if name else None
            record = draft.record.graph.follow(about) if isinstance(about, Ref) and about.entity == entity else None
            if record is not None and (fault := kept_from(session, record, session.principal.id)) is not None:
                draft.fault(Fault(fault.code, str(fault.message), name, fault.params))
