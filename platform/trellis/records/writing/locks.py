"""What has been converted is read-only, and so is the data of a person whose processing is restricted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from trellis.formula.types import Ref
from trellis.model.automation.steps import Approve, every_step
from trellis.model.conversion import CONVERTED_AT
from trellis.records.kept import kept
from trellis.records.pools import twins
from trellis.records.privacy.subjects import is_subject
from trellis.records.refusal import Fault

if TYPE_CHECKING:
    from uuid import UUID

    from trellis.model.model import Model
    from trellis.records.graph import LiveRecord
    from trellis.records.session import Session


def may_be_locked(session: Session, entity: str) -> bool:
    """Whether records of the entity, or those that they are part of, can be locked at all."""
    if _by_work(session, entity) or twins.keep_others_out(session, entity):
        return True
    if is_subject(session.model.entities[entity]) and any(key == entity for key, _id in session.restricted):
        return True
    parent = session.model.entities[entity].part_of
    return parent is not None and parent != entity and may_be_locked(session, parent)


def _by_work(session: Session, entity: str) -> bool:
    """Whether an approval or a conversion may lock records of the entity."""
    conversion = session.model.conversions.get(entity)
    return entity in _asked_about(session.model) or (conversion is not None and conversion.lock)


def _asked_about(model: Model) -> frozenset[str]:
    """The entities whose records an approval may lock."""

    def make() -> frozenset[str]:
        bodies = [pair for w in model.workflows.values() for pair in w.bodies.items()]
        locking = (e for e, b in bodies if any(isinstance(s, Approve) and s.lock for s in every_step(b.steps)))
        return frozenset(entity for entity in locking if entity is not None)

    found: frozenset[str] = kept((model.hash, "asked about"), make)
    return found


def _is_asked(session: Session, record: LiveRecord) -> bool:
    table = session.tables.platform.approval
    still: tuple[sa.ColumnElement[Any], ...] = table.c.locks, table.c.state.in_(("pending", "queued"))
    same = table.c.entity == record.entity, table.c.record == record.id
    me = session.principal.id
    if me is not None:  # whom the step lets change it all the same
        still = (*still, sa.not_(sa.func.coalesce(sa.literal(me) == sa.any_(table.c.edit), False)))
    return session.execute(sa.select(sa.literal(1)).where(*same, *still).limit(1)).first() is not None


def lock_on(session: Session, record: LiveRecord) -> Fault | None:
    """Why nobody may change the stored record; None where they may."""
    if session.is_erasing or not may_be_locked(session, record.entity):
        return None
    if (record.entity, record.id) in session.restricted:
        return _restricted()
    if record.entity in _asked_about(session.model) and not session.principal.is_system and _is_asked(session, record):
        return Fault("locked", "It waits for an approval, and is read-only until then.", None)
    elsewhere = None if session.principal.is_system else twins.kept_from(session, record, session.principal.id)
    if elsewhere is not None:
        return elsewhere
    conversion = session.model.conversions.get(record.entity)
    locks = conversion is not None and conversion.lock and not session.is_unlocked
    if locks and record.value(CONVERTED_AT) is not None:
        return Fault("locked", "It was converted, and is read-only since.", None)
    parent = record.value(record.definition.parent_field) if record.definition.parent_field else None
    above = record.graph.follow(parent) if isinstance(parent, Ref) else None
    return None if above is None else lock_on(session, above)


def _restricted() -> Fault:
    return Fault("locked", "The processing of this person's data is restricted: it may not be changed.", None)


def lock_of(session: Session, entity: str, id: UUID, *, is_restricted: bool | None = None) -> Fault | None:
    """The same of a record by its id, asked beforehand: whoever opens a form learns it before typing.

    `is_restricted`: what is known already of the person whose record it is.
    """
    from trellis.records.graph import StoreGraph

    if session.is_erasing:
        return None
    if is_restricted:
        return _restricted()
    is_part = session.model.entities[entity].part_of is not None
    by_work = _by_work(session, entity) or twins.keep_others_out(session, entity)
    if not (by_work if is_restricted is False and not is_part else may_be_locked(session, entity)):
        return None
    found = (lock_on(session, record) for record in StoreGraph(session).load(entity, [id]))
    return next((fault for fault in found if fault is not None), None)
