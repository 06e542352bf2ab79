"""Dates and times in Python: the reader's zone, calendar months, units; out of the years 1 to 9999 is blank."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from trellis.formula import exact
from trellis.formula.exact import Number

UNITS = ("minute", "hour", "day", "week", "month", "quarter", "year")
"""What start_of and end_of take; a date has no hours."""
MICROSECOND = timedelta(microseconds=1)
MAX_DAYS = 1_700_000
"""How long a duration may be, and how far back a date may go: PostgreSQL's dates begin in 4713 BC."""
MAX_DAYS_LATER = 3_700_000
MAX_MONTHS, MAX_MONTHS_LATER = 54_000, 120_000
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DATETIME = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)(Z|[+-]\d{2}:?\d{2})?)?")


def at_zone(local: datetime, zone: ZoneInfo) -> datetime | None:
    """A local time as a moment. Where clocks go back or forward, winter time counts, as in PostgreSQL."""
    try:
        moments = [local.replace(tzinfo=zone, fold=fold) for fold in (0, 1)]
        offset = min(m.utcoffset() or timedelta() for m in moments)
        return (local - offset).replace(tzinfo=UTC)
    except OverflowError:
        return None


def local(moment: datetime, zone: ZoneInfo) -> datetime:
    """A moment as the reader's clock shows it."""
    try:
        return moment.astimezone(zone).replace(tzinfo=None)
    except OverflowError:
        return moment.replace(tzinfo=None)


def today(now: datetime, zone: ZoneInfo) -> date:
    """The reader's date at `now`."""
    return now.astimezone(zone).date()


def duration(amount: Number, unit: timedelta) -> timedelta | None:
    """`amount` units, to the microsecond; blank beyond ten thousand years."""
    micros = exact.round_half_away(exact.multiply(amount, unit // MICROSECOND))
    if abs(micros) > MAX_DAYS * 86_400_000_000:
        return None
    return timedelta(microseconds=int(micros))


def between(later: datetime, earlier: datetime) -> timedelta | None:
    """The duration between two moments."""
    return duration((later - earlier) // MICROSECOND, MICROSECOND)


def amount_of(value: timedelta, unit: timedelta) -> Decimal | None:
    """How many units a duration is."""
    return exact.divide(value // MICROSECOND, unit // MICROSECOND)


def scaled(value: timedelta, factor: Number) -> timedelta | None:
    """A duration times a number."""
    return duration(factor, value) if value >= timedelta() else duration(exact.negative(factor), -value)


def add_days(day: date, amount: Number) -> date | None:
    """A date some days later; parts of a day do not count."""
    whole = exact.floor(amount)
    if not -MAX_DAYS <= whole <= MAX_DAYS_LATER:
        return None
    try:
        return day + timedelta(days=int(whole))
    except OverflowError:
        return None


def add_to_date(day: date, value: timedelta) -> date | None:
    """A date a duration later; parts of a day do not count."""
    try:
        return day + timedelta(days=value.days)
    except OverflowError:
        return None


def add_to_moment(moment: datetime, value: timedelta) -> datetime | None:
    """A moment a duration later."""
    try:
        return moment + value
    except OverflowError:
        return None


def add_months(day: date, months: int) -> date | None:
    """The same day some months later, or the month's last day."""
    if not -MAX_MONTHS <= months <= MAX_MONTHS_LATER:
        return None
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    if not 1 <= year <= 9999:
        return None
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def add_months_to_moment(moment: datetime, months: int, zone: ZoneInfo) -> datetime | None:
    """The same time on the reader's clock some months later."""
    there = local(moment, zone)
    day = add_months(there.date(), months)
    return None if day is None else at_zone(datetime.combine(day, there.time()), zone)


def start_of_date(day: date, unit: str) -> date | None:
    """The first day of the week (Monday), month, quarter or year."""
    match unit:
        case "week":
            return add_days(day, -day.weekday())
        case "month":
            return day.replace(day=1)
        case "quarter":
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case "year":
            return day.replace(month=1, day=1)
    return day


_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def end_of_date(day: date, unit: str) -> date | None:
    """The last day of the week, month, quarter or year."""
    start = start_of_date(day, unit)
    if start is None:
        return None
    if unit in _MONTHS:
        month = start.month + _MONTHS[unit] - 1
        return date(start.year, month, calendar.monthrange(start.year, month)[1])
    return add_days(start, 6) if unit == "week" else day


def start_of_moment(moment: datetime, unit: str, zone: ZoneInfo) -> datetime | None:
    """The moment at which the minute, hour, day, … begins on the reader's clock."""
    there = local(moment, zone)
    if unit == "minute":
        return at_zone(there.replace(second=0, microsecond=0), zone)
    if unit == "hour":
        return at_zone(there.replace(minute=0, second=0, microsecond=0), zone)
    day = start_of_date(there.date(), unit)
    return None if day is None else at_zone(datetime.combine(day, time()), zone)


def end_of_moment(moment: datetime, unit: str, zone: ZoneInfo) -> datetime | None:
    """The last microsecond of the minute, hour, day, … on the reader's clock."""
    there = local(moment, zone)
    if unit == "minute":
        return at_zone(there.replace(second=59, microsecond=999_999), zone)
    if unit == "hour":
        return at_zone(there.replace(minute=59, second=59, microsecond=999_999), zone)
    day = end_of_date(there.date(), unit)
    return None if day is None else at_zone(datetime.combine(day, time(23, 59, 59, 999_999)), zone)


def read_date(text: str) -> date | None:
    """A date in ISO 8601; blank where it is none."""
    if _DATE.fullmatch(text) is None or not text.isascii():
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def read_datetime(text: str, zone: ZoneInfo) -> datetime | None:
    """A moment in ISO 8601; without an offset it is on the reader's clock; blank where it is none."""
    if (found := _DATETIME.fullmatch(text)) is None or not text.isascii():
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if found[3]:
        try:
            return moment.astimezone(UTC)
        except OverflowError:
            return None
    return at_zone(moment, zone)


def age(born: date, at: date) -> int:
    """Full years from `born` to `at`; a 29 February birthday is on 1 March in other years."""
    return at.year - born.year - ((at.month, at.day) < (born.month, born.day))
