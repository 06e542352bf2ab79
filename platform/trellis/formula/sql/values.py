"""Values in SQL: binding Python values, and what every type needs to be handled in columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement
from sqlalchemy.dialects import postgresql as pg

from trellis.formula import exact, money
from trellis.formula.reader import Reader
from trellis.formula.sql.scope import SqlLink, SqlLocation, SqlMoney, SqlParts, SqlScope, SqlValue
from trellis.formula.types import Type, Value

SQL_TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    "text": sa.Text(),
    "number": sa.Numeric(),
    "boolean": sa.Boolean(),
    "date": sa.Date(),
    "datetime": sa.DateTime(timezone=True),
    "time": sa.Time(),
    "duration": sa.Interval(),
    "period": sa.BigInteger(),
    "list": pg.ARRAY(sa.Text()),
    "name": pg.JSONB(none_as_null=True),
    "address": pg.JSONB(none_as_null=True),
    "json": pg.JSONB(none_as_null=True),
}
"""The column type of a value of each kind that is one column."""


def column_type(type_: Type) -> sa.types.TypeEngine[Any]:
    """The column type of a value that is one column; a list is an array of what it lists."""
    if type_.kind == "list" and type_.item is not None and type_.item.kind in SQL_TYPES:
        return pg.ARRAY(SQL_TYPES[type_.item.kind])
    return SQL_TYPES[type_.kind]


def number(value: Decimal | int | None) -> ColumnElement[Any]:
    """A number as a bind parameter."""
    return _nothing(sa.Numeric()) if value is None else sa.literal(exact.decimal(value), sa.Numeric())


def text(value: str | None) -> ColumnElement[Any]:
    """A text as a bind parameter."""
    return _nothing(sa.Text()) if value is None else sa.literal(value, sa.Text())


def _nothing(type_: sa.types.TypeEngine[Any]) -> ColumnElement[Any]:
    # PostgreSQL must be told the type of a NULL
    return sa.cast(sa.null(), type_)


def numeric(value: ColumnElement[Any]) -> ColumnElement[Any]:
    """A number to calculate with: whole-number columns become decimals, so that nothing overflows or truncates."""
    return sa.cast(value, sa.Numeric()) if isinstance(value.type, sa.Integer) else value


def to_sql(value: Value, type_: Type, reader: Reader) -> SqlValue:
    """A Python value as bind parameters."""
    if value is None and type_.kind in SQL_TYPES:
        return _nothing(column_type(type_))
    match type_.kind:
        case "number":
            return number(value)
        case "money":
            if value is None:
                return SqlMoney(number(None), text(None), number(None))
            return SqlMoney(number(value.amount), text(value.currency), number(money.base_of(value, reader)))
        case "record":
            id_ = _nothing(sa.Uuid()) if value is None else sa.literal(value.id, sa.Uuid())
            if len(type_.entities) == 1:
                return id_
            return SqlLink(id_, text(None if value is None else value.entity))
        case "location":
            if value is None:
                return SqlLocation(_nothing(sa.Double()), _nothing(sa.Double()))
            return SqlLocation(sa.literal(value.latitude, sa.Double()), sa.literal(value.longitude, sa.Double()))
        case "list":
            return sa.literal(list(value), column_type(type_))
        case "blank":
            return sa.null()
    return sa.literal(value, SQL_TYPES.get(type_.kind, sa.Text()))


def parts(value: SqlValue) -> tuple[ColumnElement[Any], ...]:
    """The columns of a value; the first is NULL when the value is blank."""
    match value:
        case SqlMoney():
            return (value.amount, value.currency, value.base)
        case SqlLink():
            return (value.id, value.entity)
        case SqlLocation():
            return (value.latitude, value.longitude)
        case SqlParts():
            return tuple(value.parts.values())
    return (value,)


def rebuilt(like: SqlValue, columns: Sequence[ColumnElement[Any]]) -> SqlValue:
    """A value of the same shape from other columns."""
    match like:
        case SqlMoney():
            amount, currency, base_ = columns
            return SqlMoney(amount, currency, base_)
        case SqlLink():
            return SqlLink(*columns)
        case SqlLocation():
            return SqlLocation(*columns)
        case SqlParts():
            return SqlParts(dict(zip(like.parts, columns, strict=True)))
    return columns[0]


def combined(values: Sequence[SqlValue], how: Callable[..., ColumnElement[Any]]) -> SqlValue:
    """Values of one shape, combined column by column."""
    rows = [parts(v) for v in values]
    return rebuilt(values[0], [how(*columns) for columns in zip(*rows, strict=True)])


def key(value: SqlValue) -> ColumnElement[Any]:
    """One column that is NULL where the value is blank."""
    if isinstance(value, SqlParts):
        return sa.func.coalesce(*value.parts.values())
    return parts(value)[0]


def is_blank(value: SqlValue, type_: Type) -> ColumnElement[bool]:
    """Is the value blank? A text without characters and a list without items are."""
    first = key(value)
    if type_.kind == "text" and not isinstance(first, sa.Column):
        return sa.func.coalesce(first, "") == ""
    if type_.kind == "list":
        return sa.func.coalesce(sa.func.cardinality(first), 0) == 0
    return first.is_(None)


def choose(condition: ColumnElement[bool], then: SqlValue, otherwise: SqlValue) -> SqlValue:
    """CASE WHEN condition THEN … ELSE … END, column by column."""
    return combined([then, otherwise], lambda a, b: sa.case((condition, a), else_=b))


def nothing(like: SqlValue) -> SqlValue:
    """Blank, in the shape of another value."""
    return rebuilt(like, [sa.null() for _ in parts(like)])


def first_given(values: Sequence[SqlValue], type_: Type) -> SqlValue:
    """The first value that is not blank."""
    if len(values) == 1:
        return values[0]
    if all(isinstance(v, ColumnElement) for v in values):
        if type_.kind == "text":
            return sa.func.coalesce(*(sa.func.nullif(v, "") for v in values), type_=sa.Text())
        if type_.kind != "list":
            columns: Any = values
            return sa.func.coalesce(*columns)
    whens = [(sa.not_(is_blank(v, type_)), v) for v in values[:-1]]
    return combined(
        [v for _, v in whens] + [values[-1]],
        lambda *columns: sa.case(*((w, c) for (w, _), c in zip(whens, columns, strict=False)), else_=columns[-1]),
    )


def rate(currency: ColumnElement[Any], scope: SqlScope) -> ColumnElement[Any]:
    """How many units of the tenant's currency one unit is worth at the row's date; NULL when nobody said."""
    if (dated := getattr(scope.catalog, "rate", None)) is not None:
        found: ColumnElement[Any] = dated(scope, currency)
        return found
    reader = scope.reader
    whens = {text(c): number(r) for c, r in reader.rates.items() if c != reader.currency}
    return sa.case({text(reader.currency): number(1), **whens}, value=currency, else_=number(None))


def counted(value: SqlMoney) -> ColumnElement[Any]:
    """The base amount as it stands in the record's page: what sums add, so that they equal what they are of."""
    if value.places is None:
        return value.base
    return sa.func.round(value.base, sa.literal_column(str(value.places), sa.Integer()), type_=sa.Numeric())


def base(value: SqlMoney, reader: Reader) -> ColumnElement[Any]:
    """The amount in the tenant's currency; columns always have it, a computed money too."""
    return value.base


def money_in(amount: ColumnElement[Any], currency: ColumnElement[Any], scope: SqlScope) -> SqlMoney:
    """A number as money of a currency."""
    exact_amount = numeric(amount)
    held = sa.case((exact_amount.is_not(None), currency), else_=sa.null())
    return SqlMoney(exact_amount, held, exact_amount * rate(currency, scope))


def minor_units(currency: ColumnElement[Any]) -> ColumnElement[Any]:
    """How many decimals the currency has; of one that is known, that number."""
    if isinstance(currency, sa.BindParameter) and currency.callable is None and isinstance(currency.value, str):
        return sa.literal(money.minor_units(currency.value), sa.Integer())
    whens = [(currency.in_(list(c)), sa.literal(n, sa.Integer())) for n, c in money.MINOR_UNITS.items()]
    return sa.case(*whens, else_=sa.literal(2, sa.Integer()))
