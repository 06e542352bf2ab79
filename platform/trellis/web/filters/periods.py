"""Relative dates in chips: periods such as this week, and days counted from today."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

if TYPE_CHECKING:
    from flask_babel.speaklater import LazyString

UNITS = ("week", "month", "quarter", "year")

PERIODS: dict[str, LazyString] = {
    "today": _l("today"),
    "yesterday": _l("yesterday"),
    "tomorrow": _l("tomorrow"),
    "this_week": _l("this week"),
    "last_week": _l("last week"),
    "next_week": _l("next week"),
    "this_month": _l("this month"),
    "last_month": _l("last month"),
    "next_month": _l("next month"),
    "this_quarter": _l("this quarter"),
    "last_quarter": _l("last quarter"),
    "next_quarter": _l("next quarter"),
    "this_year": _l("this year"),
    "last_year": _l("last year"),
    "last_7": _l("the last 7 days"),
    "last_30": _l("the last 30 days"),
    "last_90": _l("the last 90 days"),
    "next_7": _l("the next 7 days"),
    "next_30": _l("the next 30 days"),
    "next_90": _l("the next 90 days"),
    "past": _l("the past"),
    "future": _l("the future"),
}
SHIFT = {"this": "", "last": " - {}s(1)", "next": " + {}s(1)"}
QUARTER = {"this": "", "last": " - months(3)", "next": " + months(3)"}
DAYS = {"today": "today()", "yesterday": "today() - days(1)", "tomorrow": "today() + days(1)"}
SHIFTED = re.compile(r"([+-])(\d{1,4})([dwmy])\Z")
SPANS = {"d": "days", "w": "weeks", "m": "months", "y": "years"}
ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})\Z")


def period_bounds(period: str) -> tuple[str | None, str | None] | None:
    """The first and the last day of a period as formulas; None when there is no such period."""
    if period in DAYS:
        return DAYS[period], DAYS[period]
    if period == "past":
        return None, "today() - days(1)"
    if period == "future":
        return "today() + days(1)", None
    which, _sep, unit = period.partition("_")
    if unit.isdigit() and which in ("last", "next"):
        return (f"today() - days({unit})", "today()") if which == "last" else ("today()", f"today() + days({unit})")
    if which not in SHIFT or unit not in UNITS:
        return None
    at = "(today()" + (QUARTER[which] if unit == "quarter" else SHIFT[which].format(unit)) + ")"
    return f'start_of({at}, "{unit}")', f'end_of({at}, "{unit}")'


def day_source(text: str) -> str | None:
    """A day as a formula: today, +3d, 2026-11-30; None when it is none."""
    text = text.strip().lower()
    if text in DAYS:
        return f"({DAYS[text]})"
    if shifted := SHIFTED.match(text):
        sign, count, unit = shifted.groups()
        return f"(today() {sign} {SPANS[unit]}({int(count)}))"
    if iso := ISO.match(text):
        year, month, day = (int(part) for part in iso.groups())
        return f"date({year}, {month}, {day})"
    return None


def day_label(text: str) -> str | None:
    """A relative day in words; None for a plain date."""
    if text in DAYS:
        return str(PERIODS[text])
    if shifted := SHIFTED.match(text):
        sign, count, unit = shifted.groups()
        number = int(count)
        span = {
            "d": ngettext("%(num)d day", "%(num)d days", number),
            "w": ngettext("%(num)d week", "%(num)d weeks", number),
            "m": ngettext("%(num)d month", "%(num)d months", number),
            "y": ngettext("%(num)d year", "%(num)d years", number),
        }[unit]
        return str(_("in %(span)s", span=span) if sign == "+" else _("%(span)s ago", span=span))
    return None
