"""Finding records by what people type: pickers, and the search over everything."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from trellis.formula.env import RecordLike
from trellis.formula.formula import Formula
from trellis.formula.sql.scope import SqlScope
from trellis.formula.types import Ref
from trellis.model.collation import sort_key
from trellis.model.entity import Entity
from trellis.model.fields.base import Invalid
from trellis.records.graph import LiveRecord, StoreGraph
from trellis.records.merging import lookup
from trellis.records.reading import filtering, search, shown
from trellis.records.reading.selection import Selection
from trellis.records.record import Choice
from trellis.records.writing import trees
from trellis.storage.ordering import ORDER

if TYPE_CHECKING:
    from trellis.records.session import Session

DETAIL_TYPES = ("email", "phone", "address", "link", "text", "sequence", "choice")
This = Mapping[str, Any] | RecordLike | None


def pick(
    session: Session,
    entity: str,
    q: str | None,
    *,
    field: tuple[str, str] | None = None,
    this: This = None,
    limit: int = 20,
) -> list[Choice]:
    """Live records that match what was typed, by title; `field` says for which link, whose filter is kept."""
    filtering.require_readable(session, entity)
    definition = session.entity(entity)
    selection = Selection(session, entity)
    details = detail_paths(session, definition)
    shape = selection.shape(details)
    conditions = filtering.restrict(selection, (), many=True)
    if field is not None:
        conditions.extend(_filter(session, selection, field, this))
    if "active" in definition.fields and definition.internal:
        conditions.append(selection.alias.c.active.is_not(False))
    conditions.extend(_insiders(session, entity, selection.alias))
    title = selection.catalog.title(selection.scope)
    rows: Sequence[sa.Row[Any]] = []
    for typed, order in _ways(selection, title, q):
        statement = selection.select().where(*conditions, *typed).order_by(*order, selection.alias.c.id.desc())
        rows = session.execute(statement.limit(limit)).all()
        if rows:
            break
    if not q or not q.strip():
        rows = sorted(rows, key=lambda row: sort_key(shape.title(row) or ""))
    kinds = [definition.fields[d].type for d in details]
    choices = []
    for row in rows:
        texts = [k.display(shape.slots[d](row), session.reader) for d, k in zip(details, kinds, strict=True)]
        name = shape.title(row) or ""
        detail = " · ".join(t for t in texts if t and t != name)
        choices.append(Choice(Ref(entity, row[shape.id], name), name, detail))
    return choices if q and q.strip() else trees.arranged(session, entity, choices)


def _insiders(session: Session, entity: str, table: sa.FromClause) -> list[sa.ColumnElement[bool]]:
    """Of people, those who work here: nobody is asked to do something who only comes to the portal."""
    portals = sorted(key for key, role in session.model.roles.items() if role.portal)
    if entity != "user" or "roles" not in table.c or not portals:
        return []
    held, some = table.c.roles, sa.literal(portals, ARRAY(sa.Text()))
    outside = sa.and_(held.op("&&")(some), held.op("<@")(some))
    return [sa.func.coalesce(outside, sa.false()).is_(False)]


def detail_paths(session: Session, entity: Entity) -> list[str]:
    """The fields of a choice's second line: two that tell namesakes apart, an address or a way to reach them."""
    modes = session.permit.modes(entity.key)
    named = {entity.title_field, *(p[0] for p in (entity.title.reads if entity.title else ()))}
    wanted = []
    for kind in DETAIL_TYPES:
        for field in entity.fields.values():
            is_telling = kind not in ("text", "choice", "link") or field.search or kind == "link"
            is_free = field.key not in named and field.key not in modes and not field.system
            if field.type.name == kind and field.is_stored and is_telling and is_free:
                wanted.append(field.key)
    return wanted[:2]


Way = tuple[list[sa.ColumnElement[bool]], list[sa.ColumnElement[Any]]]


def _ways(selection: Selection, title: sa.ColumnElement[Any], q: str | None) -> Iterator[Way]:
    """How to look, and in which order to offer: the newest when nothing was typed; else by the words, for which there
    is an index, titles that begin so first; and only when that finds nothing, by any part of the title."""
    typed = (q or "").strip().lower()
    if not typed:
        yield [], [selection.alias.c.created_at.desc()]
        return
    lowered = sa.func.lower(title)
    order = [sa.case((lowered.startswith(typed, autoescape=True), 0), else_=1), title]
    if selection.entity.search_fields():
        yield [selection.matches(typed)], order
    yield [lowered.contains(typed, autoescape=True)], order


def _filter(session: Session, selection: Selection, field: tuple[str, str], this: This) -> list[sa.ColumnElement[bool]]:
    """The link's filter over the targets; `this` is the record whose form is open."""
    owner, name = field
    definition = session.entity(owner).fields.get(name)
    formula = getattr(definition.type, "filter", None) if definition is not None else None
    if not isinstance(formula, Formula):
        return []
    record = as_record(session, owner, this)
    scope = SqlScope(
        selection.catalog, selection.entity.key, selection.alias, session.reader, record, graph=record.graph
    )
    with selection.catalog.unguarded():
        predicate = formula.predicate(scope)
    if scope.joined() is selection.alias:
        return [predicate]
    inner = sa.select(sa.literal(1))  # joins of its own: asked apart, so that the picker's rows stay single
    table = session.table(selection.entity.key).alias()
    scope = SqlScope(selection.catalog, selection.entity.key, table, session.reader, record, graph=record.graph)
    with selection.catalog.unguarded():
        predicate = formula.predicate(scope)
    inner = inner.select_from(scope.joined()).where(table.c.id == selection.alias.c.id, predicate)
    return [sa.exists(inner)]


def as_record(session: Session, entity: str, this: This) -> LiveRecord:
    """An open form's values as a record: what was typed over what is stored."""
    if isinstance(this, LiveRecord):
        return this
    graph = StoreGraph(session)
    definition = session.entity(entity)
    given: Mapping[str, Any] = this if isinstance(this, Mapping) else {}
    if this is not None and not isinstance(this, Mapping) and this.id is not None:
        given = {"id": this.id}
    stored = _stored(graph, entity, given.get("id"))
    record = stored.copy() if stored is not None else LiveRecord(graph, definition, _NEW, {}, is_new=True)
    for key, raw in given.items():
        field = definition.fields.get(key)
        if field is None or not field.is_writable:
            continue
        try:
            record.set(key, field.type.parse(raw, session.reader))
        except Invalid:
            record.set(key, None)
    return record


_NEW = UUID(int=0)


def _stored(graph: StoreGraph, entity: str, id: Any) -> LiveRecord | None:
    try:
        return graph.follow(Ref(entity, id if isinstance(id, UUID) else UUID(str(id)))) if id else None
    except ValueError:
        return None


NEAR = 200  # how many records with the same first letters are looked at for a slip of the fingers
_searches: OrderedDict[tuple[object, ...], sa.Select[Any]] = OrderedDict()
SEARCHES_KEPT = 500


def find(session: Session, q: str, *, entities: Sequence[str] | None = None, limit: int = 20) -> list[Choice]:
    """Records of every readable entity that match, titles that begin with what was typed first; one statement.

    When nothing does, a slip in a long word is forgiven.
    """
    if search.query_text(q) is None:
        return []
    statement = _search_statement(session, None if entities is None else tuple(entities))
    if statement is None:
        return []
    typed = q.strip().lower()
    letters = "".join(typed.split())
    asked = {"_typed": typed, "_prefix": search.like_prefix(typed), "_letters": letters if letters.isascii() else None}
    words = {"_q": search.query_text(q), "_q_open": search.query_text(q, weight=search.OPEN)}
    rows = session.execute(statement, {**asked, **words, "_limit": limit}).all()
    if not rows and search.forgiving_text(q) is not None:
        loose = {"_q": search.forgiving_text(q), "_q_open": search.forgiving_text(q, weight=search.OPEN)}
        near = session.execute(statement, {**asked, **loose, "_limit": NEAR}).all()
        rows = [row for row in near if search.is_near(q, f"{row.title} {row.detail}")][:limit]
    hits = [Choice(Ref(r.entity, r.id, r.title or ""), r.title or "", r.detail or "") for r in rows]
    return _with_old_names(session, q, hits)


def _with_old_names(session: Session, q: str, hits: list[Choice]) -> list[Choice]:
    """Say of a hit that is found by an old name which one that was, as far as this person may see it."""
    puzzling = [hit.ref for hit in hits if not search.is_near(q, f"{hit.title} {hit.detail}")]
    merged = lookup.losers_of(session, puzzling) if puzzling else {}
    if not merged:
        return hits
    titles = shown.titles(session, [ref for refs in merged.values() for ref in refs])
    found = []
    for hit in hits:
        names = [titles.get((ref.entity, ref.id), "") for ref in merged.get(hit.ref, ())]
        names = [name for name in names if name and search.is_near(q, name)] or [name for name in names if name]
        found.append(replace(hit, merged_from=names[0]) if names else hit)
    return found


def _search_statement(session: Session, entities: tuple[str, ...] | None) -> sa.Select[Any] | None:
    """The search over all entities that may be read; made once for all who have the same rights."""
    key = (session.model.hash, session.permit.cache_key, entities)
    known = _searches.get(key)
    if known is not None:
        return known
    selections = []
    for name in entities if entities is not None else tuple(session.model.entities):
        entity = session.entity(name)
        if entity.search_fields() and not entity.part_of and session.permit.may("read", name):
            selections.append(Selection(session, name))
    if not selections:
        return None
    together = sa.union_all(*(_search_part(session, s) for s in selections)).subquery()
    order = (together.c.rank, together.c.updated_at.desc())
    statement = sa.select(together).order_by(*order).limit(sa.bindparam("_limit", type_=sa.Integer()))
    if all(s.is_shareable for s in selections):
        _searches[key] = statement
        while len(_searches) > SEARCHES_KEPT:
            _searches.popitem(last=False)
    return statement


def _search_part(session: Session, selection: Selection) -> sa.SelectBase:
    title = selection.catalog.title(selection.scope)
    lowered = sa.func.lower(title)
    begins = lowered.like(sa.bindparam("_prefix", type_=sa.Text()), escape="/")
    typed = sa.bindparam("_typed", type_=sa.Text())
    holds = sa.or_(sa.func.strpos(lowered, typed) > 0, *_sounds_like(selection))
    rank = sa.case((lowered == typed, 0), (begins, 1), (holds, 2), else_=3)  # before what is found by other words
    query_text = sa.bindparam("_q" if selection.is_open else "_q_open", type_=sa.Text())
    found = sa.select(
        sa.literal(selection.entity.key, sa.Text()).label("entity"),
        selection.alias.c.id.label("id"),
        sa.cast(title, sa.Text()).label("title"),
        _detail(session, selection).label("detail"),
        rank.label("rank"),
        selection.alias.c.updated_at.label("updated_at"),
    )
    matching = _finds(session, selection, query_text)
    covered = selection.covered() if selection.is_open else None
    if covered is not None:
        openly = _finds(session, selection, sa.bindparam("_q_open", type_=sa.Text()))
        matching = sa.or_(openly, sa.and_(sa.not_(covered), matching))
    conditions = [*filtering.restrict(selection, ()), matching]
    best = found.select_from(selection.source()).where(*conditions).order_by("rank", sa.desc("updated_at"))
    return best.limit(sa.bindparam("_limit", type_=sa.Integer())).subquery().select()


def _finds(session: Session, selection: Selection, text: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Whether a row is found by its own words, or by those of one that was merged into it."""
    own = search.matches_text(selection.alias.c.search, text)
    return sa.or_(own, lookup.found_by_old_name(session, selection.entity.key, selection.alias.c.id, text))


def _sounds_like(selection: Selection) -> Iterator[sa.ColumnElement[bool]]:
    """Whether the pinyin of the title, or its initials, hold what was typed."""
    if not selection.catalog.has_order(selection.entity.key):
        return
    order, letters = selection.alias.c[ORDER], sa.bindparam("_letters", type_=sa.Text())
    for pattern, by in ((r"[^a-z]+", ""), (r"([a-z])[a-z]*[1-5]?[^a-z]*", r"\1")):
        yield sa.func.strpos(sa.func.regexp_replace(order, pattern, by, "g", type_=sa.Text()), letters) > 0


def _detail(session: Session, selection: Selection) -> sa.ColumnElement[Any]:
    """A hit's second line in SQL: its plain text details."""
    texts: list[sa.ColumnElement[Any]] = []
    for name in detail_paths(session, selection.entity):
        field = selection.entity.fields[name]
        if field.type.name in ("email", "phone", "text", "sequence"):
            texts.append(selection.catalog.stored(selection.scope, field, ""))
        elif field.type.formula_type().kind == "record":
            targets = field.type.formula_type().entities
            if len(targets) == 1:
                texts.append(selection.catalog.title(selection.scope.follow(name, targets[0])))
    return sa.func.concat_ws(" · ", *texts, type_=sa.Text()) if texts else sa.literal("", sa.Text())
