"""Cells for numbers. Babel knows how a number is written; here it is asked once a column, not once a row."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency, format_decimal, get_currency_precision
from flask_babel import gettext as _
from markupsafe import escape

from trellis.formula.types import Money, Value
from trellis.model.fields.number import CENTS
from trellis.model.text import Text
from trellis.web.cells.markup import icon
from trellis.web.cells.registry import CellContext, Render, cell

if TYPE_CHECKING:
    from trellis.model.field import Field

SAMPLE = Decimal("1234567.891234")


@lru_cache(maxsize=64)
def locale_of(language: str) -> Locale:
    """Babel's locale for a BCP 47 tag; English when it has none."""
    try:
        return Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale("en")


@lru_cache(maxsize=256)
def writer(locale: Locale, scale: int, currency: str | None) -> Callable[[Decimal], str]:
    """Writes numbers as Babel does, learnt from one sample; asks Babel each time where the sample does not tell."""

    def ask(value: Decimal) -> str:
        if currency is not None:
            return format_currency(
                value, currency, locale=locale, currency_digits=False, format=_pattern(locale, scale)
            )
        return format_decimal(value, format=_plain(scale), locale=locale)

    symbols = locale.number_symbols["latn"]
    table = str.maketrans({",": symbols["group"], ".": symbols["decimal"]})
    written = f"{SAMPLE:,.{scale}f}".translate(table)
    before, found, after = ask(SAMPLE).partition(written)
    below, found_below, beyond = ask(-SAMPLE).partition(written)
    if not found or not found_below:  # grouped otherwise, or other digits
        return ask

    before, below = _apart(before), _apart(below)

    def write(value: Decimal) -> str:
        text = f"{abs(value):,.{scale}f}".translate(table)
        return f"{below}{text}{beyond}" if value < 0 else f"{before}{text}{after}"

    return write


def _apart(sign: str) -> str:
    """A currency written in letters does not touch the digits (CLDR's currency spacing, which Babel leaves out)."""
    return f"{sign}\xa0" if sign[-1:].isalpha() else sign


def _plain(scale: int) -> str:
    return "#,##0." + "0" * scale if scale else "#,##0"


@lru_cache(maxsize=256)
def _pattern(locale: Locale, scale: int) -> str:
    pattern = str(locale.currency_formats["standard"].pattern)
    return pattern.replace("0.00", "0." + "0" * scale if scale else "0")


def money_text(value: Money, language: str, scale: int | None = None) -> str:
    """An amount with its currency, as the reader's language writes it."""
    digits = get_currency_precision(value.currency) if scale is None else scale
    return writer(locale_of(language), digits, value.currency)(Decimal(value.amount))


@cell("money")
def money(field: Field, context: CellContext) -> Render:
    """An amount with its currency; the tenant's own currency in the tooltip when it is another."""
    language, base = context.reader.language, context.reader.currency
    scale = getattr(field.type, "scale", None)

    def render(value: Value) -> str:
        if not isinstance(value, Money):
            return str(escape(str(value)))
        shown = money_text(value, language, scale)
        if value.base is not None and value.currency != base:
            return f'<span title="{escape(money_text(Money(value.base, base), language))}">{escape(shown)}</span>'
        if value.base is None and value.currency != base:
            said = _("There is no exchange rate for its day: it does not count in totals.")
            return f'<span class="t-no-rate" title="{escape(said)}">{escape(shown)}</span>'
        return str(escape(shown))

    return render


def number_text(value: Value, language: str, scale: int | None = None, *, most: int = 6) -> str:
    """A number as the reader's language writes it, with the decimals it has, at `most` so many, unless `scale` says."""
    number = value if isinstance(value, Decimal) else Decimal(str(value))
    if scale is None or scale > CENTS:  # so many may be kept; 3.000 pieces are 3
        most = scale or most
        exponent = round(number, most).normalize().as_tuple().exponent
        scale = max(0, -exponent) if isinstance(exponent, int) else 0
    return writer(locale_of(language), min(scale, 12), None)(number)


@lru_cache(maxsize=64)
def percent_pattern(language: str) -> str:
    """Where the language puts the sign: {}%, {} %, %{}."""
    pattern = str(locale_of(language).percent_formats[None].pattern).split(";")[0]
    return pattern.replace("#,##,##0", "{}").replace("#,##0", "{}")


def percent_text(value: Value, language: str, scale: int | None = None) -> str:
    """A percentage as the reader's language writes it: 20 is 20%, and two decimals say enough."""
    return percent_pattern(language).format(number_text(value, language, scale, most=2))


@cell("integer", "decimal", "number")
def number(field: Field, context: CellContext) -> Render:
    """A number, with its unit."""
    language = context.reader.language
    scale = getattr(field.type, "scale", None)
    most = 2 if field.is_derived else 6  # a quotient has no end
    unit = field.options.get("unit") or getattr(field.type, "unit", None) or ""
    unit = escape(unit.in_language(language) if isinstance(unit, Text) else str(unit))
    after = f' <span class="t-3rd">{unit}</span>' if unit else ""
    return lambda value: f"{escape(number_text(value, language, scale, most=most))}{after}"


@cell("percent")
def percent(field: Field, context: CellContext) -> Render:
    """A percentage: 20 means 20 %."""
    language, scale = context.reader.language, getattr(field.type, "scale", None)
    return lambda value: str(escape(percent_text(value, language, scale)))


@cell("rating")
def rating(field: Field, context: CellContext) -> Render:
    """Stars, as many as the field has."""
    top = int(getattr(field.type, "max", None) or 5)
    on, off = icon("star-filled", "icon-sm is-on"), icon("star", "icon-sm")

    def render(value: Value) -> str:
        count = max(0, min(int(value), top))
        return f'<span class="t-stars" role="img" aria-label="{count}/{top}">{on * count}{off * (top - count)}</span>'

    return render


@cell("duration")
def duration(field: Field, context: CellContext) -> Render:
    """Days, hours and minutes, the two greatest of them."""

    def render(value: Value) -> str:
        if not isinstance(value, timedelta):
            return str(escape(str(value)))
        return duration_text(value)

    return render


def duration_text(value: timedelta) -> str:
    """A duration in its two greatest units."""
    minutes = int(abs(value).total_seconds() // 60)
    parts = [(_("%(num)s d"), minutes // 1440), (_("%(num)s h"), minutes // 60 % 24), (_("%(num)s min"), minutes % 60)]
    shown = [text % {"num": n} for text, n in parts if n][:2] or [parts[-1][0] % {"num": 0}]
    return ("−" if value < timedelta() else "") + " ".join(shown)
