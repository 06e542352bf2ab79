"""Numbers: whole, decimal, percent, rating."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from trellis.formula.types import NUMBER, Type, Value
from trellis.model.fields.base import FieldType, Invalid, blank, compare_bounds, wrong_kind
from trellis.model.fields.option import FORMULA_SCHEMA, option
from trellis.model.fields.registry import field_type
from trellis.model.locales import babel_locale
from trellis.model.numbers import (
    LARGEST,
    MAX_DIGITS,
    json_number,
    plain,
    read_canonical,
    read_number,
    round_half_up,
    show_number,
)

if TYPE_CHECKING:
    from trellis.formula.formula import Formula
    from trellis.formula.reader import Reader
else:
    Formula = Any

# a number where binary floats hold it exactly, else its digits as text
EXACT = {"type": ["number", "string"], "format": "decimal"}
NUMBER_OPERATORS = ("==", "!=", "<", "<=", ">", ">=", "between", "is_blank", "is_not_blank")
LARGEST_INTEGER = 2**63 - 1


def to_decimal(raw: Any, reader: Reader, *, neutral: bool = False) -> Decimal:
    """A number as given: JSON numbers as they are, text by the reader's language (`neutral`: programs' first)."""
    number = _text_to_decimal(raw, reader, neutral) if isinstance(raw, str) else _to_decimal(raw)
    if number is None or not number.is_finite():
        raise Invalid("invalid", "“{value}” is not a number.", value=str(raw)[:40])
    if abs(number) >= LARGEST or len(number.as_tuple().digits) > MAX_DIGITS:
        raise Invalid("range", "The number is too large.")
    return number


def _to_decimal(raw: Any) -> Decimal | None:
    if isinstance(raw, (int, Decimal)) and not isinstance(raw, bool):
        return Decimal(raw)
    return Decimal(repr(raw)) if isinstance(raw, float) else None


def _text_to_decimal(text: str, reader: Reader, neutral: bool) -> Decimal | None:
    number = read_canonical(text.strip()) if neutral else None
    return read_number(text, babel_locale(reader.language)) if number is None else number


@dataclass(frozen=True, kw_only=True)
class NumberLike(FieldType):
    """What all numbers share: bounds, a step, reading and writing."""

    widget: ClassVar[str] = "number"
    cell: ClassVar[str] = "number"
    operators: ClassVar[tuple[str, ...]] = NUMBER_OPERATORS
    is_numeric: ClassVar[bool] = True

    min: Decimal | Formula | None = option(None, "the smallest value", FORMULA_SCHEMA)
    max: Decimal | Formula | None = option(None, "the largest value", FORMULA_SCHEMA)
    step: Decimal | None = option(None, "what the editor's arrows add; values must be multiples of it")

    def formula_type(self) -> Type:
        return NUMBER

    def columns(self) -> Mapping[str, TypeEngine[Any]]:
        return {"": sa.Numeric()}

    def json_schema(self) -> dict[str, Any]:
        return dict(EXACT)

    def json_input(self) -> dict[str, Any]:
        return {**self.json_schema(), **self._bounds()}

    def _bounds(self) -> dict[str, Any]:
        """The bounds that are numbers; those that are formulas are the door's."""
        bounds = {"minimum": self.min, "maximum": self.max}
        return {key: json_number(Decimal(n)) for key, n in bounds.items() if isinstance(n, (int, Decimal))}

    def settle(self, number: Decimal) -> Value:
        """A number as the field keeps it."""
        return number

    def parse(self, raw: Any, reader: Reader) -> Value:
        return None if blank(raw) else self.settle(to_decimal(raw, reader))

    def read_text(self, text: str, reader: Reader) -> Value:
        return None if blank(text) else self.settle(to_decimal(text, reader, neutral=True))

    def check(self, value: Value) -> Iterator[Invalid]:
        yield from compare_bounds(value, self.min, self.max, lambda bound: plain(Decimal(bound)))
        if self.step and Decimal(value) % self.step:
            yield Invalid("range", "Must be a multiple of {step}.", step=plain(self.step))

    def to_json(self, value: Value) -> Any:
        return None if value is None else json_number(Decimal(value))

    def write_text(self, value: Value, reader: Reader) -> str:
        return "" if value is None else plain(Decimal(value))

    def display(self, value: Value, reader: Reader) -> str:
        return "" if value is None else show_number(value, babel_locale(reader.language))

    def search_text(self, value: Value) -> str:
        return "" if value is None else plain(Decimal(value))


@field_type("integer")
@dataclass(frozen=True, kw_only=True)
class Integer(NumberLike):
    """A whole number."""

    doc: ClassVar[str] = "A whole number."
    can_group: ClassVar[bool] = True

    unit: str = option("", "what is counted, shown behind the number")

    def json_schema(self) -> dict[str, Any]:
        return {"type": ["integer", "string"]}  # text where binary floats would lose digits

    def columns(self) -> Mapping[str, TypeEngine[Any]]:
        return {"": sa.BigInteger()}

    def settle(self, number: Decimal) -> Value:
        if number != number.to_integral_value():
            raise wrong_kind("a whole number")
        if abs(number) > LARGEST_INTEGER:
            raise Invalid("range", "The number is too large.")
        return int(number)

    def display(self, value: Value, reader: Reader) -> str:
        shown = super().display(value, reader)
        return f"{shown} {self.unit}" if shown and self.unit else shown


CENTS = 2  # decimals that are always written where the field has so many


@field_type("decimal")
@dataclass(frozen=True, kw_only=True)
class DecimalField(NumberLike):
    """An exact number; `scale` rounds it half away from zero."""

    doc: ClassVar[str] = "An exact number with decimals; `scale` rounds it half away from zero."

    scale: int | None = option(
        None,
        "how many decimals are kept; without it, all that are typed",
        {"type": "integer", "minimum": 0, "maximum": 20},
    )
    unit: str = option("", "the unit, shown behind the number")

    def settle(self, number: Decimal) -> Value:
        return number if self.scale is None else round_half_up(number, self.scale)

    def display(self, value: Value, reader: Reader) -> str:
        places = self.scale if self.scale is None or self.scale <= CENTS else None  # 3.000 pieces are 3
        shown = "" if value is None else show_number(value, babel_locale(reader.language), places)
        return f"{shown} {self.unit}" if shown and self.unit else shown


@field_type("percent")
@dataclass(frozen=True, kw_only=True)
class Percent(NumberLike):
    """A percentage: 20 means 20 %."""

    doc: ClassVar[str] = "A percentage: 20 means 20 %."
    widget: ClassVar[str] = "percent"
    cell: ClassVar[str] = "percent"

    scale: int | None = option(None, "how many decimals are kept", {"type": "integer", "minimum": 0, "maximum": 20})

    def settle(self, number: Decimal) -> Value:
        return number if self.scale is None else round_half_up(number, self.scale)

    @staticmethod
    def _bare(raw: Any) -> Any:
        return raw.replace("％", "%").strip().strip("%").strip() if isinstance(raw, str) else raw

    def parse(self, raw: Any, reader: Reader) -> Value:
        return super().parse(self._bare(raw), reader)

    def read_text(self, text: str, reader: Reader) -> Value:
        return super().read_text(self._bare(text), reader)

    def display(self, value: Value, reader: Reader) -> str:
        if value is None:
            return ""
        locale = babel_locale(reader.language)
        settled = round_half_up(Decimal(value), 2) if self.scale is None else value  # a quotient has no end
        shown = show_number(settled, locale, self.scale)
        return (
            str(locale.percent_formats[None].pattern).replace("#,##,##0", "#,##0").replace("#,##0", shown).split(";")[0]
        )


@field_type("rating")
@dataclass(frozen=True, kw_only=True)
class Rating(NumberLike):
    """Stars, from 1 to `max`."""

    doc: ClassVar[str] = "Stars, from 1 to `max`."
    widget: ClassVar[str] = "rating"
    cell: ClassVar[str] = "rating"
    can_group: ClassVar[bool] = True

    max: int = option(  # type: ignore[assignment]  # stars are counted
        5, "how many stars there are", {"type": "integer", "minimum": 1, "maximum": 20}
    )

    def json_schema(self) -> dict[str, Any]:
        return {"type": "integer"}

    def _bounds(self) -> dict[str, Any]:
        return {"minimum": 0, "maximum": self.max}

    def columns(self) -> Mapping[str, TypeEngine[Any]]:
        return {"": sa.SmallInteger()}

    def settle(self, number: Decimal) -> Value:
        if number != int(number) or abs(number) > 1000:
            raise wrong_kind("a whole number")
        return int(number)

    def check(self, value: Value) -> Iterator[Invalid]:
        yield from compare_bounds(value, 0, self.max)
