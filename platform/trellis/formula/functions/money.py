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
    amount = sa.case((same, value.amount), else_=quotient(value.base, sqlv.rate(currency, scope)))
    return SqlMoney(amount, sa.case((amount.is_not(None), currency)), sa.case((amount.is_not(None), value.base)))


convert = function(
    "convert",
    'convert(money, "EUR")',
    "The money in another currency at the rate of the record's date; blank when no rate is known.",
    family=FAMILY,
)
convert(
    "money, text -> money",
    lambda env, value, currency: money.converted(value, currency, env),
    _convert,
    env=True,
    uses=("rates",),
    times=4,
)
