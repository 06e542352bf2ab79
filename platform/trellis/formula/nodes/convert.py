"""Changes of type that a formula does not write: a number as money, a date as a datetime, a value as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from trellis.formula import exact, moments, money, wording
from trellis.formula.env import Env
from trellis.formula.nodes.base import Closure, Expr
from trellis.formula.nodes.paths import Place
from trellis.formula.reader import Reader
from trellis.formula.sql import moments as sqlm
from trellis.formula.sql import values as sqlv
from trellis.formula.sql import wording as sqlw
from trellis.formula.sql.scope import SqlMoney, SqlScope, SqlValue
from trellis.formula.types import DATE, DATETIME, MONEY, NUMBER, TEXT, Money, Type, Value


class Convert(Expr):
    """A value as another type; blank stays blank."""

    __slots__ = ("of", "to_python", "to_sql")

    def __init__(
        self,
        of: Expr,
        type: Type,
        to_python: Callable[[Value, Env], Value],
        to_sql: Callable[[Any, SqlScope], SqlValue],
        by_reader: bool = False,
    ) -> None:
        super().__init__(of.start, of.end, type, of, constant=not by_reader)
        self.of = of
        self.to_python = to_python
        self.to_sql = to_sql

    def python(self, unknown: bool) -> Closure:
        of, change = self.of.python(unknown), self.to_python
        return lambda env: None if (v := of(env)) is None else change(v, env)

    def sql(self, scope: SqlScope) -> SqlValue:
        return self.to_sql(self.of.value(scope), scope)


class Rounded(Convert):
    """The last step of a stored or derived value: money to its minor unit, a number to `scale` places."""

    __slots__ = ()

    def __init__(self, of: Expr, scale: int | None) -> None:
        def number_python(v: Value, env: Env) -> Value:
            return v if scale is None else exact.round_half_away(v, scale)

        def number_sql(v: ColumnElement[Any], scope: SqlScope) -> SqlValue:
            return v if scale is None else sa.func.round(sqlv.numeric(v), scale, type_=sa.Numeric())

        def money_python(v: Value, env: Env) -> Value:
            return money.rounded_in(v, env.reader, scale)

        def money_sql(v: SqlMoney, scope: SqlScope) -> SqlValue:
            own = sqlv.minor_units(v.currency) if scale is None else sa.literal(scale, sa.Integer())
            base = money.minor_units(scope.reader.currency) if scale is None else scale
            return SqlMoney(
                sa.func.round(v.amount, own, type_=sa.Numeric()),
                v.currency,
                sa.func.round(v.base, base, type_=sa.Numeric()),
            )

        match of.type.kind:
            case "money":
                super().__init__(of, of.type, money_python, money_sql, by_reader=True)
            case "number":
                super().__init__(of, of.type, number_python, number_sql)
            case _:
                super().__init__(of, of.type, lambda v, env: v, lambda v, scope: v)


def as_money(of: Expr) -> Expr:
    """A number as money in the tenant's currency."""

    def to_python(v: Value, env: Env) -> Value:
        amount = exact.decimal(v)
        return Money(amount, env.reader.currency, amount)

    def to_sql(v: ColumnElement[Any], scope: SqlScope) -> SqlValue:
        amount = sqlv.numeric(v)
        return SqlMoney(amount, sa.case((amount.is_not(None), sqlv.text(scope.reader.currency))), amount)

    result = Convert(of, MONEY, to_python, to_sql, by_reader=True)
    result.weight += 2 * of.weight
    return result


def as_amount(of: Expr) -> Expr:
    """Money as the number it is in its own currency."""
    return Convert(of, NUMBER, lambda v, env: v.amount, lambda v, scope: v.amount)


def as_datetime(of: Expr) -> Expr:
    """A date as the moment it begins at in the reader's zone."""
    return Convert(
        of,
        DATETIME,
        lambda v, env: moments.at_zone(datetime(v.year, v.month, v.day), env.reader.time_zone),
        lambda v, scope: sqlm.from_local(sa.cast(v, sa.DateTime()), scope.reader),
        by_reader=True,
    )


def as_date(of: Expr) -> Expr:
    """A moment as the date it falls on in the reader's zone."""
    return Convert(
        of,
        DATE,
        lambda v, env: v.astimezone(env.reader.time_zone).date(),
        lambda v, scope: sa.cast(sqlm.to_local(v, scope.reader), sa.Date()),
        by_reader=True,
    )


class AsText(Expr):
    """A value as text, as `&` and templates put it: blank is the empty text, unless `spread`."""

    __slots__ = ("of", "spread")

    def __init__(self, of: Expr, spread: bool = False) -> None:
        constant = of.type.kind in ("text", "number", "boolean", "date", "time", "duration", "list")
        super().__init__(of.start, of.end, TEXT, of, constant=constant)
        self.of = of
        self.spread = spread
        if of.type.kind in ("record", "any"):
            self.is_outer = False

    def python(self, unknown: bool) -> Closure:
        of, kind, empty = self.of.python(False), self.of.type.kind, None if self.spread else ""
        if kind == "text":
            return lambda env: empty if (v := of(env)) is None else v
        write = wording.WORDING.get(kind, wording.plain)
        return lambda env: empty if (v := of(env)) is None else write(v, env)

    def sql(self, scope: SqlScope) -> SqlValue:
        kind = self.of.type.kind
        if kind in ("record", "any") and isinstance(self.of, Place):
            written = sqlw.titles(self.of.rows(scope), scope)
        else:
            written = sqlw.written(self.of.value(scope), self.of.type, scope)
        return written if self.spread else sa.func.coalesce(written, "", type_=sa.Text())


class Spoken(AsText):
    """A value in a text with {formulas}: as the reader writes it where the text is for people."""

    __slots__ = ()

    def python(self, unknown: bool) -> Closure:
        neutral, of, type_ = super().python(unknown), self.of.python(False), self.of.type

        def write(env: Env) -> Value:
            value = None if env.speak is None else of(env)
            said = None if value is None or env.speak is None else env.speak(value, type_, env.reader)
            return neutral(env) if said is None else said

        return write


def from_json(of: Expr, type_: Type) -> Expr:
    """A JSON value as a text, number, boolean, date or datetime; blank where it is none."""
    read = _JSON_READERS[type_.kind]
    return Convert(of, type_, lambda v, env: read(v, env.reader), lambda v, scope: sqlw.json_as(v, type_, scope))


def _json_text(value: Any, reader: Reader) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float, Decimal)):
        return exact.text_of(Decimal(str(value)))
    return value if isinstance(value, str) else None


def _json_number(value: Any, reader: Reader) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal, str)):
        return None
    try:
        result = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return result if result.is_finite() and abs(result.adjusted()) < 40 else None


def _json_date(value: Any, reader: Reader) -> date | None:
    if isinstance(value, datetime):
        return value.astimezone(reader.time_zone).date()
    return value if isinstance(value, date) else moments.read_date(value) if isinstance(value, str) else None


def _json_datetime(value: Any, reader: Reader) -> datetime | None:
    if isinstance(value, datetime):
        return value
    return moments.read_datetime(value, reader.time_zone) if isinstance(value, str) else None


_JSON_READERS: Mapping[str, Callable[[Any, Reader], Value]] = {
    "text": _json_text,
    "number": _json_number,
    "boolean": lambda value, reader: value if isinstance(value, bool) else None,
    "date": _json_date,
    "datetime": _json_datetime,
}
