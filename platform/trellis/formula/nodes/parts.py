"""The parts of money, names, addresses and locations."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from trellis.formula import money
from trellis.formula.env import Env
from trellis.formula.nodes.base import Expr
from trellis.formula.nodes.convert import Convert
from trellis.formula.sql import wording as sqlw
from trellis.formula.sql.scope import SqlMoney, SqlScope, SqlValue
from trellis.formula.syntax import MemberNode
from trellis.formula.types import MONEY, NUMBER, TEXT, Type, Value
from trellis.formula.wording import ADDRESS_PARTS, NAME_PARTS

Part = tuple[Type, Callable[[Any, Env], Value], Callable[[Any, SqlScope], SqlValue]]


def _text_part(name: str) -> Part:
    return TEXT, lambda v, env: v.get(name) or None, lambda v, scope: sqlw.part(v, name)


def _base(value: SqlMoney, scope: SqlScope) -> SqlValue:
    currency = sa.case((value.base.is_not(None), sa.literal(scope.reader.currency, sa.Text())))
    return SqlMoney(value.base, currency, value.base)


PARTS: dict[str, dict[str, Part]] = {
    "money": {
        "amount": (NUMBER, lambda v, env: v.amount, lambda v, scope: v.amount),
        "currency": (TEXT, lambda v, env: v.currency, lambda v, scope: v.currency),
        "base": (MONEY, lambda v, env: money.in_base(v, env.reader), _base),
    },
    "name": {p: _text_part(p) for p in NAME_PARTS},
    "address": {p: _text_part(p) for p in ADDRESS_PARTS},
    "location": {
        p: (
            NUMBER,
            lambda v, env, p=p: Decimal(str(getattr(v, p))),  # type: ignore[misc]
            lambda v, scope, p=p: sa.cast(getattr(v, p), sa.Numeric()),  # type: ignore[misc]
        )
        for p in ("latitude", "longitude")
    },
}
"""The parts by kind: their type, how they are read in Python, and in SQL."""


def part(node: MemberNode, of: Expr) -> Expr:
    """A part of a value."""
    type_, in_python, in_sql = PARTS[of.type.kind][node.name]
    result = Convert(of, type_, in_python, in_sql, by_reader=True)
    result.end = node.end
    if type_ == MONEY:
        result.weight *= 2
    return result
