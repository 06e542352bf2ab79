"""What a deletion would do, told before it is done: what holds the records, what goes along, what loses a link."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from trellis.formula.types import Ref
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.records.reading import filtering, shown
from trellis.records.reading.selection import Selection
from trellis.records.recycling import bin as recycle
from trellis.records.refusal import Fault

if TYPE_CHECKING:
    from trellis.records.session import Session

NAMED = 5  # how many records are told by name
LOOKED_AT = 200  # among how many those are looked for that this person may read


@dataclass(frozen=True)
class Affected:
    """Records of one entity that a deletion touches; `named` are the first of those that this person may read."""

    entity: Entity
    field: Field | None
    count: int
    named: tuple[Ref, ...]
    in_bin: bool = False
    is_part: bool = False

    @property
    def more(self) -> int:
        """How many there are beside those that are named."""
        return self.count - len(self.named)


@dataclass(frozen=True)
class Deletion:
    """What goes with the records, which links are cleared, and what holds them so that they stay."""

    going: tuple[Affected, ...] = ()
    clearing: tuple[Affected, ...] = ()
    held: tuple[Affected, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Nothing but the records themselves and their own parts."""
        return not self.held and not self.clearing and all(one.is_part for one in self.going)


def foresee(session: Session, entity: str, ids: Sequence[UUID]) -> Deletion:
    """What deleting the records would do, of those that this person may delete; nothing is changed."""
    filtering.require_readable(session, entity)
    allowed = _deletable(session, entity, ids)
    going: recycle.Found = defaultdict(dict)
    clearing: list[recycle.Clearing] = []
    recycle._collect(session, entity, allowed, going, clearing)
    held = [one for other, field, ids in _holders(session, going) for one in _by_state(session, other, field, ids)]
    along = []
    for key, found in going.items():
        rest = [id for id in found if not (key == entity and id in set(allowed))]
        if rest:
            part = session.model.entities[key]
            is_part = bool(part.part_of) and part.part_of in going
            along.append(_affected(session, part, None, rest, is_part=is_part))
    cleared = [
        _affected(session, session.model.entities[key], field, staying)
        for key, field, holders in clearing
        if (staying := [h for h in dict.fromkeys(holders) if h not in going.get(key, {})])
    ]
    return Deletion(tuple(along), tuple(cleared), tuple(held))


def _holders(session: Session, going: recycle.Found) -> Iterator[tuple[Entity, Field, list[UUID]]]:
    """The records that stay and restrict what goes, by the link that does; those in the bin too."""
    for key, ids in list(going.items()):
        for other, field in recycle._links_to(session, key):
            if recycle.on_delete(other, field) == "restrict":
                holders = recycle._pointing(session, other, field, key, list(ids), live=None)
                staying = [h for h in dict.fromkeys(holders) if h not in going.get(other.key, {})]
                if staying:
                    yield other, field, staying


def _deletable(session: Session, entity: str, ids: Sequence[UUID]) -> list[UUID]:
    if not ids or not session.permit.may("delete", entity):
        return []
    selection = Selection(session, entity)
    place = selection.add(selection.alias.c.id)
    conditions = [*filtering.restrict(selection, ()), *filtering.restrict(selection, (), action="delete")]
    rows = session.execute(selection.select().where(selection.alias.c.id.in_(list(ids)), *conditions)).all()
    found = {row[place] for row in rows}
    return [id for id in dict.fromkeys(ids) if id in found]


def held_by(session: Session, other: Entity, field: Field, ids: Sequence[UUID]) -> Fault:
    """What holds a record, by name as far as this person may read it; what is all in the bin is said to be there."""
    states = _by_state(session, other, field, ids)
    return _fault(states[0] if len(states) == 1 else _affected(session, other, field, ids))


def _fault(held: Affected) -> Fault:
    entity = held.entity.label if held.count == 1 else held.entity.plural
    names = tuple(ref.title or "" for ref in held.named[:3])
    if held.in_bin:
        by_name = "{count} {entity} in the recycle bin still point here: {names}."
        message = by_name if names else "{count} {entity} in the recycle bin still point here."
    else:
        message = "{count} {entity} still point here: {names}." if names else "{count} {entity} still point here."
    link = held.field.key if held.field is not None else ""
    params = {"count": held.count, "entity": entity, "names": names, "key": held.entity.key, "link": link}
    return Fault(
        "restrict",
        message,
        None,
        {**params, "records": tuple((r.entity, str(r.id), r.title or "") for r in held.named)},
    )


def _by_state(session: Session, other: Entity, field: Field, ids: Sequence[UUID]) -> list[Affected]:
    """Live holders and those in the bin apart: the latter are not where one would look for them."""
    table = session.table(other.key)
    live = set(
        session.execute(sa.select(table.c.id).where(table.c.id.in_(list(ids)), table.c.deleted_at.is_(None))).scalars()
    )
    parts = {False: [i for i in ids if i in live], True: [i for i in ids if i not in live]}
    return [_affected(session, other, field, part, in_bin=in_bin) for in_bin, part in parts.items() if part]


def _affected(
    session: Session,
    entity: Entity,
    field: Field | None,
    ids: Sequence[UUID],
    *,
    in_bin: bool = False,
    is_part: bool = False,
) -> Affected:
    named: list[Ref] = []
    if field is not None and session.permit.conceals(entity.key, field.key):
        field = None  # that they point here is not for this person to know, only that something does
    elif not is_part:
        titles = shown.titles(session, [Ref(entity.key, id) for id in ids[:LOOKED_AT]])
        named = [Ref(entity.key, id, titles[entity.key, id]) for id in ids if (entity.key, id) in titles][:NAMED]
    return Affected(entity, field, len(ids), tuple(named), in_bin, is_part)
