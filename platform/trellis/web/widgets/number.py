"""Widgets for numbers, money, ratings and durations: typed as people write them, written out on leave."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from babel.numbers import format_decimal

from trellis.formula.formula import Formula
from trellis.formula.types import Money
from trellis.model.field import Field
from trellis.model.fields.base import Invalid
from trellis.model.fields.money import MoneyField
from trellis.model.known import currency_codes
from trellis.model.locales import babel_locale
from trellis.web.widgets.base import Widget, widget
from trellis.web.widgets.bound import editable_text
from trellis.web.widgets.submitted import Submitted

if TYPE_CHECKING:
    from trellis.web.widgets.bound import BoundField


@widget("number", "integer", "decimal", "percent")
class Number(Widget):
    """A number in the reader's own writing, with its unit beside it."""

    def context(self, bound: BoundField) -> Mapping[str, Any]:
        """The unit, and the keyboard for a phone."""
        kind = bound.field.type.name
        unit = bound.field.options.get("unit") or getattr(bound.field.type, "unit", None)
        return {"mode": "numeric" if kind == "integer" else "decimal", "unit": unit, "text": self._text(bound)}

    def _text(self, bound: BoundField) -> str:
        """The number without zeros that say nothing: 2, not 2.000."""
        value = bound.value
        if bound.typed or not isinstance(value, Decimal | int) or bound.field.type.name not in ("decimal", "integer"):
            return bound.text
        shown = str(format_decimal(value, format="#,##0.############", locale=babel_locale(bound.reader.language)))
        try:
            return shown if bound.field.type.parse(shown, bound.reader) == value else bound.text
        except Invalid:
            return bound.text

    def fill(self, bound: BoundField) -> Mapping[str, Any]:
        """The number as it is edited."""
        return {"": self._text(bound)}


@widget("duration")
class Duration(Widget):
    """A length of time: "90 min", "1:30", "2 h"."""

    def context(self, bound: BoundField) -> Mapping[str, Any]:
        """What is typed is read back live."""
        return {"live": True}


@widget("money")
class MoneyAmount(Widget):
    """An amount and its currency."""

    def read(self, sent: Submitted, field: Field, name: str | None = None) -> Any:
        """Both parts; the amount alone where the currency is fixed."""
        part = sent.below(name or field.key)
        amount = part.text("amount")
        currency = part.text("currency")
        if amount is None:
            return None
        return {"amount": amount, "currency": currency} if currency else amount

    def context(self, bound: BoundField) -> Mapping[str, Any]:
        """The parts of the value, and the currencies: the tenant's first, then those in use."""
        type_, value = bound.field.type, bound.value
        fixed = type_.only_currency if isinstance(type_, MoneyField) else None
        default = fixed or bound.reader.currency
        amount, currency = "", default
        if isinstance(value, Money):
            currency = value.currency
            text = editable_text(type_, value, bound.reader)
            amount = _bare(text, value, type_, bound)
        elif isinstance(value, Mapping):
            amount, currency = str(value.get("amount") or ""), str(value.get("currency") or default)
        elif value is not None:
            amount = str(value)
        known = dict.fromkeys([default, currency, *bound.reader.rates, *COMMON])
        by_record = isinstance(getattr(type_, "currency", None), Formula)  # the document says it: nothing to choose
        return {
            "amount": amount,
            "currency": currency,
            "fixed": fixed,
            "by_record": by_record,
            "currencies": list(known),
            "others": [] if bound.compact or by_record else [c for c in sorted(currency_codes()) if c not in known],
        }

    def fill(self, bound: BoundField) -> Mapping[str, Any]:
        """Amount and currency."""
        parts = self.context(bound)
        return {"amount": parts["amount"], "currency": parts["currency"]}


COMMON = ("EUR", "USD", "GBP", "CHF", "CNY", "JPY")


def _bare(text: str, value: Money, type_: Any, bound: BoundField) -> str:
    """The amount without the currency, in the reader's writing when that can be read back."""
    try:
        places = type_.places(value.currency)
        pattern = "#,##0." + "0" * places if places else "#,##0"
        shown = str(format_decimal(value.amount, format=pattern, locale=babel_locale(bound.reader.language)))
        again = type_.parse({"amount": shown, "currency": value.currency}, bound.reader)
        return shown if again.amount == value.amount else str(value.amount)
    except ValueError:
        return str(value.amount)


@widget("rating")
class Rating(Widget):
    """Stars."""

    label_for: ClassVar[bool] = False

    def context(self, bound: BoundField) -> Mapping[str, Any]:
        """How many stars there are and how many are lit."""
        lit = bound.value
        if isinstance(lit, str):
            lit = int(lit) if lit.isdecimal() else 0
        return {"stars": range(1, int(getattr(bound.field.type, "max", None) or 5) + 1), "lit": int(Decimal(lit or 0))}
