"""The words by which records are found, written anew: what they are made of has changed outside a save of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR

from trellis.formula.types import Ref
from trellis.records.deriving.standpoint import as_tenant
from trellis.records.draft import Draft
from trellis.records.graph import LiveRecord, StoreGraph, stored_columns
from trellis.records.writing.rows import search_vector
from trellis.storage.ordering import ORDER, order_of, ordered_field

if TYPE_CHECKING:
    from trellis.model.entity import Entity
    from trellis.records.session import Session

BATCH = 1000


def write(session: Session, entity: str, ids: Iterable[UUID]) -> None:
    """Write the words of any number of records, a thousand at a time."""
    remaining = iter(ids)
    while batch := list(islice(remaining, BATCH)):
        fill_search(entity, session, batch)


def fill_search(entity: str, session: Session, ids: Sequence[UUID]) -> None:
    """Write the words by which records are found anew; those in the bin, too."""
    table = session.table(entity)
    if not keeps_words(session.entity(entity)):
        session.execute(sa.update(table).where(_among(table, ids), table.c.search.is_not(None)).values(search=None))
        return
    hold = sa.select(table.c.id).where(_among(table, ids)).order_by(table.c.id)
    session.execute(hold.with_for_update(key_share=True))
    new, values = _rows_of(session, entity, ids)
    other = sa.or_(*(table.c[name].is_distinct_from(value) for name, value in values.items()))
    session.execute(sa.update(table).where(table.c.id == new.c.id, other).values(values))


def differing(session: Session, entity: str, ids: Sequence[UUID]) -> list[UUID]:
    """Those of the records whose stored words are not what they should be."""
    table = session.table(entity)
    if not keeps_words(session.entity(entity)):
        found = sa.select(table.c.id).where(_among(table, ids), table.c.search.is_not(None))
        return list(session.execute(found.order_by(table.c.id)).scalars())
    new, values = _rows_of(session, entity, ids)
    other = sa.or_(*(table.c[name].is_distinct_from(value) for name, value in values.items()))
    found = sa.select(table.c.id).join(new, table.c.id == new.c.id).where(other)
    return list(session.execute(found.order_by(table.c.id)).scalars())


def keeps_words(entity: Entity) -> bool:
    """Whether the entity's records keep words that they are found by, or an order of their titles."""
    return bool(entity.search_fields()) or ordered_field(entity) is not None


def words_of(session: Session, entity: str, ids: Sequence[UUID]) -> Iterator[tuple[UUID, str | None, str | None]]:
    """The records' words, and the order of their titles, computed from what is stored now."""
    definition, table = session.entity(entity), session.table(entity)
    graph = StoreGraph(session)
    rows = session.execute(sa.select(*stored_columns(table)).where(_among(table, ids))).mappings()
    records = [graph.record(entity, row) for row in rows.all()]
    for record in records:
        graph.put(record)
    with as_tenant(session):
        for field in definition.search_fields():
            load_ahead(graph, records, (field.key,))
        titled = ordered_field(definition)
        for record in records:
            words = search_vector(Draft(definition, record, record)) if definition.search_fields() else None
            yield record.id, words, None if titled is None else order_of(titled, record.value(titled.key))


def load_ahead(graph: StoreGraph, records: Sequence[LiveRecord], path: tuple[str, ...], depth: int = 0) -> None:
    """Read at once what formulas would otherwise fetch one by one: the records that a path leads to, and their titles.

    Lists are not read ahead.
    """
    by_entity: dict[str, list[LiveRecord]] = {}
    for record in records:
        by_entity.setdefault(record.entity, []).append(record)
    for some in by_entity.values() if depth < 8 else ():
        field = some[0].definition.fields.get(path[0]) if path else None
        if field is None:
            continue
        if field.formula is not None:
            for inner in field.formula.reads:
                load_ahead(graph, some, inner, depth + 1)
        elif field.is_stored and field.type.formula_type().kind == "record":
            targets = _load(graph, [ref for r in some if isinstance(ref := r.value(field.key), Ref)])
            if path[1:]:
                load_ahead(graph, targets, path[1:], depth)
            for target in {t.entity: t for t in targets}.values():
                alike = [t for t in targets if t.entity == target.entity]
                for inner in target.definition.title.reads if target.definition.title is not None else ():
                    load_ahead(graph, alike, inner, depth + 1)


def _load(graph: StoreGraph, refs: Sequence[Ref]) -> list[LiveRecord]:
    found: list[LiveRecord] = []
    for entity in dict.fromkeys(ref.entity for ref in refs):
        found.extend(graph.load(entity, [ref.id for ref in refs if ref.entity == entity]))
    return found


def _among(table: sa.Table, ids: Sequence[UUID]) -> sa.ColumnElement[bool]:
    return table.c.id == sa.any_(sa.literal(list(ids), ARRAY(sa.Uuid)))


def _rows_of(session: Session, entity: str, ids: Sequence[UUID]) -> tuple[Any, dict[str, sa.ColumnElement[Any]]]:
    """Records with their words and order as a table of the query, and what the columns should hold."""
    found = list(words_of(session, entity, ids))
    columns = [list(column) for column in zip(*found, strict=True)] or [[], [], []]
    kinds = (sa.Uuid, sa.Text, sa.Text)
    new = (
        sa.func.unnest(*(sa.literal(column, ARRAY(kind)) for column, kind in zip(columns, kinds, strict=True)))
        .table_valued(sa.column("id", sa.Uuid), sa.column("words", sa.Text), sa.column("title", sa.Text))
        .render_derived(name="new")
    )
    values: dict[str, sa.ColumnElement[Any]] = {"search": sa.cast(new.c.words, TSVECTOR)}
    if ordered_field(session.entity(entity)) is not None:
        values[ORDER] = new.c.title
    return new, values
