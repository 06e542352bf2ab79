"""Trees: links of an entity to itself, in which nothing may stand above itself, whoever writes and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis.formula.types import Ref
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.records.reading import shown
from trellis.records.refusal import Fault
from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.records.draft import Draft
    from trellis.records.record import Choice
    from trellis.records.session import Session

DEEPEST = 200  # steps upwards that a page goes


def tree_field(entity: Entity) -> Field | None:
    """The link that makes a tree of the entity; None when it is none."""
    return next((f for f in entity.fields.values() if getattr(f.type, "tree", False)), None)


def check(session: Session, drafts: Sequence[Draft]) -> None:
    """Note which drafts would stand above themselves. Moves in one tree wait for each other until they are saved."""
    for entity in {d.entity.key: d.entity for d in drafts}.values():
        for field in entity.fields.values():
            if getattr(field.type, "tree", False):
                _check_tree(session, entity, field, [d for d in drafts if d.entity is entity])


def _check_tree(session: Session, entity: Entity, field: Field, drafts: Sequence[Draft]) -> None:
    # a new record has nothing below it but what is new with it
    moved = [d for d in drafts if d.has_changed(field.key) and isinstance(d.value(field.key), Ref)]
    new = {d.record.id for d in moved if d.is_new}
    if not [d for d in moved if not d.is_new or d.value(field.key).id in new]:
        return
    _wait_for_others(session, entity, field)
    parents = {d.record.id: d.value(field.key).id for d in moved}
    above = _links_above(session, entity, field, list(parents.values()))
    for draft in moved:
        if _meets_itself(draft.record.id, {**above, **parents}):
            del parents[draft.record.id]  # it stays where it was: the others are judged without it
            draft.fault(_refusal(session, draft, field))


def _wait_for_others(session: Session, entity: Entity, field: Field) -> None:
    """Two moves that are each right may make a ring together: one waits until the other is saved."""
    name = f"{session.tenant.schema}.{entity.key}.{field.key}"
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(name, 0))))


def _links_above(session: Session, entity: Entity, field: Field, ids: list[UUID]) -> dict[UUID, UUID]:
    """The parents of the records, of their parents, and so on, as they are stored; the bin counts."""
    table = session.table(entity.key)
    parent = table.c[short(field.key)]
    first = sa.select(table.c.id, parent.label("parent")).where(table.c.id.in_(ids)).cte(recursive=True)
    more: sa.Select[Any] = sa.select(table.c.id, parent.label("parent"))
    above = first.union(more.join(first, first.c.parent == table.c.id))
    rows: list[Any] = list(session.execute(sa.select(above.c.id, above.c.parent)))
    return {row[0]: row[1] for row in rows if row[1] is not None}


def _meets_itself(id: UUID, parents: Mapping[UUID, UUID]) -> bool:
    at, seen = parents.get(id), {id}
    while at is not None and at not in seen:
        seen.add(at)
        at = parents.get(at)
    return at == id


def _refusal(session: Session, draft: Draft, field: Field) -> Fault:
    ref = draft.value(field.key)
    if ref.id == draft.record.id:
        return Fault("tree", "A record cannot be above itself.", field.key)
    # the writer may read what was chosen: check_links saw to it
    title = draft.record.graph.title(ref) or ""
    return Fault("tree", "“{title}” is below this record, so it cannot be above it.", field.key, {"title": title})


def breadcrumbs(session: Session, entity: str, id: UUID) -> list[Ref]:
    """What stands above a record, the topmost first; the way ends at what this person may not read."""
    definition = session.entity(entity)
    field = tree_field(definition)
    if field is None or session.permit.modes(entity).get(field.key) in ("hidden", "masked"):
        return []
    ids = _line_above(session, definition, field, id)
    found: list[Ref] = []
    titles = shown.titles(session, [Ref(entity, each) for each in ids])
    for each in ids:
        if (entity, each) not in titles:
            break
        found.append(Ref(entity, each, titles[entity, each]))
    return found[::-1]


def arranged(session: Session, entity: str, choices: Sequence[Choice]) -> list[Choice]:
    """Choices with each below the one above it, where that is among them."""
    definition = session.entity(entity)
    field = tree_field(definition)
    if field is None or session.permit.modes(entity).get(field.key) in ("hidden", "masked"):
        return list(choices)
    parents = _links_above(session, definition, field, [choice.ref.id for choice in choices])
    offered = {choice.ref.id for choice in choices}
    below: dict[UUID | None, list[Choice]] = {}
    for choice in choices:
        above = parents.get(choice.ref.id)
        below.setdefault(above if above in offered else None, []).append(choice)
    found: list[Choice] = []
    rest = [(choice, 0) for choice in reversed(below.get(None, ()))]
    while rest:
        choice, depth = rest.pop()
        found.append(replace(choice, depth=depth))
        rest += [(lower, depth + 1) for lower in reversed(below.get(choice.ref.id, ()))]
    return found


def _line_above(session: Session, entity: Entity, field: Field, id: UUID) -> list[UUID]:
    """The ids above a record, the nearest first."""
    table = session.table(entity.key)
    parent = table.c[short(field.key)]
    depth = sa.literal(0).label("depth")
    up = sa.select(parent.label("id"), depth).where(table.c.id == id).cte("up", recursive=True)
    more = sa.select(parent, up.c.depth + 1).join(up, up.c.id == table.c.id).where(up.c.depth < DEEPEST)
    up = up.union_all(more)
    found = session.execute(sa.select(up.c.id).where(up.c.id.is_not(None)).order_by(up.c.depth)).scalars()
    return list(dict.fromkeys(found))
