"""When a clock's time is up: warnings and breaches, noted and told once each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from trellis.automation import clocks
from trellis.automation.clock import now
from trellis.automation.jobs import Work, defer, kind
from trellis.automation.service_levels import keeping
from trellis.automation.service_levels.clock import Clock, judged, told
from trellis.automation.service_levels.levels import levels
from trellis.automation.soon import HORIZON
from trellis.automation.workflows.acting import system_of
from trellis.automation.workflows.meant import meant
from trellis.automation.workflows.starting import Start, start
from trellis.formula.types import Ref
from trellis.records.deriving.standpoint import as_tenant
from trellis.records.graph import StoreGraph
from trellis.records.principal import Principal
from trellis.records.session import Session
from trellis.records.versions import history

if TYPE_CHECKING:
    from trellis.storage.tenant import Tenant

LOOK = "service_levels.look"
AT_ONCE = 200  # clocks in one transaction
MEANS = "clock"


@clocks.clock("service_levels.look", cron="*/30 * * * *")
def _look(strike: clocks.Strike) -> None:
    strike.defer_for_each_tenant(LOOK)


@kind(LOOK)
def look(work: Work) -> None:
    """Tell what is due, and let jobs wait for what comes due before the next look; those of before may be lost."""
    tenant, moment = work.tenant, now()
    with work.finishing() as connection:
        work.absorb(connection)
        if not tenant.model.service_levels:
            return
        table = tenant.tables.platform.service
        found = sa.select(table.c.next_at).where(table.c.next_at <= moment + HORIZON)
        keeping.ask(connection, connection.execute(found.distinct()).scalars(), moment)


@kind(keeping.STRIKE)
def strike(work: Work) -> None:
    """Tell what has come due."""
    tenant = work.tenant
    moment = max(now(), datetime.fromisoformat(work.payload["at"]))
    with work.finishing() as connection:
        table = tenant.tables.platform.service
        statement = sa.select(table.c.entity, table.c.record).where(table.c.next_at <= moment)
        rows = connection.execute(statement.order_by(table.c.next_at).limit(AT_ONCE)).all()
        starts: list[Start] = []
        with Session(tenant, _system_at(tenant, moment)).within(connection) as session:
            for entity in dict.fromkeys(row.entity for row in rows):
                ids = sorted({row.record for row in rows if row.entity == entity})
                starts += _tell(session, entity, ids, moment)
            starts = list(meant(session, starts))
        start(connection, tenant, starts)
        if len(rows) == AT_ONCE:
            defer(connection, keeping.STRIKE, {"at": moment.isoformat()}, lock="service_levels")


def _system_at(tenant: Tenant, moment: datetime) -> Principal:
    """The system at a moment, which may lie ahead of the clock where waiting jobs are done before their time."""
    principal = system_of(tenant)
    return replace(principal, reader=replace(principal.reader, now=moment))


def _tell(session: Session, entity: str, ids: Sequence[UUID], moment: datetime) -> list[Start]:
    """Note what has come due for records of one entity, as they are now; the workflows that it sets off."""
    if entity not in levels(session.model).of:
        table = session.tables.platform.service
        session.execute(sa.delete(table).where(table.c.entity == entity, table.c.record.in_(ids)))
        return []
    table = session.table(entity)  # the records before their clocks, as a save holds them
    held = sa.select(table.c.id).where(table.c.id.in_(ids)).order_by(table.c.id)
    session.execute(held.with_for_update(key_share=True))
    found: list[Clock] = []
    starts: list[Start] = []
    for clock, words in _come_due(session, entity, ids, moment):
        found.append(clock)
        for word in words:
            starts += _told(session, clock, word)
    keeping.write(session, found)
    return starts


def _come_due(session: Session, entity: str, ids: Sequence[UUID], moment: datetime) -> list[tuple[Clock, list[str]]]:
    """The clocks that have changed and what is to be told of them; the records are looked at once more."""
    found: list[tuple[Clock, list[str]]] = []
    before = keeping.stored(session, entity, ids)
    with as_tenant(session):
        records = {record.id: record for record in StoreGraph(session).load(entity, ids)}
        for (id, key), clock in before.items():
            level, record = session.model.service_levels.get(key), records.get(id)
            if level is None or record is None or clock.next_at is None or record.value("deleted_at") is not None:
                continue
            facts = keeping.facts_of(session, level, record)
            calendar = keeping.calendar_of(session, level)
            # what it had missed by its own time, it has missed; of what changed elsewhere nobody was told before now
            made = judged(level, calendar, clock, (entity, id), facts, moment)
            assert made is not None
            after, words = told(made, moment)
            if after != clock:
                found.append((after, words))
    return found


def _told(session: Session, clock: Clock, word: str) -> list[Start]:
    """Tell of a warning or a breach: in the history, and to the workflows that listen."""
    level = session.model.service_levels[clock.sla]
    states = {"warning": ("running", "warned"), "breach": ("warned" if clock.warned_at else "running", "breached")}
    changes = [[level.state_field, *states[word]]]
    history.record_plain(session, clock.entity, [clock.record], f"sla_{word}", MEANS, changes)
    event = {"kind": "sla", "sla": clock.sla, "event": word, "changes": {}}
    return [
        Start(workflow, "sla", Ref(clock.entity, clock.record), event=event)
        for workflow in levels(session.model).workflows.get((clock.sla, word), ())
    ]
