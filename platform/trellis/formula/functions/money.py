"""convert: money in another currency."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from trellis.formula import money
from trellis.formula.functions.operators import quotient
from trellis.formula.functions.registry import function
from trellis.formula.sql import values as sqlv
from trellis.formula.sql.scope import SqlMoney, SqlScope, SqlValue

FAMILY = "money"


def _convert(scope: SqlScope, value: SqlMoney, currency: ColumnElement[Any]) -> SqlValue:
    same = value.currency == currency
    base = value.amount * sqlv.rate(value.currency, scope)
    amount = sa.case((same, value.amount), else_=quotient(base, sqlv.rate(currency, scope)))
    there = amount.is_not(None)
    return SqlMoney(amount, sa.case((there, currency)), sa.case((same, value.base), (there, base)))


def _money(scope: SqlScope, number: ColumnElement[Any], currency: ColumnElement[Any]) -> SqlValue:
    return sqlv.money_in(sa.case((currency.is_not(None), number)), currency, scope)


def _same_for_all(*values: object) -> Any:
    raise AssertionError("it is the same for every row")


convert = function(
    "convert",
    'convert(money, "EUR")',
    "The money in another currency at the rates of the record's date; blank when a rate is not known.",
    family=FAMILY,
)
convert(
    "money, text -> money",
    lambda env, value, currency: money.converted(value, currency, env),
    _convert,
    env=True,
    uses=("rates", "convert"),
    times=6,
)

money_ = function("money", 'money(12.5, "EUR")', "A number as money of a currency.", family=FAMILY)
money_(
    "number, text -> money",
    lambda env, number, currency: money.in_currency(number, currency, env),
    _money,
    env=True,
    uses=("rates", "currency"),
    times=3,
)

base_currency = function("base_currency", "base_currency()", "The tenant's own currency.", family=FAMILY)
base_currency("-> text", lambda env: env.reader.currency, _same_for_all, env=True, uses=("rates", "convert"))
