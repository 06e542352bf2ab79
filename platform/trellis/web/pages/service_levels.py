"""Service levels and calendars for administrators: what is agreed, how it is kept, which days are otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from babel.dates import format_date, get_day_names
from flask import Response
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.automation.clock import now
from trellis.automation.service_levels.clock import MET, OFF
from trellis.formula.business import DAY, Hours
from trellis.model.calendar import BusinessCalendar
from trellis.model.entity import Entity
from trellis.model.locales import babel_locale
from trellis.model.service_level import STATES, ServiceLevel
from trellis.web.context import current_reader, current_tenant
from trellis.web.guard import needs
from trellis.web.pages.base import Page
from trellis.web.service_levels import worked

RECENT = timedelta(days=30)
COMING = 8  # days that are otherwise


@dataclass(frozen=True)
class Agreed:
    """A service level: its targets, how many clocks stand how, and how many were met lately."""

    level: ServiceLevel
    entity: Entity
    calendar: BusinessCalendar | None
    targets: Sequence[tuple[Any, str, str, str]]  # label, when, within, warning
    counts: Sequence[tuple[str, str, int]]  # word, colour, how many
    met: int | None  # per cent of those that ended in the last 30 days


@dataclass(frozen=True)
class Week:
    """A calendar: its hours, and the next days that are otherwise."""

    calendar: BusinessCalendar
    zone: str
    is_formulas: bool  # whether formulas count by it
    hours: Sequence[tuple[str, str]]
    coming: Sequence[tuple[date, str, str, str]]  # day, written out, name, hours ("" is a holiday)


class ServiceLevelsView(Page):
    """`/admin/service-levels`."""

    @expose("/admin/service-levels")  # type: ignore[untyped-decorator]
    @needs("admin")
    def index(self) -> Response:
        """Every service level and every calendar."""
        tenant = current_tenant()
        states, ended = _standing()
        agreed = [_agreed(level, states, ended) for level in tenant.model.service_levels.values()]
        weeks = [_week(calendar) for calendar in tenant.model.calendars.values()]
        return self.draw("service_levels.html", agreed=agreed, weeks=weeks)


_States = Mapping[tuple[str, str], int]


def _standing() -> tuple[_States, _States]:
    """How many clocks stand how, by service level; and of those that ended lately, how many were met and missed."""
    tenant = current_tenant()
    table = tenant.tables.platform.service
    late = sa.or_(table.c.breached_at.is_not(None), table.c.stands_since > table.c.due_at)
    state = sa.case(
        (late, "breached"),
        (table.c.standing.is_not(None), table.c.standing),
        (table.c.warned_at.is_not(None), "warned"),
        else_="running",
    )
    all_ = sa.select(table.c.sla, state.label("state"), sa.func.count()).where(table.c.standing.is_distinct_from(OFF))
    since = now() - RECENT
    over = sa.or_(
        sa.and_(table.c.standing == MET, table.c.stands_since >= since), sa.and_(late, table.c.due_at >= since)
    )
    with tenant.begin() as connection:
        found = [
            {(row[0], row[1]): row[2] for row in connection.execute(statement.group_by(table.c.sla, state))}
            for statement in (all_.where(table.c.standing.is_distinct_from(MET)), all_.where(over))
        ]
    return found[0], found[1]


def _agreed(level: ServiceLevel, states: _States, ended: _States) -> Agreed:
    model, language = current_tenant().model, current_reader().language
    field = model.entities[level.entity].fields[level.state_field]
    words = {c.key: c.label.in_language(language) for c in getattr(field.type, "choices", ())}
    met, missed = ended.get((level.key, "met"), 0), ended.get((level.key, "breached"), 0)
    return Agreed(
        level=level,
        entity=model.entities[level.entity],
        calendar=model.calendars.get(level.calendar),
        targets=[
            (
                target.label.in_language(language),
                target.when.source if target.when is not None else "",
                worked(target.within, language),
                worked(target.warn, language) if target.warn is not None else "",
            )
            for target in level.targets.values()
        ],
        counts=[
            (words.get(s, s), color, states[level.key, s]) for s, color in STATES.items() if (level.key, s) in states
        ],
        met=round(100 * met / (met + missed)) if met + missed else None,
    )


def _week(calendar: BusinessCalendar) -> Week:
    tenant, reader = current_tenant(), current_reader()
    locale = babel_locale(reader.language)
    today, profile = reader.today(), tenant.profile
    days = sorted(day for day in calendar.days if day >= today)[:COMING]
    return Week(
        calendar=calendar,
        zone=calendar.zone or profile.time_zone,
        is_formulas=calendar.key == (profile.calendar or "office"),
        hours=list(_hours(calendar.hours, locale)),
        coming=[
            (
                day,
                format_date(day, "full", locale=locale),
                calendar.names[day].in_language(reader.language) if day in calendar.names else "",
                written(calendar.days[day]),
            )
            for day in days
        ],
    )


def _hours(week: Sequence[Hours], locale: Any) -> Iterator[tuple[str, str]]:
    """The hours of the week, days that follow each other with the same hours together."""
    names = get_day_names("abbreviated", locale=locale)
    first = 0
    for day in range(1, 8):
        if day == 7 or week[day] != week[first]:
            label = names[first] if day - 1 == first else f"{names[first]} – {names[day - 1]}"
            yield label, written(week[first]) or str(_("closed"))
            first = day


def written(spans: Hours) -> str:
    """Hours as they are written: 09:00–12:30, 13:30–18:00."""
    return ", ".join(f"{_clock(start)}–{_clock(end)}" for start, end in spans)


def _clock(minutes: int) -> str:
    into = minutes if minutes <= DAY else minutes - DAY
    return f"{into // 60:02d}:{into % 60:02d}"
