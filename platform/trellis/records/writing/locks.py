"""What has been converted is read-only, for every writer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trellis.formula.types import Ref
from trellis.model.conversion import CONVERTED_AT
from trellis.records.refusal import Fault

if TYPE_CHECKING:
    from trellis.records.graph import LiveRecord
    from trellis.records.session import Session


def may_be_locked(session: Session, entity: str) -> bool:
    """Whether records of the entity, or those that they are part of, can be locked at all."""
    conversion = session.model.conversions.get(entity)
    if conversion is not None and conversion.lock:
        return True
    parent = session.model.entities[entity].part_of
    return parent is not None and parent != entity and may_be_locked(session, parent)


def lock_on(session: Session, record: LiveRecord) -> Fault | None:
    """Why nobody may change the stored record; None where they may."""
    if session.is_unlocked or not session.model.conversions or not may_be_locked(session, record.entity):
        return None
    conversion = session.model.conversions.get(record.entity)
    if conversion is not None and conversion.lock and record.value(CONVERTED_AT) is not None:
        return Fault("locked", "It was converted, and is read-only since.", None)
    parent = record.value(record.definition.parent_field) if record.definition.parent_field else None
    above = record.graph.follow(parent) if isinstance(parent, Ref) else None
    return None if above is None else lock_on(session, above)
