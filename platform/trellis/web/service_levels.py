"""How a record stands with its service levels, in words: on its page, for whoever may see the fields."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa
from babel.units import format_unit
from flask_babel import gettext as _
from markupsafe import Markup

from trellis.automation.service_levels.clock import MET, PAUSED, Clock, clock_of
from trellis.automation.service_levels.keeping import calendar_of
from trellis.automation.service_levels.levels import levels
from trellis.model.locales import babel_locale
from trellis.model.service_level import STATES, ServiceLevel
from trellis.web.cells.times import moment_writer

if TYPE_CHECKING:
    from trellis.formula.business import Calendar
    from trellis.model.entity import Entity
    from trellis.model.model import Model
    from trellis.records.record import Change, Record
    from trellis.records.store import Store

STRUCK = ("sla_warning", "sla_breach")  # what the history tells of clocks
ICONS = {
    "running": "clock",
    "warned": "clock-exclamation",
    "paused": "player-pause",
    "met": "circle-check",
    "breached": "alert-triangle",
}


@dataclass(frozen=True)
class Standing:
    """One service level of one record, ready to be shown."""

    label: str
    target: str  # which of its targets
    word: str
    icon: str
    color: str
    told: Markup  # until when, how much is left, since when it stands
    calendar: str = ""


def standings(store: Store, entity: Entity, record: Record) -> list[Standing]:
    """The service levels of a record whose state this person may see, in the order of the configuration."""
    known = levels(store.tenant.model).of.get(entity.key, ())
    readable = set(store.readable_fields(entity.key)) if known else set()
    mine = {level.key: level for level in known if level.state_field in readable}
    if not mine or record.deleted_at is not None:
        return []
    table = store.tenant.tables.platform.service
    statement = sa.select(table).where(
        table.c.entity == entity.key, table.c.record == record.id, table.c.sla.in_(list(mine))
    )
    with store.transaction() as connection:
        clocks = {row["sla"]: clock_of(dict(row)) for row in connection.execute(statement).mappings()}
    told = (
        _standing(store, entity, level, clocks[key], is_due_known=level.due_field in readable)
        for key, level in mine.items()
        if key in clocks
    )
    return [one for one in told if one is not None]


def _standing(
    store: Store, entity: Entity, level: ServiceLevel, clock: Clock, *, is_due_known: bool
) -> Standing | None:
    now, language = store.principal.reader.now, store.principal.reader.language
    state = clock.state
    if state in ("running", "warned") and clock.due_at is not None and clock.due_at < now:
        state = "breached"  # it has only not been struck yet
    if state is None:
        return None
    field = entity.fields[level.state_field]
    word = next((c.label.in_language(language) for c in getattr(field.type, "choices", ()) if c.key == state), state)
    target, calendar = level.targets.get(clock.target), store.tenant.model.calendars.get(level.calendar)
    return Standing(
        label=level.label.in_language(language),
        target=target.label.in_language(language) if target is not None and len(level.targets) > 1 else "",
        word=word,
        icon=ICONS[state],
        color=STATES[state],
        told=_told(store, level, clock, state, now) if is_due_known else Markup(),
        calendar=calendar.label.in_language(language) if calendar is not None else "",
    )


def _told(store: Store, level: ServiceLevel, clock: Clock, state: str, now: datetime) -> Markup:
    """What a person wants to know of a clock in this state."""
    due, since = clock.due_at, clock.stands_since
    if due is None:
        return Markup()
    write = moment_writer(store.principal.reader)
    calendar = calendar_of(store.session, level)
    language = store.principal.reader.language

    def between(start: datetime, end: datetime) -> str:
        return worked(_between(calendar, start, end), language)

    when = Markup(write(due))
    if state == "paused" and since is not None:
        params = {"when": Markup(write(since)), "left": between(since, due)}
        return Markup(_("Since: %(when)s · %(left)s left", **params))
    if state == "met" and since is not None:
        return Markup(_("Done: %(when)s · %(left)s to spare", when=Markup(write(since)), left=between(since, due)))
    if state == "breached":
        ended = since if clock.standing in (MET, PAUSED) and since is not None and since > due else now
        over = between(due, ended)
        if clock.standing == MET:
            return Markup(_("Was due: %(when)s · %(over)s late", when=when, over=over))
        return Markup(_("Was due: %(when)s · %(over)s over", when=when, over=over))
    return Markup(_("Due: %(when)s · %(left)s left", when=when, left=between(now, due)))


def _between(calendar: Calendar | None, start: datetime, end: datetime) -> timedelta:
    return max(calendar.between(start, end) if calendar is not None else end - start, timedelta())


def worked(span: timedelta, language: str) -> str:
    """Business time in hours and minutes: a day of it would be no day."""
    hours, minutes = divmod(int(span.total_seconds()) // 60, 60)
    locale = babel_locale(language)
    parts = [(hours, "hour"), (minutes, "minute")] if hours < 24 else [(hours, "hour")]
    shown = [format_unit(count, unit, "short", locale=locale) for count, unit in parts if count]
    return " ".join(shown or [format_unit(0, "minute", "short", locale=locale)])


def struck_verb(model: Model, change: Change, language: str) -> tuple[str, str] | None:
    """The icon and the words of a history's entry about time that is nearly up, or is; None for other entries."""
    if change.kind not in STRUCK or not change.changes:
        return None
    field = change.changes[0].field
    level = next((one for one in model.service_levels.values() if one.state_field == field), None)
    name = level.label.in_language(language) if level is not None else field
    if change.kind == "sla_warning":
        return "clock-exclamation", _("noted that time is running out: %(level)s", level=name)
    return "alert-triangle", _("noted that it was not done in time: %(level)s", level=name)
