"""Clocks move with the record: judged after every save, in its transaction, whoever saves and by whatever means."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert

from trellis.automation.jobs import defer_many
from trellis.automation.jobs.defer import Job
from trellis.automation.service_levels.clock import MET, OFF, Clock, Facts, clock_of, judged, told
from trellis.automation.service_levels.levels import levels
from trellis.automation.soon import soon
from trellis.formula.business import Calendar
from trellis.formula.env import Env
from trellis.model.service_level import ServiceLevel
from trellis.records.deriving import rollups
from trellis.records.deriving.standpoint import as_tenant
from trellis.records.draft import Event
from trellis.records.graph import LiveRecord, StoreGraph
from trellis.records.hooks import Hooks, in_every_save
from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.records.session import Session

STRIKE = "service_levels.strike"
QUIET = frozenset({"import"})  # what was late when it was loaded is nothing that anybody is to be woken for
JUDGED = frozenset({"created", "restored", "converted", "merged", "unmerged"})
GONE = frozenset({"deleted", "merged_into"})
_Key = tuple[UUID, str]


@in_every_save
def _join(session: Session, hooks: Hooks) -> None:
    if session.model.service_levels:
        hooks.after.append(lambda events: follow(session, events))


def follow(session: Session, events: Sequence[Event]) -> None:
    """Let the clocks of records follow what happened to them."""
    of = levels(session.model).of
    judge_: dict[str, dict[UUID, bool]] = defaultdict(dict)
    gone: dict[tuple[str, str], list[UUID]] = defaultdict(list)
    for event in events:
        found = of.get(event.entity)
        if found is None:
            continue
        if event.kind in GONE or event.kind == "purged":
            gone[event.entity, event.kind].append(event.id)
        elif event.kind in JUDGED or _concerns(found, event):
            judge_[event.entity][event.id] = event.means in QUIET
    for (entity, kind), ids in gone.items():
        _gone(session, entity, ids, is_purged=kind == "purged")
    for entity, wanted in judge_.items():
        for quietly in (False, True):
            ids = [id for id, is_quiet in wanted.items() if is_quiet is quietly]
            if ids:
                judge(session, entity, ids, quietly=quietly)


def _concerns(found: Iterable[ServiceLevel], event: Event) -> bool:
    """Whether a change may move a clock: one that looks at no changed field stays as it is."""
    return any(level.reads is None or level.reads & event.changed.keys() for level in found)


def _gone(session: Session, entity: str, ids: Sequence[UUID], *, is_purged: bool) -> None:
    """Stop the clocks of records in the bin; those of purged records go with them."""
    table = session.tables.platform.service
    mine = table.c.entity == entity, table.c.record.in_(ids)
    if is_purged:
        session.execute(sa.delete(table).where(*mine))
        return
    values = {"standing": OFF, "stands_since": sa.func.coalesce(table.c.stands_since, session.reader.now)}
    statement = sa.update(table).where(*mine, table.c.standing.is_distinct_from(MET))
    session.execute(statement.values(**values, next_at=None))


def judge(session: Session, entity: str, ids: Sequence[UUID], *, quietly: bool = False) -> None:
    """Judge the records' clocks anew and write what has become of them.

    `quietly`: a clock that begins late is late already, and nobody is told; what was done long since has none.
    """
    now, model = session.reader.now, session.model
    before = stored(session, entity, ids)
    clocks: list[Clock] = []
    with as_tenant(session):
        records = StoreGraph(session).load(entity, ids)
        for record in records:
            if record.value("deleted_at") is not None:
                continue
            for level in levels(model).of[entity]:
                known = before.get((record.id, level.key))
                facts = facts_of(session, level, record)
                if known is None and quietly and facts.met and facts.met_at is None:
                    continue  # done before it was loaded, and nobody knows when
                made = judged(level, calendar_of(session, level), known, (entity, record.id), facts, now)
                if made is not None and quietly and known is None:
                    made, _ = told(made, now, quietly=True)
                if made is not None and made != known:
                    clocks.append(made)
    write(session, clocks)


def facts_of(session: Session, level: ServiceLevel, record: LiveRecord) -> Facts:
    """What the record says about itself."""
    env = Env(record, session.reader, record.graph)

    def holds(formula: Any, default: bool) -> bool:
        return default if formula is None else formula.evaluate(env) is True

    target = next((t for t in level.targets.values() if holds(t.when, True)), None)
    start = level.start.evaluate(env)
    met_at = level.met_at.evaluate(env) if level.met_at is not None else None
    return Facts(
        start=start if isinstance(start, datetime) else None,
        target=target,
        applies=holds(level.when, True),
        met=holds(level.met_when, False),
        met_at=met_at if isinstance(met_at, datetime) else None,
        paused=holds(level.pause_when, False),
    )


def calendar_of(session: Session, level: ServiceLevel) -> Calendar | None:
    """The calendar by which a service level counts; None: every hour does."""
    found = session.model.calendars.get(level.calendar)
    return found.in_zone(session.tenant.profile.time_zone) if found is not None else None


def stored(session: Session, entity: str, ids: Sequence[UUID]) -> Mapping[_Key, Clock]:
    """The records' clocks, held until the transaction ends."""
    table = session.tables.platform.service
    statement = sa.select(table).where(table.c.entity == entity, table.c.record.in_(ids))
    rows = session.execute(statement.order_by(table.c.record, table.c.sla).with_for_update()).mappings()
    return {(row["record"], row["sla"]): clock_of(dict(row)) for row in rows}


def write(session: Session, clocks: Sequence[Clock]) -> None:
    """Store clocks, let the records say how they stand, and ask for a look at those that come due soon."""
    if not clocks:
        return
    table = session.tables.platform.service
    names = [c.name for c in table.columns]
    rows = _rows([(c.name, c.type) for c in table.columns], [[clock.row()[n] for n in names] for clock in clocks])
    made = insert(table).from_select(names, sa.select(*[rows.c[name] for name in names]))
    keys = ("entity", "record", "sla")
    set_ = {name: made.excluded[name] for name in names if name not in keys}
    session.execute(made.on_conflict_do_update(index_elements=[table.c[k] for k in keys], set_=set_))
    _into_records(session, clocks)
    ask(session.connection, [c.next_at for c in clocks if c.next_at is not None], session.reader.now)


def _into_records(session: Session, clocks: Sequence[Clock]) -> None:
    """Write until when and how into the records, past their version: nobody's open form is in the way of a clock.

    Records in which the same clocks have changed go in one statement.
    """
    of: dict[tuple[str, UUID], dict[str, Clock]] = defaultdict(dict)
    for clock in clocks:
        of[clock.entity, clock.record][clock.sla] = clock
    alike: dict[tuple[str, tuple[str, ...]], list[dict[str, Clock]]] = defaultdict(list)
    for (entity, _), found in of.items():
        alike[entity, tuple(sorted(found))].append(found)
    for (entity, keys), some in alike.items():
        table, known = session.table(entity), [session.model.service_levels[key] for key in keys]
        columns = [table.c[short(name)] for level in known for name in level.fields]
        values = [[v for key in keys for v in _told(found[key])] for found in some]
        ids = [next(iter(found.values())).record for found in some]
        rows = _rows([("id", table.c.id.type), *((c.name, c.type) for c in columns)], _with(ids, values))
        differs = sa.or_(*(column.is_distinct_from(rows.c[column.name]) for column in columns))
        statement = sa.update(table).where(table.c.id == rows.c.id, differs)
        session.execute(statement.values({column: rows.c[column.name] for column in columns}))
        rollups.after_fields(session, entity, [name for level in known for name in level.fields], ids)


def _told(clock: Clock) -> tuple[datetime | None, str | None]:
    """What the record says of a clock: until when, and how it stands."""
    return (clock.due_at if clock.state else None), clock.state


def _with(ids: Sequence[UUID], values: Sequence[Sequence[Any]]) -> list[list[Any]]:
    return [[id, *row] for id, row in zip(ids, values, strict=True)]


def _rows(columns: Sequence[tuple[str, Any]], rows: Sequence[Sequence[Any]]) -> sa.FromClause:
    """Rows of values as a table of a statement, however many they are."""
    arrays = [
        sa.cast(sa.literal([row[at] for row in rows], ARRAY(type_)), ARRAY(type_))
        for at, (_, type_) in enumerate(columns)
    ]
    table = sa.func.unnest(*arrays).table_valued(*(sa.column(name, type_) for name, type_ in columns), name="given")
    return table.render_derived()


def ask(connection: sa.Connection, moments: Iterable[datetime], now: datetime) -> None:
    """Have a look taken when the moments have come, one for many that are close together."""
    jobs = [Job(STRIKE, {"at": at.isoformat()}, at, "service_levels") for at in soon(moments, since=now)]
    defer_many(connection, jobs)
