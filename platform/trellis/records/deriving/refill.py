"""What old records need after a new configuration: roll-ups that are new or say something else, and their search.

Everything here may be done twice: a process that was killed in between leaves the rest to the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis.records.deriving import money, rates
from trellis.records.deriving.rollups import recompute
from trellis.records.deriving.tracing import traced
from trellis.records.deriving.words import fill_search
from trellis.records.principal import Principal
from trellis.records.session import Session
from trellis.records.writing.rows import concealed_fields
from trellis.storage.ordering import ordered_field

if TYPE_CHECKING:
    from trellis.formula.reader import Reader
    from trellis.model.entity import Entity
    from trellis.model.field import Field
    from trellis.model.model import Model
    from trellis.records.deriving.tracing import Step
    from trellis.storage.tenant import Tenant

BATCH = 1000


def refill(tenant: Tenant, before: Tenant, reader: Reader) -> None:
    """Bring old records up to the configuration, a thousand a transaction. Raises RevisionChanged on a later one."""
    if dated := changed_dates(before, tenant):
        session = Session(tenant, Principal.system(reader))
        with session.write(rates.ENTITY):
            money.refresh(session, dated)
    for entity, names in changed_rollups(before, tenant).items():
        _in_batches(tenant, reader, entity, partial(_compute, entity, names))
    for entity in changed_searches(before.model, tenant.model):
        _in_batches(tenant, reader, entity, partial(fill_search, entity))


def changed_dates(before: Tenant, after: Tenant) -> list[str]:
    """The entities whose amounts are worth something else: by another currency of the tenant, or another date."""
    moved = _standing(before) != _standing(after) or rates.has_rates(before.model) != rates.has_rates(after.model)
    changed = []
    for entity in after.model.entities.values():
        old = before.model.entities.get(entity.key) or before.model.entities.get(entity.was or "")
        if old is None or not money.money_fields(entity):
            continue
        if moved or rates.date_path(before.model, old) != rates.date_path(after.model, entity):
            changed.append(entity.key)
    return changed


def changed_rollups(before: Tenant, after: Tenant) -> dict[str, list[str]]:
    """The roll-ups by entity that the earlier revision does not have, or computes in another way."""
    moved = _standing(before) != _standing(after)
    settings = before.profile.settings != after.profile.settings
    changed: dict[str, list[str]] = {}
    for entity in after.model.entities.values():
        earlier = before.model.entities.get(entity.key)
        for field in entity.fields.values():
            if field.rollup is None:
                continue
            old = earlier.fields.get(field.key) if earlier else None
            new = traced(after.model, entity.key, field.rollup)
            asks = settings and any("setting" in step.uses for step in new)
            if moved or asks or old is None or not _is_same(before.model, entity, old, field, new):
                changed.setdefault(entity.key, []).append(field.key)
    return changed


def _is_same(before: Model, entity: Entity, old: Field, field: Field, new: frozenset[Step]) -> bool:
    """Whether a roll-up was one before, and means the same."""
    if old.rollup is None or old.type.columns().keys() != field.type.columns().keys():
        return False
    return traced(before, entity.key, old.rollup) == new and type(old.type) is type(field.type)


def _standing(tenant: Tenant) -> tuple[str, str, str]:
    """What of a tenant's own goes into stored values."""
    return tenant.profile.currency, tenant.profile.time_zone, tenant.profile.language


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
        linked = [model.entities[k] for k in field.type.formula_type().entities if k in model.entities]
        titles = tuple((e.title_field, e.title and traced(model, e.key, e.title)) for e in linked)
        formula = traced(model, entity.key, field.formula) if field.formula is not None else None
        found.append((field.key, type(field.type).__name__, formula, titles, field.key in concealed))
    if (titled := ordered_field(entity)) is not None:
        found.append(("order", titled.key, type(titled.type).__name__))
    return found


def _compute(entity: str, names: list[str], session: Session, ids: list[UUID]) -> None:
    recompute(session, {(entity, name): set(ids) for name in names}, looking=True)


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
