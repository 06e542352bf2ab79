"""Workdays and business hours, by the tenant's calendar; Monday to Friday, 9 to 17, where there is none."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from trellis.formula import exact
from trellis.formula.business import calendar_of
from trellis.formula.env import Env
from trellis.formula.functions.operators import quotient
from trellis.formula.functions.registry import function
from trellis.formula.moments import MAX_DAYS
from trellis.formula.sql import business as sqlb
from trellis.formula.sql import moments as sqlm
from trellis.formula.sql import values as sqlv
from trellis.formula.sql.scope import SqlScope, SqlValue
from trellis.formula.types import Value

FAMILY = "work"
Column = ColumnElement[Any]


def _workdays(env: Env, start: date, end: date) -> Value:
    days = calendar_of(env.reader).workdays
    if end < start:
        return Decimal(days.until(end.toordinal() - 1) - days.until(start.toordinal()))
    return Decimal(days.until(end.toordinal()) - days.until(start.toordinal() - 1))


def _workdays_sql(scope: SqlScope, start: Column, end: Column) -> SqlValue:
    back = sa.case((end < start, 1), else_=0)  # forward, the first day counts; backward, the last one
    last = sqlb.workdays_until(scope, sqlb.ordinal_of(end) - back)
    return last - sqlb.workdays_until(scope, sqlb.ordinal_of(start) - 1 + back)


def _add_workdays(env: Env, day: date, amount: Any) -> Value:
    n = exact.whole(amount)
    if n == 0 or abs(n) > MAX_DAYS:
        return day if n == 0 else None
    days = calendar_of(env.reader).workdays
    reached = days.until(day.toordinal())
    is_free = n < 0 and days.until(day.toordinal() - 1) == reached  # counts as the workday before
    ordinal = days.nth(reached + n + (1 if is_free else 0))
    return date.fromordinal(ordinal) if 1 <= ordinal <= date.max.toordinal() else None


def _add_workdays_sql(scope: SqlScope, day: Column, amount: Column) -> SqlValue:
    whole = sa.func.trunc(sqlv.numeric(amount), type_=sa.Numeric())
    n = sa.case((sa.func.abs(whole) <= MAX_DAYS, whole))
    ordinal = sqlb.ordinal_of(day)
    reached = sqlb.workdays_until(scope, ordinal)
    free = sqlb.workdays_until(scope, ordinal - 1) == reached
    count = reached + n + sa.case((sa.and_(n < 0, free), 1), else_=0)
    start = sa.cast(sa.literal_column("date '0001-01-01'"), sa.Date())
    made = sqlm.in_years(sqlm.add_days(start, sqlb.nth_workday(scope, count) - 1))
    return sa.case((n == 0, day), else_=made)


workdays = function(
    "workdays",
    "workdays(start, end) or workdays(date, n)",
    "How many workdays of the tenant's calendar there are from start to end, both counted (negative backwards); "
    "or the day n workdays after a date. Without a calendar, Monday to Friday.",
    family=FAMILY,
)
workdays("date, date -> number", _workdays, _workdays_sql, env=True, times=3)
workdays("date, number -> date", _add_workdays, _add_workdays_sql, env=True, times=12)


def _business_hours(env: Env, start: datetime, end: datetime) -> Value:
    return exact.divide(calendar_of(env.reader).between(start, end) // timedelta(microseconds=1), 3_600_000_000)


business_hours = function(
    "business_hours",
    "business_hours(start, end)",
    "How many hours of the tenant's calendar lie between two moments. Without a calendar, Monday to Friday from 9 to "
    "17 on the reader's clock.",
    family=FAMILY,
)
business_hours(
    "datetime, datetime -> number",
    _business_hours,
    lambda s, a, b: quotient(
        sqlb.worked_until(s, b) - sqlb.worked_until(s, a), sa.literal(3_600_000_000, sa.Numeric())
    ),
    env=True,
    times=4,
)
