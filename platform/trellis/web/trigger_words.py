"""What sets a workflow off, in words. One function for each kind of trigger, in a registry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import time, timedelta
from typing import Any, Literal

from babel.dates import format_time, get_day_names, get_month_names
from babel.lists import format_list
from babel.units import format_unit
from flask_babel import gettext as _

from trellis.model.automation import triggers
from trellis.model.automation.workflow import Workflow
from trellis.model.entity import Entity
from trellis.model.locales import babel_locale
from trellis.model.spans import Span
from trellis.web.automation_words import EVENTS, KINDS, TRIGGERS
from trellis.web.context import current_reader, current_tenant

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Say = Callable[[Any, Entity | None, str], str]  # the trigger, its entity, what that is called
SAYS: dict[type, Say] = {}


def says(kind: type) -> Callable[[Say], Say]:
    """Register how a kind of trigger reads."""

    def register(say: Say) -> Say:
        SAYS[kind] = say
        return say

    return register


def starts_of(workflow: Workflow) -> list[str]:
    """What sets a workflow off, in words."""
    if workflow.sequence is not None and not workflow.sequence.by_itself:
        return [_("A person, from the page of a record")]
    entities, found = current_tenant().model.entities, []
    for trigger in workflow.triggers:
        entity = entities.get(trigger.entity or "")
        name = entity.label.in_language(_language()) if entity is not None else ""
        say = SAYS.get(type(trigger))
        kind = KINDS[type(trigger)]
        found.append(say(trigger, entity, name) if say is not None else str(TRIGGERS.get(kind, kind)))
    return found


def field_label(entity: Entity | None, key: str) -> str:
    """What a field is called; its key where there is none of that name."""
    field = entity.fields.get(key) if entity is not None else None
    return field.label.in_language(_language()) if field is not None else key


@says(triggers.OnRecord)
def _record(trigger: Any, entity: Entity | None, name: str) -> str:
    what = [str(words) for event, words in EVENTS.items() if getattr(trigger, event, False)]
    what += [field_label(entity, key) for key in sorted(getattr(trigger, "changed", ()) or ())]
    what += _stages(entity, trigger)
    if linked := getattr(trigger, "linked", "") or getattr(trigger, "unlinked", ""):
        what.append(linked)
    return str(_("%(thing)s: %(what)s", thing=name, what=", ".join(what)))


@says(triggers.Before)
def _before(trigger: Any, entity: Entity | None, name: str) -> str:
    return str(_("Before saving %(what)s", what=_record(trigger, entity, name)))


@says(triggers.OnSchedule)
def _schedule(trigger: Any, _entity: Entity | None, name: str) -> str:
    when = cron_words(trigger.cron)
    return str(_("%(thing)s: %(what)s", thing=name, what=when)) if name else when


@says(triggers.OnDate)
def _date(trigger: Any, entity: Entity | None, name: str) -> str:
    field, offset = field_label(entity, trigger.field), trigger.offset
    when = field
    if offset != Span():
        length = length_words(offset)
        is_before = (offset.months, offset.rest) < (0, timedelta())
        when = (
            _("%(length)s before %(field)s", length=length, field=field)
            if is_before
            else _("%(length)s after %(field)s", length=length, field=field)
        )
    return str(
        _("%(thing)s: %(what)s", thing=name, what=_("%(when)s, every year", when=when) if trigger.yearly else when)
    )


@says(triggers.OnButton)
def _button(trigger: Any, _entity: Entity | None, name: str) -> str:
    return str(_("Button “%(label)s” on %(thing)s", label=trigger.label.in_language(_language()), thing=name))


@says(triggers.OnMail)
def _mail(trigger: Any, _entity: Entity | None, _name: str) -> str:
    return str(_("a mail to %(address)s", address=trigger.to))


@says(triggers.OnForm)
def _form(trigger: Any, _entity: Entity | None, name: str) -> str:
    return str(_("Form “%(label)s”", label=trigger.label.in_language(_language()) or name))


@says(triggers.OnSla)
def _sla(trigger: Any, _entity: Entity | None, _name: str) -> str:
    level = current_tenant().model.service_levels.get(trigger.sla)
    label = level.label.in_language(_language()) if level is not None else trigger.sla
    what = _("is about to be missed") if trigger.event == "warning" else _("is missed")
    return str(_("%(thing)s: %(what)s", thing=label, what=what))


def _stages(entity: Entity | None, trigger: Any) -> Iterator[str]:
    """The stages that a trigger names, in words."""
    labels = {key: s.label for p in entity.pipelines.values() for key, s in p.stages.items()} if entity else {}

    def named(keys: Iterable[str]) -> str:
        return ", ".join(_("any stage") if key == "*" else labels[key].in_language(_language()) for key in sorted(keys))

    if keys := getattr(trigger, "enter", ()):
        yield _("enters %(stage)s", stage=named(keys))
    if keys := getattr(trigger, "leave", ()):
        yield _("leaves %(stage)s", stage=named(keys))
    if keys := getattr(trigger, "stuck", ()):
        yield _("too long in %(stage)s", stage=named(keys))


def length_words(span: Span) -> str:
    """How long something is, whichever way it goes: 60 days, 1 month, 2 hours."""
    months, rest = abs(span.months), abs(span.rest)
    seconds = int(rest.total_seconds())
    counts = {"year": months // 12, "month": months % 12}
    counts |= {"day": seconds // 86_400, "hour": seconds // 3600 % 24}
    counts |= {"minute": seconds // 60 % 60}
    locale = babel_locale(_language())
    return " ".join(str(format_unit(count, unit, _length(), locale=locale)) for unit, count in counts.items() if count)


def cron_words(cron: str) -> str:
    """Times as cron writes them, in words where they are of the usual kinds; else as they stand."""
    minute, hour, day, month, weekday = cron.split()
    if not (minute.isdecimal() and hour.isdecimal()):
        return cron
    locale = babel_locale(_language())
    at = format_time(time(int(hour), int(minute)), "short", locale=locale)
    if (day, month, weekday) == ("*", "*", "*"):
        return str(_("every day at %(time)s", time=at))
    if (day, month) == ("*", "*") and (days := _weekdays(weekday)):
        names = get_day_names("wide", locale=locale)
        return str(_("%(days)s at %(time)s", days=format_list([names[each] for each in days], locale=locale), time=at))
    if day.isdecimal() and weekday == "*":
        if month == "*":
            return str(_("day %(day)s of every month at %(time)s", day=day, time=at))
        months = month.split(",")
        if all(each.isdecimal() for each in months):
            named = format_list([get_month_names("wide", locale=locale)[int(each)] for each in months], locale=locale)
            return str(_("day %(day)s of %(months)s at %(time)s", day=day, months=named, time=at))
    return cron


def _weekdays(said: str) -> list[int]:
    """The days that a cron expression names, Monday is 0; none where it says them in another way."""
    found: list[int] = []
    for part in said.lower().split(","):
        first, _dash, last = part.partition("-")
        if first not in DAYS or (last and last not in DAYS):
            return []
        found += range(DAYS.index(first), DAYS.index(last or first) + 1)
    return found


def _length() -> Literal["short", "long"]:
    """How units are written: CLDR has Chinese ones in the short form alone."""
    return "short" if _language().startswith("zh") else "long"


def _language() -> str:
    return current_reader().language
