"""Money: an exact amount in a currency."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa
from babel.numbers import format_currency, get_currency_symbol
from sqlalchemy.types import TypeEngine

from trellis.config.phrase import phrase
from trellis.formula.types import MONEY, TEXT, Money, Type, Value
from trellis.model.fields.base import FieldType, Invalid, blank, compare_bounds
from trellis.model.fields.number import EXACT, NUMBER_OPERATORS, to_decimal
from trellis.model.fields.option import FORMULA_SCHEMA, option
from trellis.model.fields.registry import field_type
from trellis.model.known import currency_codes, minor_units, read_currency
from trellis.model.locales import babel_locale
from trellis.model.numbers import json_number, plain, round_half_up

if TYPE_CHECKING:
    from trellis.formula.formula import Formula
    from trellis.formula.reader import Reader
    from trellis.model.field import Field
else:
    Formula = Any

# "€ 1.200,50", "-¥1,200", "12.50 EUR": a sign, a currency and a number in either order.
_BEFORE = re.compile(r"(?P<sign>[+−-]?)\s*(?P<currency>[^\d\s.,+()−-][^\d+()−-]*?)\s*(?P<number>[+(−-]?[\d.].*)")
_AFTER = re.compile(r"(?P<number>.*?[\d.)])\s*(?P<currency>[^\d\s.,()][^\d()]*)")


def _no_currency(code: str) -> Invalid:
    return Invalid("invalid", "“{value}” is not a currency. Write its three letters, like EUR.", value=code[:20])


@field_type("money")
@dataclass(frozen=True, kw_only=True)
class MoneyField(FieldType):
    """An exact amount in an ISO 4217 currency, rounded to the currency's minor unit half away from zero."""

    doc: ClassVar[str] = "An exact amount in an ISO 4217 currency, rounded to the currency's minor unit."
    widget: ClassVar[str] = "money"
    cell: ClassVar[str] = "money"
    operators: ClassVar[tuple[str, ...]] = NUMBER_OPERATORS
    is_numeric: ClassVar[bool] = True

    min: Decimal | Formula | None = option(None, "the smallest amount, in its own currency", FORMULA_SCHEMA)
    max: Decimal | Formula | None = option(None, "the largest amount, in its own currency", FORMULA_SCHEMA)
    scale: int | None = option(
        None,
        "how many decimals are kept instead of the currency's own",
        {"type": "integer", "minimum": 0, "maximum": 20},
    )
    currency: str | Formula | None = option(
        None,
        "the only currency, or a formula such as =order.currency; without it, any, and the tenant's by default",
        {"type": "string", "format": "formula"},
        kind=TEXT,
    )

    def __post_init__(self) -> None:
        if isinstance(self.currency, str) and self.currency not in currency_codes():
            raise ValueError(
                phrase("currency: {currency} is no ISO 4217 code, such as EUR", currency=repr(self.currency))
            )

    @property
    def only_currency(self) -> str | None:
        """The currency of every amount, where it is the same for all records."""
        return self.currency if isinstance(self.currency, str) else None

    def formula_type(self) -> Type:
        return MONEY

    def columns(self) -> Mapping[str, TypeEngine[Any]]:
        return {"": sa.Numeric(), "_currency": sa.Text(), "_base": sa.Numeric()}

    def to_columns(self, value: Value) -> dict[str, Any]:
        if value is None:
            return {"": None, "_currency": None, "_base": None}
        return {"": value.amount, "_currency": value.currency, "_base": value.base}

    def from_columns(self, columns: Mapping[str, Any]) -> Value:
        if columns[""] is None:
            return None
        return Money(columns[""], columns["_currency"], columns.get("_base"))

    def places(self, currency: str) -> int:
        """How many decimals an amount in the currency has."""
        return minor_units(currency) if self.scale is None else self.scale

    def settle(self, money: Money) -> Money:
        """The money rounded as the field keeps it, half away from zero."""
        return Money(round_half_up(money.amount, self.places(money.currency)), money.currency, money.base)

    def _money(self, number: Any, currency: str | None, reader: Reader, *, neutral: bool) -> Money:
        code = currency or self.only_currency or reader.currency
        return self.settle(Money(to_decimal(number, reader, neutral=neutral), code))

    def parse(self, raw: Any, reader: Reader) -> Value:
        return self._read(raw, reader, neutral=False)

    def read_text(self, text: str, reader: Reader) -> Value:
        return self._read(text, reader, neutral=True)

    def _read(self, raw: Any, reader: Reader, *, neutral: bool) -> Value:
        if blank(raw):
            return None
        if isinstance(raw, Money):
            return self.settle(raw)
        if isinstance(raw, Mapping):
            return self._read_parts(raw, reader)
        if isinstance(raw, str):
            number, currency = self._split(raw.strip(), reader)
            return self._money(number, currency, reader, neutral=neutral)
        return self._money(raw, None, reader, neutral=neutral)

    def _read_parts(self, raw: Mapping[str, Any], reader: Reader) -> Value:
        amount = raw.get("amount")
        if blank(amount):
            return None
        currency = str(raw.get("currency") or "").strip().upper() or None
        money = self._money(amount, currency, reader, neutral=False)
        base = raw.get("base")
        return money if base is None else Money(money.amount, money.currency, to_decimal(base, reader, neutral=True))

    def _split(self, text: str, reader: Reader) -> tuple[str, str | None]:
        for shape in (_BEFORE, _AFTER):
            if not (match := shape.fullmatch(text)):
                continue
            currency = read_currency(match["currency"], reader.language, self.only_currency or reader.currency)
            if currency is None:
                raise _no_currency(match["currency"])
            sign = match.groupdict().get("sign") or ""
            return sign.replace("+", "") + match["number"], currency
        return text, None

    def check(self, value: Value) -> Iterator[Invalid]:
        if value.currency not in currency_codes():
            yield _no_currency(value.currency)
        elif self.only_currency and value.currency != self.only_currency:
            yield Invalid("invalid", "Must be in {currency}.", currency=self.only_currency)
        low, high = (_amount_of(bound, value.currency) for bound in (self.min, self.max))
        yield from compare_bounds(value.amount, low, high, lambda bound: plain(Decimal(bound)))

    def same(self, one: Value, other: Value) -> bool:
        if one is None or other is None:
            return one is other
        return bool((one.amount, one.currency) == (other.amount, other.currency))

    def to_json(self, value: Value) -> Any:
        if value is None:
            return None
        parts: dict[str, Any] = {"amount": json_number(value.amount), "currency": value.currency}
        return parts if value.base is None else {**parts, "base": json_number(value.base)}

    def json_schema(self) -> dict[str, Any]:
        parts = {"amount": EXACT, "currency": {"type": "string", "pattern": "^[A-Z]{3}$"}, "base": EXACT}
        return {"type": "object", "properties": parts, "required": ["amount", "currency"]}

    def json_input(self) -> dict[str, Any]:
        parts = {"amount": EXACT, "currency": {"type": "string", "pattern": "^[A-Z]{3}$"}}
        given = {"type": "object", "properties": parts, "required": ["amount"]}
        return {"oneOf": [given, {"type": "number"}, {"type": "string"}]}

    def _exact(self, value: Money) -> str:
        return format(round_half_up(value.amount, self.places(value.currency)), "f")

    def write_text(self, value: Value, reader: Reader) -> str:
        return "" if value is None else f"{self._exact(value)} {value.currency}"

    def display(self, value: Value, reader: Reader) -> str:
        if value is None:
            return ""
        locale = babel_locale(reader.language)
        pattern = locale.currency_formats["standard"].pattern.split(";")[0]
        places = self.places(value.currency)
        pattern = pattern.replace("0.00", "0." + "0" * places if places else "0")
        if get_currency_symbol(value.currency, locale)[-1].isalpha():
            pattern = pattern.replace("¤#", "¤\xa0#")  # letters stand apart from digits
        return str(format_currency(value.amount, value.currency, format=pattern, locale=locale, currency_digits=False))

    def search_text(self, value: Value) -> str:
        return "" if value is None else plain(value.amount)


def money_places(field: Field, currency: str) -> int | None:
    """To how many decimals the base of an entered amount is shown and counted; None for what is no such field."""
    if not isinstance(field.type, MoneyField) or field.formula is not None or field.rollup is not None:
        return None
    return field.type.places(currency)


def _amount_of(bound: Any, currency: str) -> Any:
    """A bound as a number; one that a formula gave is money, and says nothing of amounts of another currency."""
    if not isinstance(bound, Money):
        return bound
    return bound.amount if bound.currency == currency else None
