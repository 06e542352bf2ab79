"""Business time in SQL: the same pieces as in Python, given to the statement as arrays of the reader's calendar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.elements import Grouping

from trellis.formula.business import WEEK_MICROS, Calendar, Steps, calendar_of
from trellis.formula.sql.parameters import parameter
from trellis.formula.sql.scope import SqlScope

Column = ColumnElement[Any]
BIG = sa.BigInteger()
BIGS = ARRAY(BIG)
_FIRST = "date '0001-01-01'"
_BEFORE_EPOCH = 62_135_596_800_000_000  # microseconds from the year 1 to 1970


def worked_until(scope: SqlScope, moment: Column) -> Column:
    """Microseconds of business time up to a moment."""
    zone = parameter(scope, lambda env: str(calendar_of(env.reader).zone), sa.Text())

    def of(at: Column) -> Column:
        local = _micros(sa.func.timezone(zone, at, type_=sa.DateTime())) + _BEFORE_EPOCH
        regular = _once("w_local", local, sa.Numeric(), lambda clock: _weekly(scope, clock))
        exact = sa.cast(_micros(at), BIG)
        return regular + _once("w_exact", exact, BIG, lambda i: _at(scope, lambda c: c.otherwise, i))

    return _once("w_at", moment, sa.DateTime(timezone=True), of)


def _weekly(scope: SqlScope, local: Column) -> Column:
    week = sa.func.floor(local / WEEK_MICROS, type_=sa.Numeric())
    into = sa.cast(local - week * WEEK_MICROS, BIG)
    whole = week * _number(scope, lambda calendar: calendar.week_length)
    return whole + _once("w_into", into, BIG, lambda at: _at(scope, lambda calendar: calendar.week, at))


def workdays_until(scope: SqlScope, ordinal: Column) -> Column:
    """How many workdays there are up to a day, which is counted from the year 1."""

    def of(day: Column) -> Column:
        # the years before 1 count backwards: floor, not div
        weeks = sa.func.floor(sa.cast(day, sa.Numeric()) / 7, type_=sa.Numeric())
        rest = sa.cast(day - weeks * 7, sa.Integer())
        regular = weeks * _number(scope, lambda c: len(c.workdays.weekdays))
        behind = sa.func.width_bucket(day, _array(scope, lambda c: c.workdays.days), type_=sa.Integer())
        return regular + _item(_array(scope, lambda c: c.workdays.before), rest + 1) + _more(scope, behind)

    return _once("w_day", ordinal, BIG, of)


def nth_workday(scope: SqlScope, count: Column) -> Column:
    """The ordinal of the day on which so many workdays are reached."""

    def of(count: Column) -> Column:
        reached = _array(scope, lambda c: c.workdays.reached)
        behind = sa.func.width_bucket(count - 1, reached, type_=sa.Integer())
        following = _item(_array(scope, lambda c: c.workdays.days), behind + 1)
        index = count - _more(scope, behind) - 1
        return sa.func.least(_once("w_index", index, BIG, regular), following, type_=BIG)

    def regular(index: Column) -> Column:
        size = _number(scope, lambda c: len(c.workdays.weekdays))
        weeks = sa.cast(sa.func.floor(sa.cast(index, sa.Numeric()) / sa.cast(size, sa.Numeric())), BIG)
        rest = sa.cast(index - weeks * size, sa.Integer())
        return weeks * 7 + _item(_array(scope, lambda c: c.workdays.weekdays), rest + 1) + 1

    return _once("w_count", count, BIG, of)


def ordinal_of(day: Column) -> Column:
    """A day as a number: 0001-01-01 is 1."""
    return sa.cast(day.op("-", return_type=sa.Integer())(sa.literal_column(_FIRST)), BIG) + 1


def _more(scope: SqlScope, behind: Column) -> Column:
    """How many workdays other days have brought or taken, of which so many lie behind."""
    return sa.func.coalesce(_item(_array(scope, lambda c: c.workdays.more), behind), 0, type_=BIG)


def _at(scope: SqlScope, get: Callable[[Calendar], Steps], at: Column) -> Column:
    """A function made of straight pieces, at a place; 0 before the first of them."""
    starts = _array(scope, lambda calendar: get(calendar).starts)

    def piece(index: Column) -> Column:
        value = _item(_array(scope, lambda calendar: get(calendar).values), index)
        rate = _item(_array(scope, lambda calendar: get(calendar).rates), index)
        inside = value + rate * (at - _item(starts, index))
        return sa.case((sa.or_(at.is_(None), index > 0), inside), else_=0)

    return _once("w_piece", sa.func.width_bucket(at, starts, type_=sa.Integer()), sa.Integer(), piece)


def _once(name: str, value: Column, type_: Any, use: Callable[[Column], Column]) -> Column:
    """What is made of a value, which is written and computed once, however often it is used."""
    row = sa.values(sa.column("x", type_), name=name).data([(sa.cast(value, type_),)])
    return sa.select(use(row.c.x)).select_from(row).scalar_subquery()


def _array(scope: SqlScope, get: Callable[[Calendar], Sequence[int]]) -> Column:
    return parameter(scope, lambda env: list(get(calendar_of(env.reader))), BIGS)


def _number(scope: SqlScope, get: Callable[[Calendar], int]) -> Column:
    return parameter(scope, lambda env: get(calendar_of(env.reader)), BIG)


def _item(array: Column, index: Column) -> Column:
    """An item, the first of them being 1; none is NULL."""
    return sa.type_coerce(Grouping(sa.cast(array, BIGS)), BIGS)[index]


def _micros(moment: Column) -> Column:
    return sa.func.trunc(sa.cast(sa.extract("epoch", moment), sa.Numeric()) * 1_000_000, type_=sa.Numeric())
