"""The many-to-many links of the record that stays, before and after: what the history tells of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis.formula.types import Ref, Value
from trellis.records.draft import Draft
from trellis.records.versions import history
from trellis.records.writing import linked

if TYPE_CHECKING:
    from trellis.records.session import Session

Kept = Mapping[UUID, Mapping[str, Value]]


def own_links(session: Session, draft: Draft) -> dict[str, Kept]:
    """What a record is linked with, in order, and what each link keeps: by field, by the far end."""
    found: dict[str, Kept] = {}
    for field in draft.entity.many_to_many:
        table = session.tables.links[draft.entity.key, field.key]
        far = session.table(field.type.formula_type().entities[0])
        live = sa.select(table.c.target).join(far, far.c.id == table.c.target).where(far.c.deleted_at.is_(None))
        order = live.where(table.c.source == draft.record.id).order_by(table.c.position, table.c.target)
        kept = linked.stored_columns(session, draft.entity, field, draft.record.id)
        found[field.key] = {end: kept.get(end, {}) for end in session.execute(order).scalars()}
    return found


def told(draft: Draft, before: Mapping[str, Kept], now: Mapping[str, Kept]) -> list[Any]:
    """The changes of an entry: other links, and what they keep."""
    changes: list[Any] = []
    for field in draft.entity.many_to_many:
        was, has = before[field.key], now[field.key]
        target = field.type.formula_type().entities[0]
        if field.audit and list(was) != list(has):
            old, new = (tuple(Ref(target, end) for end in ends) for ends in (was, has))
            changes.append([field.key, *(history.write_value(draft, field, refs) for refs in (old, new))])
        gone = {end: dict.fromkeys(kept) for end, kept in was.items() if end not in has}
        changes += linked.tell(draft, field, was, {**gone, **has})
    return changes
