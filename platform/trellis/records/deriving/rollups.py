"""Roll-ups and search words: stored values that every write keeps true, upward through as many records as there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from trellis.formula.types import Ref
from trellis.records.deriving.dependencies import Dependency, Hop, dependencies, targets
from trellis.records.deriving.recompute import Changed, Pending, write
from trellis.records.deriving.standpoint import as_tenant
from trellis.records.draft import Draft
from trellis.records.graph import settle
from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.records.session import Session


def preview(draft: Draft) -> None:
    """Compute the roll-ups over what the draft itself brings: its lines and links, so that rules see them."""
    own = draft.lines.keys() | {n for n in draft.given if n in draft.entity.fields}
    for field in draft.entity.fields.values():
        if field.rollup is None:
            continue
        if draft.is_new or any(path[0] in own or path[0] == "this" for path in field.rollup.reads):
            with as_tenant(draft.record.graph.session):
                draft.set(field.key, settle(field, field.rollup.evaluate(draft.env())))


# ── after a change: which stored values it concerns ──────────────────────────────────────────────────────────


def after_drafts(session: Session, drafts: Sequence[Draft]) -> None:
    """Keep true what the drafts' changes concern."""
    walk, pending = _Walk(session), Pending()
    for entity in dict.fromkeys(draft.entity.key for draft in drafts):
        some = [draft for draft in drafts if draft.entity.key == entity]
        for dependency in dependencies(session.model).get(entity, ()):
            pending.add(dependency, walk.concerned(dependency, some))
    gone: dict[str, list[UUID]] = defaultdict(list)
    for record in (r for draft in drafts for records in draft.gone.values() for r in records):
        gone[record.entity].append(record.id)
    for entity, ids in gone.items():
        _add_membership(walk, pending, entity, ids)
    recompute(session, pending)


def after_membership(session: Session, entity: str, ids: Iterable[UUID]) -> None:
    """Keep true what is computed over records that went to the bin or came back."""
    walk, pending = _Walk(session), Pending()
    _add_membership(walk, pending, entity, list(ids))
    recompute(session, pending)


def _add_membership(walk: _Walk, pending: Pending, entity: str, ids: Sequence[UUID]) -> None:
    for dependency in dependencies(walk.session.model).get(entity, ()):
        if dependency.hops and dependency.field is None:
            pending.add(dependency, walk.back(dependency.hops, ids))


def after_fields(session: Session, entity: str, names: Sequence[str], ids: Sequence[UUID]) -> None:
    """Keep true what is computed over fields of records that were written past any draft."""
    if not ids:
        return
    walk, pending = _Walk(session), Pending()
    for dependency in dependencies(session.model).get(entity, ()):
        if dependency.field in names:
            pending.add(dependency, walk.back(dependency.hops, ids))
    recompute(session, pending)


def after_link(session: Session, entity: str, field: str, source: UUID, target: UUID) -> None:
    """Keep true what is computed over a many-to-many when one link came or went."""
    after_links(session, entity, field, "source", [source], [target])


def after_links(
    session: Session, entity: str, field: str, side: str, near: Iterable[UUID], far: Iterable[UUID]
) -> None:
    """Keep true what is computed over a many-to-many when links of the `near` records (source or target) changed."""
    walk, pending = _Walk(session), Pending()
    mine, theirs = list(near), list(far)
    sources, ends = (mine, theirs) if side == "source" else (theirs, mine)
    for dependency in dependencies(session.model).get(entity, ()):
        if dependency.field != field:
            continue
        hop = dependency.hops[-1] if dependency.hops else None
        if hop is not None and hop.kind == "linked" and hop.field == field:  # a link that is gone leads nowhere now
            pending.add(dependency, walk.back(dependency.hops[:-1], ends))
        else:
            pending.add(dependency, walk.back(dependency.hops, sources))
    recompute(session, pending)


def after_moved(
    session: Session, entity: str, field: str, ends: Sequence[UUID], rows: Callable[[], Sequence[UUID]]
) -> None:
    """Keep true what is computed when many rows' link now leads to another of the `ends`; `rows` finds them."""
    walk, pending = _Walk(session), Pending()
    for dependency in dependencies(session.model).get(entity, ()):
        if dependency.field != field:
            continue
        hop = dependency.hops[-1] if dependency.hops else None
        if hop is not None and hop.kind == "inverse" and hop.field == field:
            pending.add(dependency, walk.back(dependency.hops[:-1], ends))
        else:
            pending.add(dependency, walk.back(dependency.hops, rows()))
    recompute(session, pending)


def refresh(session: Session, entity: str, ids: Iterable[UUID]) -> None:
    """Compute the records' own stored values anew, and then whatever is computed from those that differ."""
    wanted = set(ids)
    recompute(session, {(entity, target): wanted for target in targets(session.entity(entity))})


# ── from a changed record back to those that read it ─────────────────────────────────────────────────────────


class _Walk:
    """One change's ways back, each walked once."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._known: dict[tuple[tuple[Hop, ...], frozenset[UUID]], set[UUID]] = {}

    def concerned(self, dependency: Dependency, drafts: Sequence[Draft]) -> set[UUID]:
        """The records whose value reads what has changed in the drafts, now or before."""
        starts: set[UUID] = set()  # where the last hop began
        changed: set[UUID] = set()
        for draft in drafts:
            if not _is_changed(dependency, draft):
                continue
            found = _starts(dependency.hops[-1], draft) if dependency.hops else None
            if found is None:
                changed.add(draft.record.id)
            else:
                starts |= found
        return self.back(dependency.hops[:-1], starts) | self.back(dependency.hops, changed)

    def back(self, hops: tuple[Hop, ...], ids: Iterable[UUID]) -> set[UUID]:
        """The records at the beginning of the hops that lead to any of the ids."""
        current = frozenset(ids)
        if not hops or not current:
            return set(current)
        known = self._known.get((hops, current))
        if known is None:
            known = self.back(hops[:-1], _back(self.session, hops[-1], current))
            self._known[hops, current] = known
        return known


def _is_changed(dependency: Dependency, draft: Draft) -> bool:
    name = dependency.field
    if draft.is_new:  # what it has itself is computed with it, but for many-to-manys, whose rows come after it
        return bool(dependency.hops) or _links_given(draft, name)
    return name is not None and (draft.has_changed(name) or _links_given(draft, name))


def _links_given(draft: Draft, name: str | None) -> bool:
    """Whether a many-to-many of the draft was written, with columns that only the database has together."""
    field = draft.entity.fields.get(name or "")
    if field is None or field.type.formula_type().kind != "records":
        return False
    return field.key in draft.given or draft.has_changed(field.key)


def _starts(hop: Hop, draft: Draft) -> set[UUID] | None:
    """Where a changed record's last hop came from, now and before; None: the database knows."""
    if hop.kind == "inverse":
        values = (draft.value(hop.field), draft.before(hop.field))
        return {v.id for v in values if isinstance(v, Ref) and v.entity == hop.entity}
    if hop.kind == "linked" and _links_given(draft, hop.field):
        now, before = draft.value(hop.field) or (), draft.before(hop.field) or ()
        return {ref.id for ref in (*now, *before)}
    return None


def _back(session: Session, hop: Hop, ids: Iterable[UUID]) -> list[UUID]:
    """The records that a hop leads from to any of the ids; those in the bin too."""
    wanted: sa.ColumnElement[list[UUID]] = sa.literal(list(ids), ARRAY(sa.Uuid))
    if hop.kind == "link":
        table = session.table(hop.entity)
        column = table.c[short(hop.field)]
        statement = sa.select(table.c.id).where(column == sa.any_(wanted))
        if "_entity" in session.model.entities[hop.entity].fields[hop.field].type.columns():
            statement = statement.where(table.c[short(f"{hop.field}_entity")] == hop.to)
    elif hop.kind == "inverse":
        table = session.table(hop.to)
        column = table.c[short(hop.field)]
        statement = sa.select(column).where(table.c.id == sa.any_(wanted), column.is_not(None))
        if "_entity" in session.model.entities[hop.to].fields[hop.field].type.columns():
            statement = statement.where(table.c[short(f"{hop.field}_entity")] == hop.entity)
    else:
        owner = hop.entity if hop.kind == "links" else hop.to
        links = session.tables.links[owner, hop.field]
        near, far = (links.c.source, links.c.target) if hop.kind == "links" else (links.c.target, links.c.source)
        statement = sa.select(near).where(far == sa.any_(wanted))
    return list(session.execute(statement.distinct()).scalars())


# ── computing anew ───────────────────────────────────────────────────────────────────────────────────────────


def recompute(session: Session, pending: Mapping[tuple[str, str], set[UUID]], *, looking: bool = False) -> None:
    """Compute stored values anew and write those that differ, then what depends on them, until nothing changes.

    `looking`: no write is the reason, it is only looked whether they are right.
    """
    walk = _Walk(session)

    def follow(changed: Changed) -> Pending:
        following = Pending()
        for dependency in dependencies(session.model).get(changed.entity, ()):
            if dependency.field in changed.names:
                following.add(dependency, walk.back(dependency.hops, changed.ids))
        return following

    write(session, pending, follow, looking=looking)
