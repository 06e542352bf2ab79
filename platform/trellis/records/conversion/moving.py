"""What follows a converted record: activities, comments, followers, and the rows of its lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from trellis.model.conversion import Conversion
from trellis.model.entity import Entity, Inverse
from trellis.model.field import Field
from trellis.records.draft import Draft
from trellis.records.graph import LiveRecord, StoreGraph
from trellis.records.writing import unique, write
from trellis.storage.names import short

if TYPE_CHECKING:
    from uuid import UUID

    from trellis.records.session import Session
    from trellis.records.versions.batches import Batch

Became = Mapping[str, LiveRecord]


def move(session: Session, conversion: Conversion, draft: Draft, became: Became, batch: Batch) -> dict[str, int]:
    """Bring along what the conversion names; how many of each. What is about the record is then about the last of those
    that it became and that can be linked; whose rows have a link of their own for it keep both.
    """
    moved: dict[str, int] = {}
    for other, field in _lists(session, conversion, draft.entity):
        rows = list(_rows(session, other, field, draft))
        if field.type.name == "any_link":
            count = _point(session, other, field, rows, became)
        else:
            count = _join(session, other, field, rows, became)
        if count:
            moved[other.key] = moved.get(other.key, 0) + count
    if "comments" in conversion.move:
        _comments(session, draft, became, batch)
    if "followers" in conversion.move:
        _followers(session, draft, became)
    return moved


def _lists(session: Session, conversion: Conversion, entity: Entity) -> Iterator[tuple[Entity, Field]]:
    """The links to the entity whose rows follow."""
    seen: set[tuple[str, str]] = set()
    named = [entity.inverses[word] for word in conversion.move if word in entity.inverses]
    if "activities" in conversion.move:
        named += [
            Inverse("", other.key, field.key, field.label)
            for other in session.model.entities.values()
            for field in other.stored_fields()
            if field.type.name == "any_link" and _accepts(field, entity.key)
        ]
    for inverse in named:
        if (inverse.entity, inverse.field) not in seen:
            seen.add((inverse.entity, inverse.field))
            other = session.model.entities[inverse.entity]
            yield other, other.fields[inverse.field]


def _accepts(field: Field, entity: str) -> bool:
    targets = field.type.formula_type().entities
    return not targets or entity in targets


def _rows(session: Session, other: Entity, field: Field, draft: Draft) -> Iterator[Draft]:
    """Drafts of the live records that link to the converted one, locked."""
    table = session.table(other.key)
    statement = sa.select(table.c.id).where(table.c[short(field.key)] == draft.record.id, table.c.deleted_at.is_(None))
    if "_entity" in field.type.columns():
        statement = statement.where(table.c[short(f"{field.key}_entity")] == draft.entity.key)
    ids: list[UUID] = list(session.execute(statement.order_by(table.c.id).with_for_update()).scalars())
    for old in StoreGraph(session).load(other.key, ids):
        yield Draft(other, old.copy(), old, means="convert")


def _point(session: Session, other: Entity, field: Field, rows: list[Draft], became: Became) -> int:
    """What is about the record is about what it became."""
    target = next((record for name, record in reversed(list(became.items())) if _accepts(field, name)), None)
    if target is None or not rows:
        return 0
    for row in rows:
        row.set(field.key, target.ref)
    write.store_changed(session, rows)
    return len(rows)


def joins(other: Entity, field: Field, targets: Any) -> list[tuple[str, Field]]:
    """The links beside `field` that may hold what the record becomes, the last target first."""
    return [
        (target, link)
        for target in reversed(list(targets))
        for link in other.fields.values()
        if link.key != field.key and link.type.name == "link" and link.is_writable
        if link.type.formula_type().entities == (target,)
    ]


def _join(session: Session, other: Entity, field: Field, rows: list[Draft], became: Became) -> int:
    """Rows that link to the record link to what it became as well, unless they, or another row, do so already."""
    link = next(iter(joins(other, field, became)), None)
    if link is None:
        return 0
    name, beside = link
    good = []
    for row in rows:
        if row.value(beside.key) is None:
            row.set(beside.key, became[name].ref)
            unique.check(session, [row])
            if not row.all_faults():
                good.append(row)
    write.store_changed(session, good)
    return len(good)


def _comments(session: Session, draft: Draft, became: Became, batch: Batch) -> None:
    name, record = list(became.items())[-1]
    table = session.tables.platform.comment
    mine = (table.c.entity == draft.entity.key, table.c.record == draft.record.id)
    statement = sa.update(table).where(*mine).values(entity=name, record=record.id).returning(table.c.id)
    moved = [str(id) for id in session.execute(statement).scalars()]
    if moved:
        batch.data["comments"] = {"from": [draft.entity.key, str(draft.record.id)], "ids": moved}


def _followers(session: Session, draft: Draft, became: Became) -> None:
    """Who followed the record follows all that it became."""
    table = session.tables.platform.follow
    mine = sa.select(table.c.user).where(table.c.entity == draft.entity.key, table.c.record == draft.record.id)
    people = list(session.execute(mine).scalars())
    rows = [{"user": p, "entity": name, "record": record.id} for p in people for name, record in became.items()]
    if rows:
        session.execute(insert(table).values(rows).on_conflict_do_nothing())
