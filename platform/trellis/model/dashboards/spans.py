"""Stretches of days that have a name, such as this_quarter, and those that they are compared with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from trellis.model.reports.periods import PERIODS, Period

UNITS = ("week", "month", "quarter", "year", "fiscal_quarter", "fiscal_year")
ROLLING = {"last_7_days": 7, "last_30_days": 30, "last_90_days": 90, "last_365_days": 365}
NAMES: tuple[str, ...] = (
    "today",
    "yesterday",
    *(f"{which}_{unit}" for unit in UNITS for which in ("this", "previous")),
    *ROLLING,
)
"""Every name that a period may have, in the order in which they are offered."""

_WRITTEN = re.compile(r"(\d{4}-\d{2}-\d{2})?\.\.(\d{4}-\d{2}-\d{2})?")


@dataclass(frozen=True)
class Span:
    """Days from the first to the last, both counted; one end may be open. `unit`: what it is one of."""

    first: date | None
    last: date | None
    name: str = ""
    unit: Period | None = None

    @property
    def days(self) -> int:
        """How long it is; 0 where an end is open."""
        return (self.last - self.first).days + 1 if self.first is not None and self.last is not None else 0

    @property
    def text(self) -> str:
        """As an address says it: its name, or the days."""
        return self.name or f"{self.first or ''}..{self.last or ''}"


def read_span(text: str, today: date, fiscal_start: int = 1) -> Span | None:
    """The days that a name stands for, or that `2026-01-01..2026-03-31` gives; None when it is neither."""
    if text in ROLLING:
        return Span(today - timedelta(days=ROLLING[text] - 1), today, text)
    if text in ("today", "yesterday"):
        day = today if text == "today" else today - timedelta(days=1)
        return Span(day, day, text, PERIODS["day"])
    which, _sep, name = text.partition("_")
    if which in ("this", "previous") and name in UNITS:
        unit = PERIODS[name]
        first = unit.start(today, fiscal_start)
        first = first if which == "this" else unit.shift(first, -1)
        return Span(first, unit.end(first) - timedelta(days=1), text, unit)
    return _written(text)


def _written(text: str) -> Span | None:
    found = _WRITTEN.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        return None
    try:
        low, high = (date.fromisoformat(part) if part else None for part in found.groups())
    except ValueError:
        return None
    return Span(low, high) if low is None or high is None or low <= high else Span(high, low)


def before(span: Span, today: date, how: str = "previous_period") -> Span | None:
    """What a span is compared with; of one that is not over yet, as many of its days as have passed.

    A quarter of which three weeks have passed is measured by the first three weeks of the quarter before, not by all
    of it. None where an end is open.
    """
    if span.first is None or span.last is None:
        return None
    if how == "previous_year":
        first, last = _year_before(span.first), _year_before(span.last)
    elif span.unit is not None:
        first = span.unit.shift(span.first, -1)
        last = span.first - timedelta(days=1)
    else:
        first, last = span.first - timedelta(days=span.days), span.first - timedelta(days=1)
    if span.first <= today < span.last:
        last = min(last, first + (today - span.first))
    return Span(first, last, unit=span.unit)


def _year_before(day: date) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:  # 29 February
        return day.replace(year=day.year - 1, day=28)
