"""When reports are mailed and kept: a row for each that says when it is next, and a job for that moment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from apscheduler.triggers.cron import CronTrigger
from sqlalchemy.dialects.postgresql import insert

from trellis.automation import clocks
from trellis.automation.clock import now
from trellis.automation.jobs import Work, defer, kind
from trellis.automation.workflows.acting import system_of
from trellis.automation.workflows.people import people_of
from trellis.records.session import Session
from trellis.storage.hooks import after_apply, after_restore

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from trellis.model.model import Model
    from trellis.model.reports.report import Mailing
    from trellis.storage.tenant import Tenant

STRIKE, MAIL, KEEP, AGAIN = "reports.strike", "reports.mail", "reports.keep", "reports.set_back"
DASHBOARD = "dashboard:"  # before the key of one, where a report's key is expected otherwise
AT_NIGHT = "50 23 * * *"  # a snapshot is of the day that ends


@dataclass(frozen=True)
class Timer:
    """What strikes: `mail:<report>`, `mine:<row>`, `keep:<report>`."""

    key: str
    cron: str

    @property
    def what(self) -> tuple[str, str]:
        """What it does, and with what."""
        word, _, rest = self.key.partition(":")
        return word, rest


def mailing_of(model: Model, key: str) -> Mailing | None:
    """What the configuration says about mailing a report, or a dashboard by its key with `dashboard:` before it."""
    named = key.removeprefix(DASHBOARD)
    found = model.dashboards.get(named) if key.startswith(DASHBOARD) else model.reports.get(key)
    return found.mail if found is not None else None


def timers(model: Model) -> Iterator[Timer]:
    """The timers that the configuration asks for."""
    for dashboard in model.dashboards.values():
        if dashboard.mail is not None:
            yield Timer(f"mail:{DASHBOARD}{dashboard.key}", dashboard.mail.cron)
    for report in model.reports.values():
        if report.mail is not None:
            yield Timer(f"mail:{report.key}", report.mail.cron)
        if report.snapshot:
            yield Timer(f"keep:{report.key}", AT_NIGHT)


def next_after(cron: str, moment: datetime, zone: ZoneInfo) -> datetime | None:
    """The next time after a moment; None when it never comes again."""
    trigger = CronTrigger.from_crontab(cron, timezone=zone)
    found = trigger.get_next_fire_time(moment, moment.astimezone(zone))
    while found is not None and found <= moment:
        found = trigger.get_next_fire_time(found, found)
    return found  # type: ignore[no-any-return]


def set_timer(connection: Connection, tenant: Tenant, timer: Timer) -> None:
    """Let a timer run from now on; one that is as before goes on where it was."""
    table, moment = tenant.tables.platform.report_timer, now()
    row = connection.execute(sa.select(table).where(table.c.key == timer.key)).one_or_none()
    if row is not None and row.cron == timer.cron and row.next_at > moment:
        _ask(connection, tenant, timer.key, row.next_at)  # the job may be lost: backups hold none
        return
    next_at = next_after(timer.cron, moment, ZoneInfo(tenant.profile.time_zone))
    if next_at is None:
        return
    values = {"cron": timer.cron, "next_at": next_at}
    made = insert(table).values(key=timer.key, **values)
    connection.execute(made.on_conflict_do_update(index_elements=[table.c.key], set_=values))
    _ask(connection, tenant, timer.key, next_at)


def drop_timer(connection: Connection, tenant: Tenant, key: str) -> None:
    """Let a timer strike no more."""
    table = tenant.tables.platform.report_timer
    connection.execute(sa.delete(table).where(table.c.key == key))


def _set_timers(connection: Connection, tenant: Tenant, _before: Tenant | None) -> None:
    """Let the timers of a published configuration run, and those of people."""
    platform = tenant.tables.platform
    wanted = {timer.key: timer for timer in timers(tenant.model)}
    asked = sa.select(platform.report_mail.c.id, platform.report_mail.c.cron)
    for row in connection.execute(asked.where(platform.report_mail.c.cron.is_not(None))):
        wanted[f"mine:{row.id}"] = Timer(f"mine:{row.id}", row.cron)
    known = set(connection.execute(sa.select(platform.report_timer.c.key)).scalars())
    for key in known - wanted.keys():
        drop_timer(connection, tenant, key)
    for timer in wanted.values():
        set_timer(connection, tenant, timer)


def _mail_nothing(connection: Connection, tenant: Tenant) -> None:
    """A copy of a company mails nobody by itself: its reports go out again once its configuration is applied."""
    table = tenant.tables.platform.report_timer
    connection.execute(sa.delete(table).where(~table.c.key.startswith("keep:")))


after_apply.append(_set_timers)
after_restore.append(_mail_nothing)


def _ask(connection: Connection, tenant: Tenant, key: str, at: datetime) -> None:
    defer(connection, STRIKE, {"timer": key, "at": at.isoformat()}, at=at, lock=f"report:{key}", tenant=tenant)


@kind(STRIKE)
def strike(work: Work) -> None:
    """Ask for what has come due, a job for each person, and strike again the next time."""
    tenant, key, at = work.tenant, work.payload["timer"], datetime.fromisoformat(work.payload["at"])
    table = tenant.tables.platform.report_timer
    with work.finishing() as connection:
        row = connection.execute(sa.select(table).where(table.c.key == key).with_for_update()).one_or_none()
        if row is None or row.next_at != at:
            return  # another configuration, or another job has struck
        timer = Timer(key, row.cron)
        what, name = timer.what
        if what == "keep":
            defer(connection, KEEP, {"report": name, "at": at.isoformat()})
        elif what == "mine":
            defer(connection, MAIL, {"subscription": name, "at": at.isoformat()})
        else:
            for user in _recipients(connection, tenant, name):
                defer(connection, MAIL, {"report": name, "user": str(user), "at": at.isoformat()})
        next_at = next_after(timer.cron, max(now(), at), ZoneInfo(tenant.profile.time_zone))
        if next_at is None:
            drop_timer(connection, tenant, key)
            return
        connection.execute(sa.update(table).where(table.c.key == key).values(next_at=next_at))
        _ask(connection, tenant, key, next_at)


@clocks.set_back
def _tell(strike: clocks.Strike) -> None:
    strike.defer_for_each_tenant(AGAIN)


@kind(AGAIN)
def again(work: Work) -> None:
    """The database's clock has been set back: timers that have done more than one of their moments go on from now."""
    tenant, moment, zone = work.tenant, now(), ZoneInfo(work.tenant.profile.time_zone)
    table = tenant.tables.platform.report_timer
    with work.finishing() as connection:
        work.absorb(connection)
        for row in connection.execute(sa.select(table)).all():
            first = next_after(row.cron, moment, zone)
            second = next_after(row.cron, first, zone) if first is not None else None
            if first is not None and second is not None and row.next_at > second:
                connection.execute(sa.update(table).where(table.c.key == row.key).values(next_at=first))
                _ask(connection, tenant, row.key, first)


def _recipients(connection: Connection, tenant: Tenant, key: str) -> list[UUID]:
    """Whom a `mail:` names, without those who get it as they asked, or want it no more."""
    mailing = mailing_of(tenant.model, key)
    if mailing is None:
        return []
    with Session(tenant, system_of(tenant)).within(connection) as session:
        people = people_of(session, mailing.to)
    table = tenant.tables.platform.report_mail
    own = set(connection.execute(sa.select(table.c.user).where(table.c.report == key)).scalars())
    return [user for user in people if user not in own]
