"""Stored derived values that are not what they should be, as after writing past the door: found, and mended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from trellis.records.deriving import words
from trellis.records.deriving.dependencies import SEARCH, targets
from trellis.records.deriving.recompute import computed_apart
from trellis.records.deriving.rollups import recompute
from trellis.records.deriving.standpoint import as_tenant
from trellis.records.principal import Principal
from trellis.records.reading.catalog import system_scope
from trellis.records.session import Session
from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.formula.reader import Reader
    from trellis.storage.tenant import Tenant

BATCH = 5000
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Drift:
    """A roll-up (or `search`, the words by which records are found) that is wrong in some records of an entity."""

    entity: str
    field: str
    ids: tuple[UUID, ...]

    @property
    def first(self) -> tuple[UUID, ...]:
        """A few of the records, to look at."""
        return self.ids[:SHOWN]


def find(tenant: Tenant, reader: Reader) -> list[Drift]:
    """Compute every stored derived value of a tenant anew and tell where another one is stored; nothing is changed."""
    found: list[Drift] = []
    for entity in tenant.model.entities.values():
        wrong: dict[str, list[UUID]] = {target: [] for target in targets(entity)}
        last: UUID | None = None
        while wrong:
            session = Session(tenant, Principal.system(reader))
            with session.transaction():
                ids = _next(session, entity.key, last)
                for target, id in differing(session, entity.key, list(wrong), ids):
                    wrong[target].append(id)
            if len(ids) < BATCH:
                break
            last = ids[-1]
        found.extend(Drift(entity.key, _shown(t), tuple(ids)) for t, ids in wrong.items() if ids)
    return found


def mend(tenant: Tenant, reader: Reader, found: Sequence[Drift]) -> None:
    """Write what should be stored, and whatever is computed from it."""
    for drift in found:
        for start in range(0, len(drift.ids), BATCH):
            session = Session(tenant, Principal.system(reader))
            target = SEARCH if drift.field == _shown(SEARCH) else drift.field
            with session.write():
                recompute(session, {(drift.entity, target): set(drift.ids[start : start + BATCH])})


def _shown(target: str) -> str:
    return "search" if target == SEARCH else target


def _next(session: Session, entity: str, last: UUID | None) -> list[UUID]:
    table = session.table(entity)
    query = sa.select(table.c.id).order_by(table.c.id).limit(BATCH)
    return list(session.execute(query if last is None else query.where(table.c.id > last)).scalars())


def differing(session: Session, entity: str, names: Sequence[str], ids: list[UUID]) -> Iterator[tuple[str, UUID]]:
    """The records whose stored value is another, by roll-up; both are read by one statement, at one moment."""
    rollups = [name for name in names if name != SEARCH]
    if rollups:
        with as_tenant(session):
            scope = system_scope(session, entity)
            new, computed = computed_apart(session, scope, rollups)
            table = session.table(entity)
            flags: list[sa.Label[bool]] = []
            for name in rollups:
                columns = [short(name + suffix) for suffix in session.entity(entity).fields[name].type.columns()]
                differs = [table.c[c].is_distinct_from(computed[c]) for c in columns if c in computed]
                flags.append(sa.or_(*differs).label(f"d{len(flags)}"))
            statement = sa.select(table.c.id, *flags).join(new, new.c.id == table.c.id)
            rows = sa.select(found := statement.subquery()).where(sa.or_(*(found.c[f.name] for f in flags)))
            for id, *wrong in map(tuple, session.execute(rows.order_by(found.c.id), {"_ids": ids})):
                yield from ((name, id) for name, differs in zip(rollups, wrong, strict=True) if differs)
    if SEARCH in names:
        yield from ((SEARCH, id) for id in words.differing(session, entity, ids))
