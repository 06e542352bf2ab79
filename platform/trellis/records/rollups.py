"""Roll-ups: stored columns that every write keeps true, upward through as many records as depend on one another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis.formula.formula import Formula
from trellis.formula.sql.scope import SqlMoney
from trellis.formula.types import Ref
from trellis.model.model import Model
from trellis.records.catalog import system_scope
from trellis.records.draft import Draft
from trellis.records.graph import settle
from trellis.records.kept import keep, known
from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.records.session import Session


@dataclass(frozen=True, slots=True)
class Hop:
    """One step from a record to others: over its link `name`, or to the rows of its list `name`."""

    entity: str
    name: str
    kind: str  # link, inverse, links, linked (the far side of links)
    to: str
    field: str  # the link field: of `entity` for link and links, of `to` for inverse and linked


@dataclass(frozen=True, slots=True)
class Dependency:
    """A roll-up that reads a field of records over `hops` from its own; no field: which records there are."""

    entity: str
    rollup: str
    hops: tuple[Hop, ...]
    field: str | None


_by_hash: dict[str, dict[str, list[Dependency]]] = {}
KEPT = 256


def dependencies(model: Model) -> Mapping[str, list[Dependency]]:
    """The roll-ups that depend on each entity's records."""
    known = _by_hash.get(model.hash)
    if known is None:
        known = _by_hash[model.hash] = _find(model)
        while len(_by_hash) > KEPT:
            del _by_hash[next(iter(_by_hash))]
    return known


def _find(model: Model) -> dict[str, list[Dependency]]:
    found: dict[str, dict[Dependency, None]] = defaultdict(dict)
    for entity in model.entities.values():
        for field in entity.fields.values():
            if field.rollup is None:
                continue
            for hops, name in _reads(model, entity.key, field.rollup, ()):
                for index, hop in enumerate(hops):
                    before = hops[:index]
                    if hop.kind in ("link", "links"):
                        found[hop.entity][Dependency(entity.key, field.key, before, hop.field)] = None
                    if hop.kind in ("inverse", "linked"):
                        found[hop.to][Dependency(entity.key, field.key, (*before, hop), hop.field)] = None
                    if hop.kind != "link":
                        found[hop.to][Dependency(entity.key, field.key, (*before, hop), None)] = None
                target = hops[-1].to if hops else entity.key
                if name is not None:
                    found[target][Dependency(entity.key, field.key, hops, name)] = None
    return {entity: list(items) for entity, items in found.items()}


def _reads(
    model: Model, entity: str, formula: Formula, start: tuple[Hop, ...], depth: int = 0
) -> Iterator[tuple[tuple[Hop, ...], str | None]]:
    """The stored fields that a formula reads, with the way to them; derived fields are followed to what they read."""
    if depth > 12:
        return
    for path in formula.reads:
        hops, at, last = start, entity, None
        for name in path:
            if name in ("this", "via"):
                continue
            definition = model.entities[at]
            if (inverse := definition.inverses.get(name)) is not None and name not in definition.fields:
                kind = "linked" if inverse.many else "inverse"
                hops = (*hops, Hop(at, name, kind, inverse.entity, inverse.field))
                at, last = inverse.entity, None
                continue
            field = definition.fields.get(name)
            if field is None:
                break  # a part of a value, or one of an any_link's entities
            if field.formula is not None:
                yield from _reads(model, at, field.formula, hops, depth + 1)
                targets = field.type.formula_type().entities
                last = None
                if len(targets) != 1:
                    break
                at = targets[0]
                hops = start
                break
            kind_ = field.type.formula_type()
            if kind_.kind == "records":
                hops = (*hops, Hop(at, name, "links", kind_.entities[0], name))
                at, last = kind_.entities[0], None
            elif kind_.kind == "record" and len(kind_.entities) == 1 and name != path[-1]:
                hops = (*hops, Hop(at, name, "link", kind_.entities[0], name))
                at, last = kind_.entities[0], None
            else:
                last = name
                break
        yield hops, last


def preview(draft: Draft) -> None:
    """Compute the roll-ups over what the draft itself brings: its lines and links, so that rules see them."""
    own = draft.lines.keys() | {n for n in draft.given if n in draft.entity.fields}
    for field in draft.entity.fields.values():
        if field.rollup is None:
            continue
        if draft.is_new or any(path[0] in own or path[0] == "this" for path in field.rollup.reads):
            draft.set(field.key, settle(field, field.rollup.evaluate(draft.env())))


Pending = dict[tuple[str, str], set[UUID]]


def after_drafts(session: Session, drafts: Sequence[Draft]) -> None:
    """Keep the roll-ups true that the drafts' changes concern."""
    known = dependencies(session.model)
    pending: Pending = defaultdict(set)
    for draft in drafts:
        for dependency in known.get(draft.entity.key, ()):
            if not dependency.hops:
                if _links_given(draft, dependency.field):
                    pending[dependency.entity, dependency.rollup].add(draft.record.id)
                continue  # other values of its own: the draft has computed them
            if not draft.is_new and (dependency.field is None or not draft.has_changed(dependency.field)):
                continue
            pending[dependency.entity, dependency.rollup] |= _parents(
                session, dependency.hops, _starts(dependency.hops[-1], draft)
            )
    _drop_previewed(drafts, pending)
    recompute(session, pending)


def _links_given(draft: Draft, name: str | None) -> bool:
    """Whether a many-to-many of the draft was written, with columns that only the database has together."""
    field = draft.entity.fields.get(name or "")
    if field is None or field.type.formula_type().kind != "records":
        return False
    return field.key in draft.given or draft.has_changed(field.key)


def _drop_previewed(drafts: Sequence[Draft], pending: Pending) -> None:
    """A draft with its lines in hand has computed the roll-ups over them already."""
    for draft in drafts:
        if not draft.lines or draft.parent is not None:
            continue
        for field in draft.entity.fields.values():
            known = field.rollup is not None and all(p[0] in draft.lines or p[0] == "this" for p in field.rollup.reads)
            if known and (draft.entity.key, field.key) in pending:
                pending[draft.entity.key, field.key].discard(draft.record.id)


def after_membership(session: Session, entity: str, ids: Iterable[UUID]) -> None:
    """Keep the roll-ups true when records went to the bin or came back."""
    pending: Pending = defaultdict(set)
    wanted = list(ids)
    for dependency in dependencies(session.model).get(entity, ()):
        if dependency.hops and dependency.field is None:
            pending[dependency.entity, dependency.rollup] |= _parents(session, dependency.hops, None, wanted)
    recompute(session, pending)


def after_fields(session: Session, entity: str, names: Sequence[str], ids: Sequence[UUID]) -> None:
    """Keep the roll-ups true over fields of records that were written past any draft."""
    if not ids:
        return
    pending: Pending = defaultdict(set)
    for dependency in dependencies(session.model).get(entity, ()):
        if dependency.field in names:
            above = _parents(session, dependency.hops, None, ids) if dependency.hops else set(ids)
            pending[dependency.entity, dependency.rollup] |= above
    recompute(session, pending)


def after_link(session: Session, entity: str, field: str, source: UUID, target: UUID) -> None:
    """Keep the roll-ups true over a many-to-many when one link came or went."""
    pending: Pending = defaultdict(set)
    for listed, id, other in (
        (entity, source, target),
        (session.model.entities[entity].fields[field].type.formula_type().entities[0], target, source),
    ):
        for dependency in dependencies(session.model).get(listed, ()):
            if not dependency.hops:
                if dependency.field == field and listed == entity:
                    pending[dependency.entity, dependency.rollup].add(id)
                continue
            hop = dependency.hops[-1]
            if hop.kind in ("links", "linked") and hop.field == field and entity in (hop.entity, hop.to):
                pending[dependency.entity, dependency.rollup] |= _parents(session, dependency.hops[:-1], None, [other])
            elif dependency.field == field and listed == entity:
                pending[dependency.entity, dependency.rollup] |= _parents(session, dependency.hops, None, [id])
    recompute(session, pending)


def after_moved(
    session: Session, entity: str, field: str, ends: Sequence[UUID], rows: Callable[[], Sequence[UUID]]
) -> None:
    """Keep the roll-ups true when many rows' link now leads to another of the `ends`; `rows` finds them if asked."""
    pending: Pending = defaultdict(set)
    for dependency in dependencies(session.model).get(entity, ()):
        if dependency.field != field:
            continue
        hop = dependency.hops[-1] if dependency.hops else None
        if hop is not None and hop.kind == "inverse" and hop.field == field:
            pending[dependency.entity, dependency.rollup] |= _parents(session, dependency.hops[:-1], None, ends)
        else:
            pending[dependency.entity, dependency.rollup] |= _parents(session, dependency.hops, None, rows())
    recompute(session, pending)


def after_links(
    session: Session, entity: str, field: str, side: str, near: Iterable[UUID], far: Iterable[UUID]
) -> None:
    """Keep the roll-ups true over a many-to-many when links of the `near` records (source or target) changed."""
    pending: Pending = defaultdict(set)
    mine, theirs = list(near), list(far)
    sources, targets = (mine, theirs) if side == "source" else (theirs, mine)
    target = session.model.entities[entity].fields[field].type.formula_type().entities[0]
    for listed, ids, others in ((entity, sources, targets), (target, targets, sources)):
        for dependency in dependencies(session.model).get(listed, ()):
            if not dependency.hops:
                if dependency.field == field and listed == entity:
                    pending[dependency.entity, dependency.rollup] |= set(ids)
                continue
            hop = dependency.hops[-1]
            if hop.kind in ("links", "linked") and hop.field == field and entity in (hop.entity, hop.to):
                pending[dependency.entity, dependency.rollup] |= _parents(session, dependency.hops[:-1], None, others)
            elif dependency.field == field and listed == entity:
                pending[dependency.entity, dependency.rollup] |= _parents(session, dependency.hops, None, ids)
    recompute(session, pending)


def _starts(hop: Hop, draft: Draft) -> set[UUID] | None:
    """Where a changed record's last hop came from, now and before; None: the database knows."""
    if hop.kind == "inverse":
        values = (draft.value(hop.field), draft.before(hop.field))
        return {v.id for v in values if isinstance(v, Ref) and v.entity == hop.entity}
    if hop.kind == "linked":
        now, before = draft.value(hop.field) or (), draft.before(hop.field) or ()
        return {ref.id for ref in (*now, *before)}
    return None


def _parents(
    session: Session, hops: Sequence[Hop], starts: set[UUID] | None, ids: Sequence[UUID] | None = None
) -> set[UUID]:
    """The records at the beginning of the hops, going back from the ids (or from where the last hop began)."""
    if ids is None and starts is None:
        return set()
    remaining = list(hops)
    current = list(ids) if ids is not None else list(starts or ())
    if ids is None:
        remaining.pop()
    while remaining and current:
        current = _back(session, remaining.pop(), current)
    return set(current)


def _back(session: Session, hop: Hop, ids: Sequence[UUID]) -> list[UUID]:
    """The records that a hop leads from to any of the ids."""
    if hop.kind == "link":
        table = session.table(hop.entity)
        statement = sa.select(table.c.id).where(table.c[short(hop.field)].in_(ids))
    elif hop.kind == "inverse":
        table = session.table(hop.to)
        column = table.c[short(hop.field)]
        statement = sa.select(column).where(table.c.id.in_(ids), column.is_not(None))
        if "_entity" in session.model.entities[hop.to].fields[hop.field].type.columns():
            statement = statement.where(table.c[short(f"{hop.field}_entity")] == hop.entity)
    else:
        owner = hop.entity if hop.kind == "links" else hop.to
        links = session.tables.links[owner, hop.field]
        near, far = (links.c.source, links.c.target) if hop.kind == "links" else (links.c.target, links.c.source)
        statement = sa.select(near).where(far.in_(ids))
    return list(session.execute(statement.distinct()).scalars())


def recompute(session: Session, pending: Mapping[tuple[str, str], set[UUID]]) -> None:
    """Compute roll-ups anew and write those that differ, then what depends on them, until nothing changes."""
    work: dict[str, dict[str, set[UUID]]] = defaultdict(dict)
    for (entity, name), ids in pending.items():
        if ids:
            work[entity].setdefault(name, set()).update(ids)
    rounds = 0
    while work and rounds < 50:
        rounds += 1
        entity = next(iter(work))
        names = work.pop(entity)
        ids = set().union(*names.values())
        changed = _write(session, entity, list(names), sorted(ids))
        if not changed:
            continue
        for dependency in dependencies(session.model).get(entity, ()):
            if dependency.field in names:
                above = _parents(session, dependency.hops, None, changed)
                if dependency.entity == entity and not dependency.hops:
                    above = set(changed)
                work[dependency.entity].setdefault(dependency.rollup, set()).update(above)
        for key in [k for k, v in work.items() if not any(v.values())]:
            del work[key]


def _write(session: Session, entity: str, names: Sequence[str], ids: Sequence[UUID]) -> list[UUID]:
    """Compute and store roll-ups of some records; which of them changed.

    The rows are locked first, in one order: the sums are then read by a statement that sees what every earlier
    writer has committed, so that two children added at the same moment are both counted.
    """
    lock, statement = _write_statements(session, entity, tuple(sorted(names)))
    session.execute(lock, {"_ids": ids})
    return list(session.execute(statement, {"_ids": ids}).scalars())


def _write_statements(session: Session, entity: str, names: tuple[str, ...]) -> tuple[Any, Any]:
    key = (session.view_key, "rollups", entity, names)
    made: tuple[Any, Any] | None = known(key)
    if made is not None:
        return made
    table = session.table(entity)
    wanted: sa.BindParameter[Any] = sa.bindparam("_ids", expanding=True)
    lock = sa.select(table.c.id).where(table.c.id.in_(wanted)).order_by(table.c.id).with_for_update(key_share=True)
    scope = system_scope(session, entity, late=True)
    alias = scope.alias
    computed: dict[str, sa.ColumnElement[Any]] = {}
    definition = session.model.entities[entity]
    for name in names:
        field = definition.fields[name]
        assert field.rollup is not None
        value = field.rollup.sql(scope)
        parts = (
            {"": value.amount, "_currency": value.currency, "_base": value.base}
            if isinstance(value, SqlMoney)
            else {"": value}
        )
        for suffix, kind in field.type.columns().items():
            if suffix in parts:
                computed[short(name + suffix)] = sa.cast(parts[suffix], kind)
    found = sa.select(alias.c.id, *(e.label(f"v_{n}") for n, e in computed.items()))
    new = found.select_from(scope.joined()).where(alias.c.id.in_(wanted)).subquery()
    statement = (
        sa.update(table)
        .where(table.c.id == new.c.id, sa.or_(*(table.c[n].is_distinct_from(new.c[f"v_{n}"]) for n in computed)))
        .values({n: new.c[f"v_{n}"] for n in computed})
        .returning(table.c.id)
    )
    if not scope.catalog.is_personal:
        keep(key, (lock, statement))
    return lock, statement
