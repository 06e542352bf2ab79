"""Values of a formula that are the same for every row, read when a statement runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from trellis.formula import exact, money
from trellis.formula.env import Env
from trellis.formula.sql.parameters import Get, parameter
from trellis.formula.sql.scope import SqlLink, SqlMoney, SqlScope, SqlValue
from trellis.formula.sql.values import SQL_TYPES, column_type

if TYPE_CHECKING:
    from trellis.formula.nodes.base import Expr


def late_value(node: Expr, scope: SqlScope) -> SqlValue | None:
    """The value of a node that is the same for every row, read when the statement runs; None: it cannot be."""

    def bound(type_: sa.types.TypeEngine[Any], part: Callable[[Any], Any] | None = None) -> ColumnElement[Any]:
        def get(env: Env) -> Any:
            value = node.evaluated(env)
            return value if value is None or part is None else part(value)

        # PostgreSQL must be told the type: the value may be NULL
        return sa.cast(parameter(scope, get, type_), type_)

    kind = node.type.kind
    if kind == "money":
        base = _base_of(node)
        return SqlMoney(
            bound(sa.Numeric(), lambda v: exact.decimal(v.amount)),
            bound(sa.Text(), lambda v: v.currency),
            sa.cast(parameter(scope, base, sa.Numeric()), sa.Numeric()),
        )
    if kind == "record":
        id_ = bound(sa.Uuid(), lambda v: v.id)
        return id_ if len(node.type.entities) == 1 else SqlLink(id_, bound(sa.Text(), lambda v: v.entity))
    if kind not in SQL_TYPES:
        return None
    part: Callable[[Any], Any] | None = exact.decimal if kind == "number" else list if kind == "list" else None
    return bound(column_type(node.type), part)


def _base_of(node: Expr) -> Get:
    def base(env: Env) -> Any:
        value = node.evaluated(env)
        found = None if value is None else money.base_of(value, env.reader)
        return None if found is None else exact.decimal(found)

    return base
