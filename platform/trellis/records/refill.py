"""What old records need after a new configuration: roll-ups that are new or say something else, and their search.

Everything here may be done twice: a process that was killed in between leaves the rest to the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSVECTOR

from trellis.records.draft import Draft
from trellis.records.graph import StoreGraph, stored_columns
from trellis.records.principal import Principal
from trellis.records.rollups import recompute
from trellis.records.rows import concealed_fields, search_vector
from trellis.records.session import Session

if TYPE_CHECKING:
    from trellis.formula.reader import Reader
    from trellis.model.entity import Entity
    from trellis.model.field import Field
    from trellis.model.model import Model
    from trellis.storage.tenant import Tenant

BATCH = 1000


def refill(tenant: Tenant, before: Tenant, reader: Reader) -> None:
    """Bring old records up to the configuration, a thousand a transaction. Raises RevisionChanged on a later one."""
    for entity, names in changed_rollups(before.model, tenant.model).items():
        _in_batches(tenant, reader, entity, partial(_compute, entity, names))
    for entity in changed_searches(before.model, tenant.model):
        _in_batches(tenant, reader, entity, partial(fill_search, entity))


def changed_rollups(before: Model, after: Model) -> dict[str, list[str]]:
    """The roll-ups by entity that the earlier Model does not have, or computes in another way."""
    changed: dict[str, list[str]] = {}
    restaged = {e.key for e in after.entities.values() if _stages(e) != _stages(before.entities.get(e.key))}
    for entity in after.entities.values():
        earlier = before.entities.get(entity.key)
        for field in entity.fields.values():
            if field.rollup is None:
                continue
            old = earlier.fields.get(field.key) if earlier else None
            differs = old is None or old.rollup is None or old.rollup.source != field.rollup.source
            if differs or _reads_any(entity, field, restaged):
                changed.setdefault(entity.key, []).append(field.key)
    return changed


def _stages(entity: Entity | None) -> dict[tuple[str, str], str]:
    """The types of an entity's stages: records have moved with them."""
    pipelines = entity.pipelines.values() if entity is not None else ()
    return {(p.key, s.key): s.type for p in pipelines for s in p.stages.values()}


def _reads_any(entity: Entity, field: Field, others: set[str]) -> bool:
    """Whether a roll-up goes over records of one of these entities."""
    if field.rollup is None or not others:
        return False
    lists = {path[0] for path in field.rollup.reads if path}
    found = {entity.inverses[name].entity for name in lists if name in entity.inverses}
    found |= {e for name in lists if name in entity.fields for e in entity.fields[name].type.formula_type().entities}
    return bool(found & others)


def changed_searches(before: Model, after: Model) -> list[str]:
    """The entities whose records are found by other words than in the earlier Model."""
    changed = []
    for entity in after.entities.values():
        earlier = before.entities.get(entity.key) or before.entities.get(entity.was or "")
        old = _searched(before, earlier) if earlier is not None else None
        new = _searched(after, entity)
        if new != old and (new or earlier is not None):
            changed.append(entity.key)
    return changed


def _searched(model: Model, entity: Entity) -> list[tuple[Any, ...]]:
    """What decides by which words a record is found: fields, formulas, titles of linked records, concealment."""
    concealed = concealed_fields(model, entity.key)
    found: list[tuple[Any, ...]] = []
    for field in entity.search_fields():
        linked = field.type.formula_type().entities
        titles = tuple((e.title_field, e.title and e.title.source) for k in linked if (e := model.entities.get(k)))
        formula = field.formula.source if field.formula is not None else None
        found.append((field.key, type(field.type).__name__, formula, titles, field.key in concealed))
    return found


def _compute(entity: str, names: list[str], session: Session, ids: list[UUID]) -> None:
    recompute(session, {(entity, name): set(ids) for name in names})


def fill_search(entity: str, session: Session, ids: list[UUID]) -> None:
    """Write the words by which records are found anew; those in the bin, too."""
    definition, table = session.entity(entity), session.table(entity)
    if not definition.search_fields():
        found = table.c.id.in_(ids) & table.c.search.is_not(None)
        session.execute(sa.update(table).where(found).values(search=None))
        return
    graph = StoreGraph(session)
    columns = stored_columns(table)
    held = sa.select(*columns).where(table.c.id.in_(ids)).order_by(table.c.id).with_for_update()
    records = [graph.record(entity, row) for row in session.execute(held).mappings().all()]
    for record in records:
        graph.put(record)
    for field in definition.search_fields():
        if field.is_stored and field.type.formula_type().kind == "record":
            refs = [ref for r in records if (ref := r.value(field.key)) is not None]
            for target in {ref.entity for ref in refs}:
                graph.load(target, [ref.id for ref in refs if ref.entity == target])
    words = [search_vector(Draft(definition, r, r)) for r in records]
    new = (
        sa.func.unnest(sa.literal([r.id for r in records], sa.ARRAY(sa.Uuid)), sa.literal(words, sa.ARRAY(sa.Text)))
        .table_valued(sa.column("id", sa.Uuid), sa.column("words", sa.Text))
        .render_derived(name="new")
    )
    vector = sa.cast(new.c.words, TSVECTOR)
    other = (table.c.id == new.c.id) & table.c.search.is_distinct_from(vector)
    session.execute(sa.update(table).where(other).values(search=vector))


def _in_batches(tenant: Tenant, reader: Reader, entity: str, work: Callable[[Session, list[UUID]], None]) -> None:
    """Do some work on an entity's records, a thousand at a time, each thousand in a transaction of its own."""
    last: UUID | None = None
    while True:
        session = Session(tenant, Principal.system(reader))
        with session.write():
            ids = list(_next(session, entity, last))
            work(session, ids)
        if len(ids) < BATCH:
            return
        last = ids[-1]


def _next(session: Session, entity: str, last: UUID | None) -> Iterator[UUID]:
    table = session.table(entity)
    query = sa.select(table.c.id).order_by(table.c.id).limit(BATCH)
    if last is not None:
        query = query.where(table.c.id > last)
    yield from session.execute(query).scalars()
