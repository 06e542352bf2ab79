"""Arithmetic: `+ - * / %` by the kinds of their sides. Whatever has no line here is a fault."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from trellis.formula import exact, moments, money
from trellis.formula.env import Env
from trellis.formula.functions.registry import Function
from trellis.formula.sql import moments as sqlm
from trellis.formula.sql import values as sqlv
from trellis.formula.sql.scope import SqlMoney, SqlScope, SqlValue
from trellis.formula.types import Money, Value

Column = ColumnElement[Any]


def _operator(sign: str) -> Function:
    return Function(sign, "operators", f"a {sign} b", "")


PLUS, MINUS, TIMES, DIVIDED, MODULO = (_operator(sign) for sign in "+-*/%")
NEGATIVE = _operator("-x")
BINARY = {f.name: f for f in (PLUS, MINUS, TIMES, DIVIDED, MODULO)}


def quotient(a: Column, b: Column) -> Column:
    """a / b as exact.divide gives it."""
    scaled = sa.func.round(sqlv.numeric(a), 3 * exact.PLACES, type_=sa.Numeric())
    divided = scaled.op("/", return_type=sa.Numeric())(sa.func.nullif(sqlv.numeric(b), 0, type_=sa.Numeric()))
    return sa.func.trim_scale(sa.func.round(divided, exact.PLACES), type_=sa.Numeric())


def remainder(a: Column, b: Column) -> Column:
    """a % b as exact.modulo gives it."""
    x, y = sqlv.numeric(a), sa.func.nullif(sqlv.numeric(b), 0, type_=sa.Numeric())
    return sa.func.mod(sa.func.mod(x, y) + y, y, type_=sa.Numeric())


# numbers
PLUS("number, number -> number", exact.add, lambda s, a, b: sqlv.numeric(a) + sqlv.numeric(b))
MINUS("number, number -> number", exact.subtract, lambda s, a, b: sqlv.numeric(a) - sqlv.numeric(b))
TIMES("number, number -> number", exact.multiply, lambda s, a, b: sqlv.numeric(a) * sqlv.numeric(b))
DIVIDED("number, number -> number", exact.divide, lambda s, a, b: quotient(a, b))
MODULO("number, number -> number", exact.modulo, lambda s, a, b: remainder(a, b), times=2)
NEGATIVE("number -> number", exact.negative, lambda s, a: -sqlv.numeric(a))


# money
def _money_sum(sign: str) -> Any:
    def calculate(scope: SqlScope, a: SqlMoney, b: SqlMoney) -> SqlValue:
        same = a.currency == b.currency
        own, base = (a.amount + b.amount, a.base + b.base) if sign == "+" else (a.amount - b.amount, a.base - b.base)
        tenant = sqlv.text(scope.reader.currency)
        other = sa.case((base.is_not(None), tenant))
        return SqlMoney(sa.case((same, own), else_=base), sa.case((same, a.currency), else_=other), base)

    return calculate


def scaled_money(value: SqlMoney, change: Any) -> SqlMoney:
    """Money with its amount and base changed alike."""
    return SqlMoney(change(value.amount), value.currency, change(value.base))


def _quotient_money(scope: SqlScope, a: SqlMoney, b: Column) -> SqlValue:
    amount = quotient(a.amount, b)
    return SqlMoney(amount, sa.case((amount.is_not(None), a.currency)), quotient(a.base, b))


def _ratio(scope: SqlScope, a: SqlMoney, b: SqlMoney) -> SqlValue:
    same = a.currency == b.currency
    return sa.case((same, quotient(a.amount, b.amount)), else_=quotient(a.base, b.base))


def _times(scope: SqlScope, a: SqlMoney, b: Column) -> SqlValue:
    amount = a.amount * sqlv.numeric(b)
    return SqlMoney(amount, sa.case((amount.is_not(None), a.currency)), a.base * sqlv.numeric(b))


def _number_in(scope: SqlScope, number: Column, like: SqlMoney) -> SqlMoney:
    return sqlv.money_in(number, like.currency, scope)


def _plus_number(env: Env, a: Money, b: Any) -> Value:
    return money.added(a, money.in_currency(b, a.currency, env), exact.add, env.reader)


def _minus_number(env: Env, a: Money, b: Any) -> Value:
    return money.added(a, money.in_currency(b, a.currency, env), exact.subtract, env.reader)


def _number_minus(env: Env, a: Any, b: Money) -> Value:
    return money.added(money.in_currency(a, b.currency, env), b, exact.subtract, env.reader)


def _quotient(env: Env, a: Money, b: Any) -> Value:
    return money.mapped(a, lambda x: exact.divide(x, b), env.reader)


PLUS(
    "money, money -> money",
    lambda env, a, b: money.added(a, b, exact.add, env.reader),
    _money_sum("+"),
    env=True,
    times=3,
)
MINUS(
    "money, money -> money",
    lambda env, a, b: money.added(a, b, exact.subtract, env.reader),
    _money_sum("-"),
    env=True,
    times=3,
)
PLUS(
    "money, number -> money",
    _plus_number,
    lambda s, a, b: _money_sum("+")(s, a, _number_in(s, b, a)),
    env=True,
    times=6,
)
PLUS(
    "number, money -> money",
    lambda env, a, b: _plus_number(env, b, a),
    lambda s, a, b: _money_sum("+")(s, b, _number_in(s, a, b)),
    env=True,
    times=6,
)
MINUS(
    "money, number -> money",
    _minus_number,
    lambda s, a, b: _money_sum("-")(s, a, _number_in(s, b, a)),
    env=True,
    times=6,
)
MINUS(
    "number, money -> money",
    _number_minus,
    lambda s, a, b: _money_sum("-")(s, _number_in(s, a, b), b),
    env=True,
    times=6,
)
TIMES(
    "money, number -> money",
    lambda env, a, b: money.mapped(a, lambda x: exact.multiply(x, b), env.reader),
    _times,
    env=True,
    times=3,
)
TIMES(
    "number, money -> money",
    lambda env, a, b: money.mapped(b, lambda x: exact.multiply(x, a), env.reader),
    lambda s, a, b: _times(s, b, a),
    env=True,
    times=3,
)
DIVIDED("money, number -> money", _quotient, _quotient_money, env=True, times=3)
DIVIDED("money, money -> number", lambda env, a, b: money.ratio(a, b, env.reader), _ratio, env=True, times=2)
NEGATIVE(
    "money -> money",
    lambda env, a: money.mapped(a, exact.negative, env.reader),
    lambda s, a: scaled_money(a, lambda c: -c),
    env=True,
    times=2,
)

# durations
DAY = timedelta(days=1)


def _duration_sum(sign: int) -> Any:
    def calculate(scope: SqlScope, a: Column, b: Column) -> Column:
        return sqlm.from_microseconds(sqlm.microseconds(a) + sign * sqlm.microseconds(b))

    return calculate


def _duration_add(a: timedelta, b: timedelta) -> Value:
    return moments.duration((a + b) // moments.MICROSECOND, moments.MICROSECOND)


def _duration_subtract(a: timedelta, b: timedelta) -> Value:
    return moments.duration((a - b) // moments.MICROSECOND, moments.MICROSECOND)


def _times_duration(scope: SqlScope, a: Column, b: Column) -> Column:
    return sqlm.from_microseconds(sqlm.microseconds(a) * sqlv.numeric(b))


def _over_duration(a: timedelta, b: Decimal) -> Value:
    micros = exact.divide(a // moments.MICROSECOND, b)
    return None if micros is None else moments.duration(micros, moments.MICROSECOND)


PLUS("duration, duration -> duration", _duration_add, _duration_sum(1), times=2)
MINUS("duration, duration -> duration", _duration_subtract, _duration_sum(-1), times=2)
TIMES("duration, number -> duration", moments.scaled, _times_duration, times=2)
TIMES(
    "number, duration -> duration", lambda a, b: moments.scaled(b, a), lambda s, a, b: _times_duration(s, b, a), times=2
)
DIVIDED(
    "duration, number -> duration",
    _over_duration,
    lambda s, a, b: sqlm.from_microseconds(quotient(sqlm.microseconds(a), b)),
    times=2,
)
DIVIDED(
    "duration, duration -> number",
    lambda a, b: exact.divide(a // moments.MICROSECOND, b // moments.MICROSECOND),
    lambda s, a, b: quotient(sqlm.microseconds(a), sqlm.microseconds(b)),
)
NEGATIVE("duration -> duration", lambda a: -a, lambda s, a: sqlm.from_microseconds(-sqlm.microseconds(a)), times=2)
PLUS("period, period -> period", lambda a, b: a + b, lambda s, a, b: a + b)
MINUS("period, period -> period", lambda a, b: a - b, lambda s, a, b: a - b)
NEGATIVE("period -> period", lambda a: -a, lambda s, a: -a)


# dates
def _date_and_duration(sign: int) -> Any:
    def calculate(scope: SqlScope, day: Column, value: Column) -> Column:
        days = sqlm.whole_days(value) if sign > 0 else sa.func.ceil(sqlm.microseconds(value) / 86_400_000_000)
        return sqlm.in_years(sqlm.add_days(day, sa.cast(days, sa.Numeric()) * sign))

    return calculate


def _moment_and_duration(sign: int) -> Any:
    def calculate(scope: SqlScope, moment: Column, value: Column) -> Column:
        duration = value if sign > 0 else sa.literal_column("interval '0'").op("-", return_type=sa.Interval())(value)
        return sqlm.in_years(sqlm.add_to_moment(moment, duration))

    return calculate


def _months(sign: int) -> Any:
    def calculate(scope: SqlScope, value: Column, count: Column) -> Column:
        return sqlm.in_years(sqlm.add_months(value, count if sign > 0 else -count, scope.reader))

    return calculate


def _between_moments(scope: SqlScope, a: Column, b: Column) -> Column:
    micros = (sa.cast(sa.extract("epoch", a), sa.Numeric()) - sa.cast(sa.extract("epoch", b), sa.Numeric())) * 1_000_000
    return sqlm.from_microseconds(micros)


PLUS("date, duration -> date", moments.add_to_date, _date_and_duration(1), times=3)
PLUS(
    "duration, date -> date",
    lambda a, b: moments.add_to_date(b, a),
    lambda s, a, b: _date_and_duration(1)(s, b, a),
    times=3,
)
MINUS("date, duration -> date", lambda a, b: moments.add_to_date(a, -b), _date_and_duration(-1), times=3)
MINUS(
    "date, date -> number",
    lambda a, b: Decimal((a - b).days),
    lambda s, a, b: sa.cast(a.op("-", return_type=sa.Integer())(b), sa.Numeric()),
)
PLUS("datetime, duration -> datetime", moments.add_to_moment, _moment_and_duration(1), times=3)
PLUS(
    "duration, datetime -> datetime",
    lambda a, b: moments.add_to_moment(b, a),
    lambda s, a, b: _moment_and_duration(1)(s, b, a),
    times=3,
)
MINUS("datetime, duration -> datetime", lambda a, b: moments.add_to_moment(a, -b), _moment_and_duration(-1), times=3)
MINUS("datetime, datetime -> duration", moments.between, _between_moments, times=2)
PLUS("date, period -> date", moments.add_months, _months(1), times=3)
PLUS("period, date -> date", lambda a, b: moments.add_months(b, a), lambda s, a, b: _months(1)(s, b, a), times=3)
MINUS("date, period -> date", lambda a, b: moments.add_months(a, -b), _months(-1), times=3)
PLUS(
    "datetime, period -> datetime",
    lambda env, a, b: moments.add_months_to_moment(a, b, env.reader.time_zone),
    _months(1),
    env=True,
    times=3,
)
MINUS(
    "datetime, period -> datetime",
    lambda env, a, b: moments.add_months_to_moment(a, -b, env.reader.time_zone),
    _months(-1),
    env=True,
    times=3,
)


def _date_and_number(sign: int) -> Any:
    def calculate(scope: SqlScope, day: Column, amount: Column) -> Column:
        exact_amount = sqlv.numeric(amount)
        return sqlm.in_years(sqlm.add_days(day, exact_amount if sign > 0 else -exact_amount))

    return calculate


PLUS("date, number -> date", moments.add_days, _date_and_number(1), times=3)
MINUS("date, number -> date", lambda a, b: moments.add_days(a, exact.negative(b)), _date_and_number(-1), times=3)
