"""Workflows that time sets off: schedules, dates of records, records that stay in a stage for too long.

Each such trigger has a timer: a row that says up to when it has looked, and a job for when it looks again. It looks at
everything that has come due in between, so that no moment is lost while nothing ran, and none is taken twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from apscheduler.triggers.cron import CronTrigger
from sqlalchemy.dialects.postgresql import insert

from trellis.automation.clock import now
from trellis.automation.jobs import Work, defer, kind
from trellis.automation.workflows.acting import system_of
from trellis.automation.workflows.due import due_records
from trellis.automation.workflows.starting import FEW, Start, start
from trellis.formula.types import Ref
from trellis.model.automation.triggers import OnDate, OnRecord, OnSchedule, Trigger
from trellis.model.automation.workflow import Workflow
from trellis.model.model import Model
from trellis.records.session import Session
from trellis.storage.hooks import after_apply

if TYPE_CHECKING:
    from trellis.storage.tenant import Tenant

STRIKE = "workflows.timer"
BEGIN = "workflows.begin"
AT_ONCE = 500  # runs that begin in one transaction
BEAT = "beat:"  # how the keys of timers begin that are no workflow's
HOURLY, OFTEN = "7 * * * *", "*/5 * * * *"


@dataclass(frozen=True)
class Timer:
    """A trigger that time sets off."""

    key: str
    workflow: Workflow
    trigger: OnSchedule | OnDate | OnRecord

    @property
    def cron(self) -> str:
        """When it looks, in the tenant's time zone."""
        if isinstance(self.trigger, OnSchedule):
            return self.trigger.cron
        if isinstance(self.trigger, OnRecord):
            return HOURLY
        at = self.trigger.at
        return f"{at.minute} {at.hour} * * *" if at is not None else OFTEN

    def next_after(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """The next time that it looks. An hour that comes twice, when summer time ends, counts once for a schedule that
        names the hour, and twice for one that goes by every hour."""
        every_hour = "*" in self.cron.split()[1]
        trigger = CronTrigger.from_crontab(self.cron, timezone=zone)
        found = trigger.get_next_fire_time(moment, moment.astimezone(zone))
        while found is not None and (found <= moment or (found.fold and not every_hour)):
            found = trigger.get_next_fire_time(found, found)
        if found is None:
            raise ValueError(f"{self.cron} never comes again")
        return found  # type: ignore[no-any-return]


def timers(model: Model) -> Iterator[Timer]:
    """The timers of a Model's active workflows."""
    for workflow in model.workflows.values():
        for index, trigger in enumerate(workflow.triggers):
            if workflow.active and _is_timed(trigger):
                assert isinstance(trigger, (OnSchedule, OnDate, OnRecord))
                yield Timer(f"{workflow.key}#{index}", workflow, trigger)


def _is_timed(trigger: Trigger) -> bool:
    return isinstance(trigger, (OnSchedule, OnDate)) or (isinstance(trigger, OnRecord) and bool(trigger.stuck))


def _set_timers(connection: sa.Connection, tenant: Tenant, _before: Tenant | None) -> None:
    """Let the timers of a published configuration run; those that are as before go on where they were."""
    table, moment = tenant.tables.platform.timer, now()
    wanted = {timer.key: timer for timer in timers(tenant.model)}
    rows = {row.key: row for row in connection.execute(sa.select(table))}
    gone = {key for key in rows.keys() - wanted.keys() if not key.startswith(BEAT)}  # others' clocks stay
    if gone:
        connection.execute(sa.delete(table).where(table.c.key.in_(gone)))
    zone = ZoneInfo(tenant.profile.time_zone)
    for key, timer in wanted.items():
        row = rows.get(key)
        if row is not None and row.digest == timer.workflow.digest and row.next_at > moment:
            ask(connection, tenant, key, row.next_at)  # the job may be lost: backups hold none
            continue
        next_at = timer.next_after(moment, zone)
        values = {"digest": timer.workflow.digest, "last_at": moment, "next_at": next_at}
        made = insert(table).values(key=key, **values)
        connection.execute(made.on_conflict_do_update(index_elements=[table.c.key], set_=values))
        ask(connection, tenant, key, next_at)


after_apply.append(_set_timers)


def ask(connection: sa.Connection, tenant: Tenant, key: str, at: datetime) -> None:
    """Let a timer look at a moment; a job that waits for another one then leaves it alone."""
    defer(connection, STRIKE, {"timer": key, "at": at.isoformat()}, at=at, lock=f"timer:{key}", tenant=tenant)


@kind(STRIKE)
def strike(work: Work) -> None:
    """Begin what has come due, and look again the next time."""
    tenant, key = work.tenant, work.payload["timer"]
    timer = next((t for t in timers(tenant.model) if t.key == key), None)
    at = datetime.fromisoformat(work.payload["at"])
    with work.finishing() as connection:
        table = tenant.tables.platform.timer
        row = connection.execute(sa.select(table).where(table.c.key == key).with_for_update()).one_or_none()
        if timer is None or row is None or row.next_at != at:
            return  # another configuration, or another job has looked
        moment = max(now(), at)
        come_due(connection, tenant, timer, row.last_at, moment)
        next_at = timer.next_after(moment, ZoneInfo(tenant.profile.time_zone))
        connection.execute(sa.update(table).where(table.c.key == key).values(last_at=moment, next_at=next_at))
        defer(connection, STRIKE, {"timer": key, "at": next_at.isoformat()}, at=next_at, lock=f"timer:{key}")


def come_due(connection: sa.Connection, tenant: Tenant, timer: Timer, after: datetime, until: datetime) -> None:
    """Begin what has come due after the one moment and not after the other."""
    with Session(tenant, system_of(tenant)).within(connection) as session:
        ids = due_records(session, timer.trigger, after, until)
    if timer.trigger.entity is None:
        start(connection, tenant, [Start(timer.workflow, "schedule")])
    for begin in range(0, len(ids), AT_ONCE):
        part = [str(id) for id in ids[begin : begin + AT_ONCE]]
        payload = {"workflow": timer.workflow.key, "entity": timer.trigger.entity, "records": part}
        defer(connection, BEGIN, {**payload, "trigger": _word(timer.trigger)})


@kind(BEGIN)
def begin(work: Work) -> None:
    """Begin runs for records that have come due, some hundreds at once."""
    tenant, payload = work.tenant, work.payload
    workflow = tenant.model.workflows.get(payload["workflow"])
    with work.finishing() as connection:
        if workflow is None or payload["entity"] not in workflow.bodies:
            return
        records, word = [Ref(payload["entity"], UUID(id)) for id in payload["records"]], payload["trigger"]
        starts = [Start(workflow, word, record, crowd=len(records) > FEW) for record in records]
        with Session(tenant, system_of(tenant)).within(connection) as session:
            starts = list(_meant(session, workflow, starts))
        start(connection, tenant, starts)


def _meant(session: Session, workflow: Workflow, starts: Sequence[Start]) -> Iterator[Start]:
    """Those for whose records the workflow's condition holds."""
    from trellis.formula.env import Env
    from trellis.records.graph import StoreGraph

    graph = StoreGraph(session)
    for begun in starts:
        record = graph.follow(begun.record) if begun.record is not None else None
        if record is None:
            continue
        condition = workflow.bodies[record.entity].when
        env = Env(record, session.reader, graph, old=record, variables={"record": record, "old": record})
        if condition is None or condition.evaluate(env) is True:
            yield begun


def _word(trigger: Trigger) -> str:
    return {"OnSchedule": "schedule", "OnDate": "date", "OnRecord": "stuck"}[type(trigger).__name__]
