"""What periods are called."""

from __future__ import annotations

from datetime import date

from babel.dates import format_date, format_interval
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from trellis.model.dashboards.spans import NAMES, Span, read_span
from trellis.model.reports.keys import fiscal_start
from trellis.web.cells.numbers import locale_of
from trellis.web.reports.words import Words

LABELS = {
    "today": _l("Today"),
    "yesterday": _l("Yesterday"),
    "this_week": _l("This week"),
    "previous_week": _l("Previous week"),
    "this_month": _l("This month"),
    "previous_month": _l("Previous month"),
    "this_quarter": _l("This quarter"),
    "previous_quarter": _l("Previous quarter"),
    "this_year": _l("This year"),
    "previous_year": _l("Previous year"),
    "this_fiscal_quarter": _l("This fiscal quarter"),
    "previous_fiscal_quarter": _l("Previous fiscal quarter"),
    "this_fiscal_year": _l("This fiscal year"),
    "previous_fiscal_year": _l("Previous fiscal year"),
    "last_7_days": _l("Last 7 days"),
    "last_30_days": _l("Last 30 days"),
    "last_90_days": _l("Last 90 days"),
    "last_365_days": _l("Last 365 days"),
}


SHORT = {"month": "LLL", "quarter": "QQQ"}  # of this year


def offered(words: Words) -> list[tuple[str, str]]:
    """The periods that a reader may choose: fiscal ones where the fiscal year is another than the calendar's."""
    is_fiscal = fiscal_start(words.reader) != 1
    return [(name, str(LABELS[name])) for name in NAMES if is_fiscal or "fiscal" not in name]


def span_label(text: str, words: Words) -> str:
    """What a period is called: its name, or its days."""
    if text in LABELS:
        return str(LABELS[text])
    span = read_span(text, words.reader.today())
    return days_label(span, words) if span is not None else text


def days_label(span: Span, words: Words) -> str:
    """The days themselves: 1 Jul – 30 Sept 2026."""
    locale = locale_of(words.language)
    if span.first is None or span.last is None:
        day = str(format_date(span.first or span.last or date.today(), "medium", locale=locale))
        return str(_("from %(day)s", day=day) if span.last is None else _("until %(day)s", day=day))
    return str(format_interval(span.first, span.last, "yMMMd", locale=locale))


def compared_label(span: Span, words: Words, how: str | None) -> str:
    """What a number is compared with, in short: Q3 2026; the period before."""
    if span.unit is not None and span.first is not None:
        if span.unit.name in SHORT and span.first.year == words.reader.today().year:
            return str(format_date(span.first, SHORT[span.unit.name], locale=locale_of(words.language)))
        return words.period(span.unit.name, span.first)
    return str(_("a year before") if how == "previous_year" else _("the period before"))
