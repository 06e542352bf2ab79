"""Dates and times in SQL: the same clock as in Python, whatever the session's time zone is."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement
from sqlalchemy.dialects import postgresql as pg

from trellis.formula.moments import MAX_DAYS, MAX_DAYS_LATER, MAX_MONTHS, MAX_MONTHS_LATER
from trellis.formula.reader import Reader
from trellis.formula.sql import values as sqlv

Column = ColumnElement[Any]
LOCAL = sa.DateTime()
MOMENT = sa.DateTime(timezone=True)
_FIRST, _LAST = date.min.isoformat(), date.max.isoformat()


def _raw(text: str) -> Column:
    return sa.literal_column(text)


def zone(reader: Reader) -> Column:
    """The reader's time zone."""
    return sqlv.text(str(reader.time_zone))


def to_local(moment: Column, reader: Reader) -> Column:
    """A moment as the reader's clock shows it."""
    return sa.func.timezone(zone(reader), moment, type_=LOCAL)


def from_local(local: Column, reader: Reader) -> Column:
    """A time on the reader's clock as a moment."""
    return sa.func.timezone(zone(reader), local, type_=MOMENT)


def in_years(value: Column) -> Column:
    """The date or moment, blank out of the years 1 to 9999, which PostgreSQL goes beyond."""
    if isinstance(value.type, sa.Date):
        return sa.case((value.between(_raw(f"date '{_FIRST}'"), _raw(f"date '{_LAST}'")), value))
    low = _raw(f"timestamptz '{_FIRST} 00:00:00+00'")
    high = _raw(f"timestamptz '{_LAST} 23:59:59.999999+00'")
    return sa.case((value.between(low, high), value))


def extract(part: str, value: Column) -> Column:
    """A part of a date or a local time, as a number."""
    return sa.cast(sa.extract(part, value), sa.Numeric())


def microseconds(value: Column) -> Column:
    """A duration as a whole number of microseconds."""
    return sa.func.trunc(sa.cast(sa.extract("epoch", value), sa.Numeric()) * 1_000_000, type_=sa.Numeric())


def from_microseconds(micros: Column) -> Column:
    """A duration from a number of microseconds, in range; built of whole days and the rest, which are exact."""
    inside = sa.case((sa.func.abs(micros) <= MAX_DAYS * 86_400_000_000, sa.func.round(micros, type_=sa.Numeric())))
    text = sa.cast(inside, sa.Text()).concat(sa.literal_column("' microseconds'"))
    return sa.cast(text, sa.Interval())


def add_to_moment(moment: Column, duration: Column) -> Column:
    """A moment a duration later; days are 24 hours, also where clocks change."""
    utc = sa.func.timezone(sa.literal_column("'UTC'"), moment, type_=LOCAL)
    return sa.func.timezone(sa.literal_column("'UTC'"), utc.op("+", return_type=LOCAL)(duration), type_=MOMENT)


def whole_days(duration: Column) -> Column:
    """The full days in a duration, rounded down."""
    return sa.func.floor(sa.cast(sa.extract("epoch", duration), sa.Numeric()) / 86400, type_=sa.Numeric())


def add_days(day: Column, amount: Column) -> Column:
    """A date some days later; parts of a day do not count."""
    whole = sa.func.floor(amount, type_=sa.Numeric())
    return day.op("+", return_type=sa.Date())(
        sa.cast(sa.case((whole.between(-MAX_DAYS, MAX_DAYS_LATER), whole)), sa.Integer())
    )


def months(count: Column) -> Column:
    """Calendar months as an interval."""
    inside = sa.case((count.between(-MAX_MONTHS, MAX_MONTHS_LATER), count))
    return sa.cast(sa.cast(inside, sa.Text()).concat(sa.literal_column("' months'")), sa.Interval())


def add_months(value: Column, count: Column, reader: Reader) -> Column:
    """The same day, and time on the reader's clock, some months later, or the month's last day."""
    if isinstance(value.type, sa.Date):
        return sa.cast(value.op("+", return_type=LOCAL)(months(count)), sa.Date())
    return from_local(to_local(value, reader).op("+", return_type=LOCAL)(months(count)), reader)


def start_of(value: Column, unit: str, reader: Reader) -> Column:
    """The first day, or the moment, at which a unit begins."""
    name = _raw(f"'{unit}'")
    if isinstance(value.type, sa.Date):
        return sa.cast(sa.func.date_trunc(name, sa.cast(value, LOCAL), type_=LOCAL), sa.Date())
    return from_local(sa.func.date_trunc(name, to_local(value, reader), type_=LOCAL), reader)


_LENGTHS = {"quarter": "3 months"}


def end_of(value: Column, unit: str, reader: Reader) -> Column:
    """The last day, or the last microsecond, of a unit."""
    name = _raw(f"'{unit}'")
    length = _raw(f"interval '{_LENGTHS.get(unit, '1 ' + unit)}'")
    if isinstance(value.type, sa.Date):
        start = sa.func.date_trunc(name, sa.cast(value, LOCAL), type_=LOCAL)
        end = start.op("+", return_type=LOCAL)(length).op("-", return_type=LOCAL)(sa.literal_column("interval '1 day'"))
        return sa.cast(end, sa.Date())
    start = sa.func.date_trunc(name, to_local(value, reader), type_=LOCAL)
    microsecond = _raw("interval '1 microsecond'")
    return from_local(start.op("+", return_type=LOCAL)(length).op("-", return_type=LOCAL)(microsecond), reader)


def text_array(value: Column) -> Column:
    """A column as a text array."""
    return sa.cast(value, pg.ARRAY(sa.Text()))
