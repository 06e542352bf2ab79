"""Today and now, parts of dates, units, durations, workdays, age."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from trellis.formula import exact, moments
from trellis.formula.env import Env
from trellis.formula.functions.operators import quotient
from trellis.formula.functions.registry import function
from trellis.formula.sql import moments as sqlm
from trellis.formula.sql import values as sqlv
from trellis.formula.sql.parameters import parameter
from trellis.formula.sql.scope import SqlScope, SqlValue
from trellis.formula.types import Value

FAMILY = "dates"
Column = ColumnElement[Any]


def _today(scope: SqlScope) -> Column:
    return parameter(scope, lambda env: env.reader.today(), sa.Date())


def _outer_only(*values: object) -> Any:
    raise AssertionError("it is the same for every row")


today = function("today", "today()", "The reader's date.", family=FAMILY)
today("-> date", lambda env: env.reader.today(), _outer_only, env=True, uses=("now",))
now = function("now", "now()", "The present moment.", family=FAMILY)
now("-> datetime", lambda env: env.reader.now, _outer_only, env=True, uses=("now",))

# making dates


def _date(year: Any, month: Any, day: Any) -> Value:
    y, m, d = exact.whole(year), exact.whole(month), exact.whole(day)
    if not (1 <= y <= 9999 and 1 <= m <= 12 and 1 <= d <= 31):
        return None
    try:
        return date(y, m, d)
    except ValueError:
        return None


def _date_sql(scope: SqlScope, year: Column, month: Column, day: Column) -> SqlValue:
    y, m, d = (sa.func.trunc(sqlv.numeric(v), type_=sa.Numeric()) for v in (year, month, day))
    index = sa.cast(y * 12 + m - 1, sa.Integer())
    first = sa.cast(
        sa.literal_column("timestamp '0001-01-01'").op("+", return_type=sqlm.LOCAL)(sqlm.months(index - 12)), sa.Date()
    )
    made = sqlm.add_days(first, d - 1)
    inside = sa.and_(y.between(1, 9999), m.between(1, 12), d.between(1, 31))
    # the nested CASE keeps PostgreSQL from computing what is out of range
    return sa.case((inside, sa.case((sa.extract("month", made) == m, made))))


def _text_date(scope: SqlScope, value: Column) -> SqlValue:
    shaped = value.op("~")(sqlv.text(r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"))
    parts = [sa.cast(sa.func.substr(value, a, n), sa.Numeric()) for a, n in ((1, 4), (6, 2), (9, 2))]
    return sa.case((shaped, _date_sql(scope, *parts)))


date_ = function(
    "date",
    'date(x) or date(year, month, day) or date("2024-12-31")',
    "The date of a moment on the reader's clock, or a date from its parts; blank where there is no such date.",
    family=FAMILY,
)
date_("date -> date", lambda v: v, lambda s, v: v)
date_(
    "datetime -> date",
    lambda env, v: moments.local(v, env.reader.time_zone).date(),
    lambda s, v: sa.cast(sqlm.to_local(v, s.reader), sa.Date()),
    env=True,
)
date_("number, number, number -> date", _date, _date_sql, times=8)
date_("text -> date", moments.read_date, _text_date, times=20)


def _datetime(env: Env, day: date, at: time) -> Value:
    return moments.at_zone(datetime.combine(day, at), env.reader.time_zone)


datetime_ = function(
    "datetime",
    "datetime(date, time)",
    "The moment at which a date begins, or a time on it, on the reader's clock.",
    family=FAMILY,
)
datetime_("datetime -> datetime", lambda v: v, lambda s, v: v)
datetime_(
    "date -> datetime",
    lambda env, v: _datetime(env, v, time()),
    lambda s, v: sqlm.from_local(sa.cast(v, sqlm.LOCAL), s.reader),
    env=True,
)
datetime_(
    "date, time -> datetime",
    _datetime,
    lambda s, v, at: sqlm.from_local(v.op("+", return_type=sqlm.LOCAL)(at), s.reader),
    env=True,
)


def _date_and_hours(env: Env, day: date, hour: Any, minute: Any = 0) -> Value:
    h, m = exact.whole(hour), exact.whole(minute)
    return _datetime(env, day, time(h, m)) if 0 <= h <= 23 and 0 <= m <= 59 else None


def _date_and_hours_sql(scope: SqlScope, day: Column, hour: Column, minute: Column | None = None) -> SqlValue:
    h = sa.func.trunc(sqlv.numeric(hour), type_=sa.Numeric())
    m = sa.func.trunc(sqlv.numeric(minute), type_=sa.Numeric()) if minute is not None else sa.literal(0, sa.Numeric())
    local = sa.cast(day, sqlm.LOCAL).op("+", return_type=sqlm.LOCAL)(sqlm.from_microseconds((h * 60 + m) * 60_000_000))
    return sa.case((sa.and_(h.between(0, 23), m.between(0, 59)), sqlm.from_local(local, scope.reader)))


datetime_("date, number, number? -> datetime", _date_and_hours, _date_and_hours_sql, env=True, times=4)
datetime_.usage = "datetime(date, time) or datetime(date, hour, minute)"


# parts


def _part(name: str, usage: str, doc: str, of_day: Callable[[Any], int], field: str) -> None:
    declared = function(name, usage, doc, family=FAMILY)
    declared("date -> number", lambda v: Decimal(of_day(v)), lambda s, v: sqlm.extract(field, v))
    declared(
        "datetime -> number",
        lambda env, v: Decimal(of_day(moments.local(v, env.reader.time_zone))),
        lambda s, v: sqlm.extract(field, sqlm.to_local(v, s.reader)),
        env=True,
    )


_part("year", "year(date)", "The year.", lambda v: v.year, "year")
_part("quarter", "quarter(date)", "The quarter, 1 to 4.", lambda v: (v.month + 2) // 3, "quarter")
_part("month", "month(date)", "The month, 1 to 12.", lambda v: v.month, "month")
_part("day", "day(date)", "The day of the month.", lambda v: v.day, "day")
_part("weekday", "weekday(date)", "The day of the week: Monday is 1, Sunday 7.", lambda v: v.isoweekday(), "isodow")

hour = function("hour", "hour(datetime)", "The hour on the reader's clock, 0 to 23.", family=FAMILY)
hour(
    "datetime -> number",
    lambda env, v: Decimal(moments.local(v, env.reader.time_zone).hour),
    lambda s, v: sqlm.extract("hour", sqlm.to_local(v, s.reader)),
    env=True,
)
hour("time -> number", lambda v: Decimal(v.hour), lambda s, v: sqlm.extract("hour", v))

is_today = function("is_today", "is_today(date)", "Is it the reader's date?", family=FAMILY)
is_today(
    "date -> boolean",
    lambda env, v: v == env.reader.today(),
    lambda s, v: v == _today(s),
    env=True,
    uses=("now",),
)
is_today(
    "datetime -> boolean",
    lambda env, v: moments.local(v, env.reader.time_zone).date() == env.reader.today(),
    lambda s, v: sa.cast(sqlm.to_local(v, s.reader), sa.Date()) == _today(s),
    env=True,
    uses=("now",),
)

start_of = function(
    "start_of",
    'start_of(date, "month")',
    "The first day, or moment, of the minute, hour, day, week (from Monday), month, quarter or year.",
    family=FAMILY,
)
start_of(
    "date, day_unit -> date",
    moments.start_of_date,
    lambda s, v, unit: sqlm.in_years(sqlm.start_of(v, unit, s.reader)),
    times=2,
)
start_of(
    "datetime, unit -> datetime",
    lambda env, v, unit: moments.start_of_moment(v, unit, env.reader.time_zone),
    lambda s, v, unit: sqlm.in_years(sqlm.start_of(v, unit, s.reader)),
    env=True,
    times=2,
)
end_of = function("end_of", 'end_of(date, "month")', "The last day, or microsecond, of a unit.", family=FAMILY)
end_of(
    "date, day_unit -> date",
    moments.end_of_date,
    lambda s, v, unit: sqlm.in_years(sqlm.end_of(v, unit, s.reader)),
    times=2,
)
end_of(
    "datetime, unit -> datetime",
    lambda env, v, unit: moments.end_of_moment(v, unit, env.reader.time_zone),
    lambda s, v, unit: sqlm.in_years(sqlm.end_of(v, unit, s.reader)),
    env=True,
    times=2,
)

# durations


def _unit(name: str, length: timedelta) -> None:
    declared = function(
        name, f"{name}(n)", f"A duration of n {name}; of a duration, how many {name} it is.", family=FAMILY
    )
    micros = length // moments.MICROSECOND
    declared(
        "number -> duration",
        lambda n: moments.duration(n, length),
        lambda s, n: sqlm.from_microseconds(sqlv.numeric(n) * micros),
        times=2,
    )
    declared(
        "duration -> number",
        lambda v: moments.amount_of(v, length),
        lambda s, v: quotient(sqlm.microseconds(v), sa.literal(micros, sa.Numeric())),
    )


for _name, _length in (
    ("minutes", timedelta(minutes=1)),
    ("hours", timedelta(hours=1)),
    ("days", timedelta(days=1)),
    ("weeks", timedelta(weeks=1)),
):
    _unit(_name, _length)


def _calendar(name: str, count: int) -> None:
    doc = f"n calendar {name}, to be added to a date or a moment: 31 January and a month is the last of February."
    declared = function(name, f"{name}(n)", doc, family=FAMILY)

    def in_python(n: Any) -> Value:
        result = exact.whole(exact.multiply(n, count))
        return result if abs(result) <= 120_000 else None

    def in_sql(scope: SqlScope, n: Column) -> SqlValue:
        whole = sa.func.trunc(sqlv.numeric(n) * count, type_=sa.Numeric())
        return sa.cast(sa.case((sa.func.abs(whole) <= 120_000, whole)), sa.BigInteger())

    declared("number -> period", in_python, in_sql, times=2)


_calendar("months", 1)
_calendar("years", 12)


def _age_sql(born: Column, at: Column) -> Column:
    def month_day(v: Column) -> Column:
        return sqlm.extract("month", v) * 100 + sqlm.extract("day", v)

    before = sa.case((month_day(at) < month_day(born), 1), else_=0)
    return sqlm.extract("year", at) - sqlm.extract("year", born) - before


age = function("age", "age(date, at)", "Full years from a date until today, or until `at`.", family=FAMILY)
age(
    "date -> number",
    lambda env, v: Decimal(moments.age(v, env.reader.today())),
    lambda s, v: sa.case((v.is_not(None), _age_sql(v, _today(s)))),
    env=True,
    uses=("now",),
    times=3,
)
age("date, date -> number", lambda v, at: Decimal(moments.age(v, at)), lambda s, v, at: _age_sql(v, at), times=3)
