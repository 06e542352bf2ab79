"""Computing stored values anew: one statement for an entity's roll-ups, and then the words for the search."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from trellis.formula.nodes.convert import Rounded
from trellis.formula.sql import values as sqlv
from trellis.formula.sql.grouped import Grouped
from trellis.formula.sql.scope import SqlLink, SqlLocation, SqlMoney, SqlParts, SqlScope, SqlValue
from trellis.records.deriving import words
from trellis.records.deriving.dependencies import SEARCH, Dependency
from trellis.records.deriving.standpoint import as_tenant
from trellis.records.kept import keep, known
from trellis.records.reading.catalog import system_scope
from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.records.session import Session

MANY = 20_000  # records to a statement
FEW = 100  # records for which a plan that was made for any number of them will do

_PLANNED_ANEW = sa.text("SET LOCAL plan_cache_mode = force_custom_plan")


class Pending(defaultdict[tuple[str, str], set[UUID]]):
    """What is to be computed anew: the records, by entity and roll-up (or SEARCH)."""

    def __init__(self) -> None:
        super().__init__(set)

    def add(self, dependency: Dependency, ids: Iterable[UUID]) -> None:
        """Note the records whose value depends on something that has changed."""
        self[dependency.entity, dependency.target].update(ids)


@dataclass(frozen=True, slots=True)
class Changed:
    """Roll-ups that were written with other values."""

    entity: str
    names: Sequence[str]
    ids: Sequence[UUID]


def write(
    session: Session,
    pending: Mapping[tuple[str, str], set[UUID]],
    follow: Callable[[Changed], Pending],
    *,
    looking: bool = False,
) -> None:
    """Write what differs, and what `follow` says depends on it, until nothing does; the words for the search last.

    `looking`: nothing was written that the values are computed of, so that only those are locked that differ.
    """
    work: dict[str, dict[str, set[UUID]]] = defaultdict(dict)
    found: dict[str, set[UUID]] = defaultdict(set)

    def take(more: Mapping[tuple[str, str], set[UUID]]) -> None:
        for (entity, name), ids in more.items():
            if ids and name == SEARCH:
                found[entity] |= ids
            elif ids:
                work[entity].setdefault(name, set()).update(ids)

    take(pending)
    while work:  # it ends: nothing depends on itself, the check of the configuration sees to that
        entity = next(iter(work))
        names = work.pop(entity)
        ids = sorted(set().union(*names.values()))
        for start in range(0, len(ids), MANY):
            some = ids[start : start + MANY]
            if looking and len(some) > FEW:
                some = _differing(session, entity, list(names), some)
            changed = _write(session, entity, list(names), some) if some else []
            if changed:
                take(follow(Changed(entity, list(names), changed)))
    for entity, wanted in found.items():
        words.write(session, entity, sorted(wanted))


def _write(session: Session, entity: str, names: Sequence[str], ids: Sequence[UUID]) -> list[UUID]:
    """Compute and store roll-ups of some records; which of them changed.

    The rows are locked first, in one order: the sums are then read by a statement that sees what every earlier
    writer has committed, so that two children added at the same moment are both counted.
    """
    with as_tenant(session):
        lock, statement, _ = _statements(session, entity, tuple(sorted(names)))
        if len(ids) > FEW:  # PostgreSQL would keep a plan that is made for ten
            session.execute(_PLANNED_ANEW)
        session.execute(lock, {"_ids": ids})
        return list(session.execute(statement, {"_ids": ids}).scalars())


def _differing(session: Session, entity: str, names: Sequence[str], ids: Sequence[UUID]) -> list[UUID]:
    """The records whose stored values are not what they should be; nothing is locked.

    A lock is written into each row: of many records of which few differ, that takes longer than all the sums.
    """
    with as_tenant(session):
        statement = _statements(session, entity, tuple(sorted(names)))[2]
        session.execute(_PLANNED_ANEW)
        return sorted(session.execute(statement, {"_ids": ids}).scalars())


def _statements(session: Session, entity: str, names: tuple[str, ...]) -> tuple[Any, Any, Any]:
    """What locks the records of some `_ids`, what writes those that differ, and what only tells them."""
    reader = session.reader
    key = (session.model.hash, "rollups", entity, names, reader.currency, reader.language, str(reader.time_zone))
    made = known(key)
    if made is not None:
        return cast("tuple[Any, Any, Any]", made)
    table = session.table(entity)
    lock = sa.select(table.c.id).where(among(table.c.id)).order_by(table.c.id).with_for_update(key_share=True)
    scope = system_scope(session, entity, late=True)
    new, computed = computed_apart(session, scope, names)
    other = (table.c.id == new.c.id, sa.or_(*(table.c[n].is_distinct_from(e) for n, e in computed.items())))
    statement = sa.update(table).where(*other).values(computed).returning(table.c.id)
    told = sa.select(table.c.id).join(new, other[0]).where(other[1])
    if not scope.catalog.is_personal:
        keep(key, (lock, statement, told))
    return lock, statement, told


def among(id_: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Whether the id is one of the statement's `_ids`."""
    wanted: sa.BindParameter[Any] = sa.bindparam("_ids", type_=ARRAY(sa.Uuid))
    return id_ == sa.any_(wanted)


def computed_apart(
    session: Session, scope: SqlScope, names: Sequence[str]
) -> tuple[sa.CTE, dict[str, sa.ColumnElement[Any]]]:
    """A table of the `_ids` with what their roll-ups are made of, and from it what the columns should hold.

    It is materialized: PostgreSQL would compute each sum wherever it is named, to compare it, to write it, to round it.
    """
    definition = session.model.entities[scope.entity]
    grouped = scope.grouped = Grouped(scope, among)
    raw: dict[str, SqlValue] = {}
    columns: list[sa.ColumnElement[Any]] = []
    places: dict[int, str] = {}
    for name in names:
        rollup = definition.fields[name].rollup
        assert rollup is not None
        raw[name] = value = (rollup.node.of if isinstance(rollup.node, Rounded) else rollup.node).value(scope)
        for part in sqlv.parts(value):
            if id(part) not in places and not isinstance(part, sa.BindParameter):
                places[id(part)] = f"v{len(places)}"
                columns.append(part.label(places[id(part)]))
    found = sa.select(scope.alias.c.id, *columns).select_from(grouped.joined()).where(among(scope.alias.c.id))
    new = found.cte("new").prefix_with("MATERIALIZED")
    computed: dict[str, sa.ColumnElement[Any]] = {}
    for name, value in raw.items():
        field = definition.fields[name]
        assert field.rollup is not None
        parts_of = [new.c[places[id(part)]] if id(part) in places else part for part in sqlv.parts(value)]
        known_ = sqlv.rebuilt(value, parts_of)
        node = field.rollup.node
        made = node.to_sql(known_, scope) if isinstance(node, Rounded) else known_
        kinds = field.type.columns()
        parts = _parts(made, tuple(kinds))
        computed.update({short(name + s): sa.cast(part, kinds[s]) for s, part in parts.items() if s in kinds})
    return new, computed


def _parts(value: SqlValue, suffixes: tuple[str, ...]) -> dict[str, sa.ColumnElement[Any]]:
    """A value's columns by the suffixes of the field that keeps it."""
    match value:
        case SqlMoney():
            return {"": value.amount, "_currency": value.currency, "_base": value.base}
        case SqlLink():
            return {"": value.id, "_entity": value.entity}
        case SqlLocation():
            return dict(zip(suffixes, (value.latitude, value.longitude), strict=False))
        case SqlParts():
            return {suffix: part for suffix in suffixes if (part := value.parts.get(suffix.lstrip("_"))) is not None}
    return {"": value}
