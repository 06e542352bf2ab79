"""Likely duplicates among the records that are there: found under the entity's rules, and set aside by people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from trellis.model.entity import Dedupe
from trellis.records.merging import alike
from trellis.records.merging.merge import MOST, may_merge
from trellis.records.reading import filtering
from trellis.records.reading.selection import Selection
from trellis.records.refusal import Forbidden, Missing
from trellis.storage import matching as sql
from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.records.session import Session

WINDOW = 8  # neighbours in the order of their letters that are compared with each other
LOOKED_AT = 5000  # records that one page looks at under a rule of similar names


@dataclass(frozen=True, slots=True)
class Group:
    """Records that are probably the same, by one rule."""

    rule: str
    ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A page of groups; `next` is where the following one begins, None at the end."""

    groups: tuple[Group, ...]
    next: str | None


def rules_of(session: Session, entity: str) -> list[Dedupe]:
    """The rules that compare records of the entity with each other, by fields that this person may see."""
    definition, permit = session.entity(entity), session.permit
    return [
        rule
        for rule in definition.dedupe
        if (not rule.against or entity in rule.against)
        and not any(permit.conceals(entity, match.field) for match in rule.match)
        and all(definition.fields[match.field].is_stored for match in rule.match)
    ]


def groups(session: Session, entity: str, rule_key: str, *, after: str | None = None, limit: int = 20) -> Found:
    """Groups of live records within this person's reach that a rule finds the same, in the order of what they share."""
    filtering.require_readable(session, entity)
    rule = next((r for r in rules_of(session, entity) if r.key == rule_key), None)
    if rule is None:
        raise Missing(f"rule {rule_key}")
    if any(match.how == "similar" for match in rule.match):
        found = _near(session, entity, rule, after, limit)
    else:
        found = _equal(session, entity, rule, after, limit)
    apart = _set_aside(session, entity, [id for group in found.groups for id in group.ids])
    kept = [Group(g.rule, ids) for g in found.groups if len(ids := _without(g.ids, apart)) > 1]
    return Found(tuple(kept), found.next)


def _rows(session: Session, entity: str, rule: Dedupe) -> tuple[Any, sa.Select[Any], list[Any]]:
    """The live records that this person may read, with the rule's normal forms; none of them blank."""
    selection = Selection(session, entity)
    fields = session.model.entities[entity].fields
    parts = [sql.normal(fields[m.field], selection.alias.c[short(m.field)], m.how) for m in rule.match]
    statement = sa.select(selection.alias.c.id, *parts).select_from(selection.source())
    filled = [p.is_not(None) & (p != "" if isinstance(p.type, sa.String) else sa.true()) for p in parts]
    return selection.alias, statement.where(*filtering.restrict(selection, ()), *filled), parts


def _equal(session: Session, entity: str, rule: Dedupe, after: str | None, limit: int) -> Found:
    """Records that are equal in every part, by one statement that groups them."""
    alias, statement, parts = _rows(session, entity, rule)
    key = sa.func.concat_ws("\x1f", *(sa.cast(p, sa.Text()) for p in parts), type_=sa.Text()).collate("C")
    ids = sa.func.array_agg(alias.c.id, type_=sa.ARRAY(sa.Uuid()))
    grouped = statement.with_only_columns(key.label("key"), ids.label("ids")).group_by(key)
    grouped = grouped.having(sa.func.count() > 1).order_by(key).limit(limit + 1)
    if after is not None:
        grouped = grouped.where(key > after)
    rows = session.execute(grouped).all()
    listed = tuple(Group(rule.key, tuple(sorted(row.ids)[:MOST])) for row in rows[:limit])
    return Found(listed, rows[limit - 1].key if len(rows) > limit else None)


def _near(session: Session, entity: str, rule: Dedupe, after: str | None, limit: int) -> Found:
    """Records that are neighbours in the order of their letters and similar: a bounded stretch of that order a page."""
    _, statement, parts = _rows(session, entity, rule)
    place = next(at for at, m in enumerate(rule.match) if m.how == "similar")
    if after is not None:
        statement = statement.where(parts[place] >= after)
    rows = session.execute(statement.order_by(parts[place]).limit(LOOKED_AT)).all()
    joined: dict[UUID, UUID] = {}

    def head(id: UUID) -> UUID:
        while id in joined and joined[id] != id:
            id = joined[id]
        return id

    for at, row in enumerate(rows):
        for other in rows[at + 1 : at + 1 + WINDOW]:
            if _is_alike(rule, row[1:], other[1:]):
                joined.setdefault(row[0], row[0])
                joined.setdefault(other[0], other[0])
                joined[head(other[0])] = head(row[0])
    together: dict[UUID, list[UUID]] = defaultdict(list)
    last: dict[UUID, str] = {}
    for row in rows:
        if row[0] in joined:
            together[head(row[0])].append(row[0])
            last[head(row[0])] = row[1 + place]
    listed = [(first, Group(rule.key, tuple(ids[:MOST]))) for first, ids in together.items()]
    following = None
    if len(listed) > limit:
        following = f"{last[listed[limit - 1][0]]}\x01"
    elif len(rows) == LOOKED_AT:
        following = str(rows[-1][1 + place])
        if following == after:
            following += "\x01"  # more equal ones than a page looks at
    return Found(tuple(group for _, group in listed[:limit]), following)


def _is_alike(rule: Dedupe, one: Sequence[Any], other: Sequence[Any]) -> bool:
    return all(
        alike.is_alike(str(a), str(b), m.least) if m.how == "similar" else a == b
        for m, a, b in zip(rule.match, one, other, strict=True)
    )


def _without(ids: Iterable[UUID], apart: set[tuple[UUID, UUID]]) -> tuple[UUID, ...]:
    """Those that are still a possible duplicate of at least one other."""
    every = list(ids)
    pairs = [(a, b) for a, b in combinations(sorted(every), 2) if (a, b) not in apart]
    left = {id for pair in pairs for id in pair}
    return tuple(id for id in every if id in left)


def _set_aside(session: Session, entity: str, ids: Sequence[UUID]) -> set[tuple[UUID, UUID]]:
    if not ids:
        return set()
    table = session.tables.platform.not_duplicate
    wanted = sa.select(table.c.one, table.c.other).where(table.c.entity == entity, table.c.one.in_(ids))
    return {(row.one, row.other) for row in session.execute(wanted).all()}


def remember(session: Session, entity: str, ids: Sequence[UUID]) -> None:
    """Note that none of the records is the same as another one."""
    from trellis.records.writing.check import readable

    wanted = sorted(set(ids))
    if not may_merge(session, entity):
        raise Forbidden(entity, "merge")
    if len(readable(session, entity, set(wanted))) != len(wanted):
        raise Missing(entity)
    rows = [
        {"entity": entity, "one": a, "other": b, "at": session.reader.now, "by": session.principal.id}
        for a, b in combinations(wanted[:MOST], 2)
    ]
    if rows:
        session.execute(insert(session.tables.platform.not_duplicate).on_conflict_do_nothing(), rows)
