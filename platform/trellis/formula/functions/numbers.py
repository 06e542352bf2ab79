"""abs round floor ceil power, for numbers and money."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from trellis.formula import exact, money
from trellis.formula.env import Env
from trellis.formula.functions.operators import scaled_money
from trellis.formula.functions.registry import function
from trellis.formula.sql import values as sqlv
from trellis.formula.sql.scope import SqlMoney, SqlScope, SqlValue
from trellis.formula.types import Money, Value

FAMILY = "numbers"
Column = ColumnElement[Any]


def _places(places: Column | None) -> Column:
    if places is None:
        return sa.literal(0, sa.Integer())
    limit = exact.PLACES
    inside = sa.func.least(sa.func.greatest(sa.func.trunc(sqlv.numeric(places)), -limit), limit)
    return sa.cast(sa.case((places.is_not(None), inside)), sa.Integer())


def sql_round(value: Column, places: Column | None = None) -> Column:
    """Rounded half away from zero."""
    return sa.func.round(sqlv.numeric(value), _places(places), type_=sa.Numeric())


def _money_round(env: Env, value: Money, places: Any = None) -> Value:
    if places is None:
        return money.rounded_in(value, env.reader)
    return money.mapped(value, lambda x: exact.round_half_away(x, places), env.reader)


def _money_round_sql(scope: SqlScope, value: SqlMoney, places: Column | None = None) -> SqlValue:
    if places is not None:
        rounded = scaled_money(value, lambda c: sql_round(c, places))
        return SqlMoney(rounded.amount, sa.case((rounded.amount.is_not(None), value.currency)), rounded.base)
    own = sa.func.round(value.amount, sqlv.minor_units(value.currency), type_=sa.Numeric())
    base = sa.func.round(value.base, money.minor_units(scope.reader.currency), type_=sa.Numeric())
    return SqlMoney(own, value.currency, base)


def _whole(f: Any) -> Any:
    return lambda scope, value: f(sqlv.numeric(value), type_=sa.Numeric())


def _whole_money(f: Any) -> Any:
    return lambda scope, value: scaled_money(value, lambda c: f(c, type_=sa.Numeric()))


def _mapped(change: Any) -> Any:
    return lambda env, value: money.mapped(value, change, env.reader)


def _power(scope: SqlScope, base: Column, exponent: Column) -> SqlValue:
    x, y = sqlv.numeric(base), sqlv.numeric(exponent)
    possible = sa.and_(
        sa.func.abs(x) <= 10**9,
        sa.func.abs(y) <= 60,
        sa.or_(x >= 0, y == sa.func.trunc(y)),
        sa.or_(x != 0, y >= 0),
    )
    # twelve more decimals than are kept, so that PostgreSQL computes enough of them
    exact_base = sa.func.round(sa.func.round(x, 12), 60, type_=sa.Numeric())
    result = sa.func.trim_scale(sa.func.round(sa.func.power(exact_base, y, type_=sa.Numeric()), 12), type_=sa.Numeric())
    return sa.case((sa.and_(possible, y == 0), sa.literal(1, sa.Numeric())), (possible, result))


abs_ = function("abs", "abs(x)", "The number without its sign.", family=FAMILY)
abs_("number -> number", lambda x: exact.EXACT.abs(exact.decimal(x)), _whole(sa.func.abs))
abs_("money -> money", _mapped(lambda x: abs(x)), _whole_money(sa.func.abs), env=True, times=2)

round_ = function(
    "round",
    "round(x, places)",
    "Rounded half away from zero: to a whole number, or to so many decimals; "
    "money without places to its currency's minor unit.",
    family=FAMILY,
    example="round(quantity * price, 2)",
)
round_("number, number? -> number", exact.round_half_away, lambda s, x, n=None: sql_round(x, n))
round_("money, number? -> money", _money_round, _money_round_sql, env=True, times=3)

floor = function("floor", "floor(x)", "The next whole number below.", family=FAMILY)
floor("number -> number", exact.floor, _whole(sa.func.floor))
floor("money -> money", _mapped(exact.floor), _whole_money(sa.func.floor), env=True, times=2)

ceil = function("ceil", "ceil(x)", "The next whole number above.", family=FAMILY)
ceil("number -> number", exact.ceil, _whole(sa.func.ceil))
ceil("money -> money", _mapped(exact.ceil), _whole_money(sa.func.ceil), env=True, times=2)

power = function(
    "power",
    "power(x, y)",
    "x to the y, to 12 decimals; blank where there is no result, and beyond |x| ≤ 1,000,000,000 and |y| ≤ 60.",
    family=FAMILY,
)
power("number, number -> number", exact.power, _power, times=6)
