"""Cells for dates and times: near ones in words, the exact one in the tooltip."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from babel.dates import format_date, format_datetime, format_skeleton, format_time
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import escape

from trellis.formula.types import Value
from trellis.web.cells.numbers import locale_of
from trellis.web.cells.registry import CellContext, Render, cell

if TYPE_CHECKING:
    from trellis.formula.reader import Reader
    from trellis.model.field import Field

NEAR = 10  # days that are said in words


@lru_cache(maxsize=2048)
def short_date(day: date, with_year: bool, language: str) -> str:
    """A date; its year is left out where nobody needs it."""
    locale = locale_of(language)
    return str(format_skeleton("yMMMd" if with_year else "MMMd", day, locale=locale))


def is_far(day: date, today: date) -> bool:
    """Whether a date needs its year: another one, and not just round the corner."""
    return day.year != today.year and abs((day - today).days) > 183


@lru_cache(maxsize=2048)
def exact_date(day: date, language: str) -> str:
    """A date in full, with its weekday."""
    return str(format_date(day, "full", locale=locale_of(language)))


def relative_date(day: date, today: date, language: str) -> str:
    """Yesterday, today, in 3 days; a date farther off as a date."""
    days = (day - today).days
    if days == 0:
        return str(_("Today"))
    if days == 1:
        return str(_("Tomorrow"))
    if days == -1:
        return str(_("Yesterday"))
    if 0 < days < NEAR:
        return str(ngettext("In %(num)d day", "In %(num)d days", days))
    if -NEAR < days < 0:
        return str(ngettext("%(num)d day ago", "%(num)d days ago", -days))
    return short_date(day, is_far(day, today), language)


def _on_paper(day: date, today: date, language: str) -> str:
    """What stands on paper in the place of a word that is true only today."""
    is_near = abs((day - today).days) < NEAR
    return f' data-on="{escape(short_date(day, True, language))}"' if is_near else ""


@cell("date")
def dates(field: Field, context: CellContext) -> Render:
    """A date relative to today."""
    today, language = context.reader.today(), context.reader.language
    known: dict[date, str] = {}

    def render(value: Value) -> str:
        if (html := known.get(value)) is None:
            shown, exact = escape(relative_date(value, today, language)), escape(exact_date(value, language))
            on_paper = _on_paper(value, today, language)
            html = known[value] = f'<time datetime="{value.isoformat()}" title="{exact}"{on_paper}>{shown}</time>'
        return html

    return render


@cell("datetime")
def datetimes(field: Field, context: CellContext) -> Render:
    """A moment in the reader's zone."""
    return moment_writer(context.reader)


def moment_writer(reader: Reader) -> Render:
    """Writes moments: the hour today, the day otherwise, all of it in the tooltip."""
    zone, today, language = reader.time_zone, reader.today(), reader.language
    locale = locale_of(language)

    def render(value: Value) -> str:
        if not isinstance(value, datetime):
            return str(escape(str(value)))
        here = value.astimezone(zone)
        day = here.date()
        if abs((day - today).days) <= 1:
            hour = format_time(here.time(), "short", locale=locale)
            shown = hour if day == today else _on_day(relative_date(day, today, language), hour)
        else:
            shown = relative_date(day, today, language)
        exact = format_datetime(here.replace(tzinfo=None), "full", locale=locale).rstrip()
        on_paper = _on_paper(day, today, language)
        return f'<time datetime="{value.isoformat()}" title="{escape(exact)}"{on_paper}>{escape(shown)}</time>'

    return render


def short_moment(here: datetime, today: date, language: str) -> str:
    """A moment of the reader's clock in few words: the hour today, else with its day."""
    day, hour = here.date(), format_time(here.time(), "short", locale=locale_of(language))
    if day == today:
        return str(hour)
    is_near = abs((day - today).days) <= 1
    return _on_day(
        relative_date(day, today, language) if is_near else short_date(day, is_far(day, today), language), hour
    )


def _on_day(day: str, hour: str) -> str:
    return str(_("%(day)s, %(hour)s", day=day, hour=hour))


@cell("time")
def times(field: Field, context: CellContext) -> Render:
    """A time of day."""
    locale = locale_of(context.reader.language)

    def render(value: Value) -> str:
        shown = format_time(value, "short", locale=locale) if isinstance(value, time) else str(value)
        return f'<span class="t-num">{escape(shown)}</span>'

    return render


def span_text(span: timedelta) -> str:
    """How long, in the shortest form: 4 d, 3 h; the same words on cards and on the record's path."""
    if span.days > 0:
        return str(ngettext("%(num)d d", "%(num)d d", span.days))
    hours = max(0, int(span.total_seconds() // 3600))
    return str(_("%(hours)s h", hours=hours) if hours else _("< 1 h"))
