"""Which records have come due for a trigger between two moments."""

from __future__ import annotations

from calendar import isleap
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from trellis.formula.formula import Formula
from trellis.formula.sql.scope import SqlScope
from trellis.model.automation.triggers import OnDate, OnRecord, OnSchedule
from trellis.records.pipelines.pipeline import tracks
from trellis.records.reading.pointing import Linked
from trellis.records.writing.batch import matching

if TYPE_CHECKING:
    from trellis.records.session import Session

MARGIN = timedelta(days=4)  # months are not equally long
LONGEST = 3660  # days that are looked at one by one


def due_records(
    session: Session, trigger: OnSchedule | OnDate | OnRecord, after: datetime, until: datetime
) -> list[UUID]:
    """The records of a trigger's entity whose moment lies after the one and not after the other."""
    if trigger.entity is None:
        return []
    where: list[Formula | str] = []
    if isinstance(trigger, OnDate):
        where.append(Linked(_of_date(session, trigger, after, until)))
    elif isinstance(trigger, OnRecord):
        where.append(Linked(_of_stages(session, trigger, after, until)))
    if isinstance(trigger, (OnSchedule, OnDate)) and trigger.filter is not None:
        where.append(trigger.filter)
    return matching(session, trigger.entity, where)


def _of_date(session: Session, trigger: OnDate, after: datetime, until: datetime) -> Any:
    zone = ZoneInfo(session.tenant.profile.time_zone)
    assert trigger.entity is not None
    field = session.entity(trigger.entity).fields[trigger.field.partition(".")[0]]
    is_moment = field.type.formula_type().kind == "datetime"
    if is_moment and trigger.at is None and not trigger.yearly:

        def between(scope: SqlScope) -> sa.ColumnElement[bool]:
            column: Any = scope.field(trigger.field)
            found: sa.ColumnElement[bool] = sa.and_(
                column > trigger.offset.before(after), column <= trigger.offset.before(until)
            )
            return found

        return between
    days = due_days(trigger, after, until, zone)

    def on(scope: SqlScope) -> sa.ColumnElement[bool]:
        column: Any = scope.field(trigger.field)
        day = sa.cast(sa.func.timezone(str(zone), column), sa.Date) if is_moment else column
        if not trigger.yearly:
            return sa.cast(day, sa.Date).in_(days)
        return sa.func.to_char(day, "MM-DD").in_(sorted(anniversaries(days)))

    return on


def due_days(trigger: OnDate, after: datetime, until: datetime, zone: ZoneInfo) -> list[date]:
    """The days for which the trigger's moment lies after the one and not after the other."""
    at = trigger.at or time()
    first = (trigger.offset.before(after) - MARGIN).astimezone(zone).date()
    last = (trigger.offset.before(until) + MARGIN).astimezone(zone).date()
    first = max(first, last - timedelta(days=LONGEST))
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [day for day in days if after < datetime.combine(trigger.offset.after(day), at, zone) <= until]


def anniversaries(days: Sequence[date]) -> set[str]:
    """Months and days as MM-DD; 29 February is kept on the 28th in years that have none."""
    found = {day.strftime("%m-%d") for day in days}
    leap = any(day.month == 2 and day.day == 28 and isleap(day.year) for day in days)
    return found | {"02-29"} if "02-28" in found and not leap else found


def _of_stages(session: Session, trigger: OnRecord, after: datetime, until: datetime) -> Any:
    assert trigger.entity is not None
    entity = session.entity(trigger.entity)

    def stuck(scope: SqlScope) -> sa.ColumnElement[bool]:
        found: list[sa.ColumnElement[bool]] = [sa.false()]
        for track in tracks(entity):
            stage, since = scope.alias.c[track.field], scope.alias.c[track.since]
            for pipeline in entity.pipelines.values():
                for key, one in pipeline.stages.items() if pipeline.field == track.field else ():
                    if one.rot_after is not None and ("*" in trigger.stuck or key in trigger.stuck):
                        old = since > after - one.rot_after, since <= until - one.rot_after
                        found.append(sa.and_(stage == key, *old))
        return sa.or_(*found)

    return stuck
