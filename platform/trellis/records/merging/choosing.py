"""Which value the winner has after a merge: its own, filled up from the others where blank, or what was chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from trellis.formula.types import Ref, Value
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.records import faults
from trellis.records.draft import KEPT, Draft
from trellis.records.graph import LiveRecord
from trellis.records.pipelines.pipeline import tracks
from trellis.records.refusal import Fault

if TYPE_CHECKING:
    from trellis.records.session import Session

JOINED = ("tags",)  # types whose values add up


def mergeable(entity: Entity) -> list[Field]:
    """The fields with a value of the record's own that one record may take over from another."""
    follows = {name for t in tracks(entity) for name in (t.type, t.since, t.probability, t.checklist)}
    return [
        f
        for f in entity.fields.values()
        if f.is_stored and not f.is_derived and not f.system and f.key not in KEPT and f.key not in follows
        if f.type.name != "sequence" and f.formula is None and f.rollup is None
    ]


def is_blank(value: Value) -> bool:
    """Whether there is nothing to take over."""
    return value is None or value == "" or value == ()


def default_source(field: Field, records: Sequence[LiveRecord]) -> LiveRecord:
    """Whose value the winner gets when nobody chooses: its own, else the first one that there is."""
    return next((r for r in records if not is_blank(r.value(field.key))), records[0])


def take_over(session: Session, draft: Draft, losers: Sequence[LiveRecord], take: Mapping[str, UUID]) -> None:
    """Give the winner's draft its values; what may not be chosen is a fault."""
    records: list[LiveRecord] = [draft.record, *losers]
    by_id = {r.id: r for r in records}
    fields = {f.key: f for f in mergeable(draft.entity)}
    modes = session.permit.modes(draft.entity.key)
    for name, id in take.items():
        if name not in fields:
            draft.fault(faults.unknown_field(session, draft.entity.key, name))
        elif id not in by_id:
            draft.fault(Fault("invalid", "The value must come from one of the records that are merged.", name))
        elif modes.get(name) is not None and by_id[id] is not default_source(fields[name], records):
            draft.fault(faults.forbidden_field(name))
    for name, field in fields.items():
        chosen = by_id.get(take[name]) if name in take else None
        source = chosen or default_source(field, records)
        value = source.value(name)
        if chosen is None and source is not draft.record and not _is_live(session, value):
            continue
        adds_up = field.type.name in JOINED or getattr(field.type, "multiple", False)
        if adds_up and chosen is None:
            value = _together(records, name)
        value = _not_itself(draft, value, set(by_id), source, name, by_id)
        if value != draft.record.value(name):
            draft.set(name, value)
            draft.given[name] = value


def _together(records: Sequence[LiveRecord], name: str) -> Value:
    """What all of them have, each once; entries of one e-mail address or file count as the same by it."""
    found: dict[object, object] = {}
    for record in records:
        for item in record.value(name) or ():
            key = (item.get("id") or item.get("value")) if isinstance(item, Mapping) else item
            found.setdefault(key, item)
    return tuple(found.values()) or None


def _not_itself(
    draft: Draft, value: Value, merged: set[UUID], source: LiveRecord, name: str, by_id: Mapping[UUID, LiveRecord]
) -> Value:
    """A link to one of the merged records would lead to the winner itself: what stood above that one is taken."""
    seen: set[UUID] = set()
    while isinstance(value, Ref) and value.entity == draft.entity.key and value.id in merged:
        if value.id in seen:
            return None
        seen.add(value.id)
        value = by_id[value.id].value(name)
    return value


def _is_live(session: Session, value: Value) -> bool:
    """Whether a link that is taken over leads to a record that is there."""
    if not isinstance(value, Ref) or value.entity not in session.model.entities:
        return True
    table = session.table(value.entity)
    wanted = sa.select(table.c.id).where(table.c.id == value.id, table.c.deleted_at.is_(None))
    return session.execute(wanted).first() is not None
