"""Numbers as people and files write them, and rounding half away from zero."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext

from babel import Locale
from babel.numbers import NumberFormatError, format_decimal, parse_decimal

_CANONICAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?")
# Full-width forms, as Chinese and Japanese keyboards give them, stand this far from ASCII.
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0xFFE5: 0xA5, 0x3000: 0x20}
_SPACES = re.compile(r"[\s\u00a0\u202f\u2009']+")
MAX_DIGITS = 100
LARGEST = Decimal(10) ** 24  # what a field takes: exact in every place that computes with it


def read_canonical(text: str) -> Decimal | None:
    """A number as programs write it (`-1234.5`), or None."""
    if not _CANONICAL.fullmatch(text):
        return None
    number = Decimal(text)
    return number if abs(number.adjusted()) < MAX_DIGITS and len(number.as_tuple().digits) <= MAX_DIGITS else None


def read_number(text: str, locale: Locale) -> Decimal | None:
    """A number as a reader of the locale writes it (`1.234,5` for de), else as programs write it, or None.

    Full-width digits, blanks as thousands separators and accountants' brackets for negative numbers are understood.
    """
    text = text.translate(_FULL_WIDTH).replace("−", "-").strip()
    if text.startswith("(") and text.endswith(")"):
        text = "-" + text[1:-1]
    text = _SPACES.sub("", text)
    if not text or len(text) > MAX_DIGITS:
        return None
    if re.fullmatch(r"[+-]?[\d.,]+", text):
        sign, digits = ("", text) if text[0] not in "+-" else (text[0].replace("+", ""), text[1:])
        try:
            return Decimal(sign + str(parse_decimal(digits, locale=_plain(locale), strict=True)))
        except (NumberFormatError, InvalidOperation):
            pass
    return read_canonical(text)


def _plain(locale: Locale) -> Locale:
    """The locale, or English where the locale's separators are not a dot or a comma (spaces are gone by now)."""
    symbols = locale.number_symbols.get("latn", {})
    if symbols.get("decimal") == "," and symbols.get("group") not in (".", ","):
        return Locale("de")
    return locale if symbols.get("decimal") in (",", ".") else Locale("en")


def round_half_up(number: Decimal, places: int) -> Decimal:
    """The number with so many decimal places, rounded half away from zero."""
    with localcontext() as context:
        context.prec = 2 * MAX_DIGITS
        return number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def plain(number: Decimal) -> str:
    """A number as programs write it: exact, no exponent, no trailing zeros."""
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def json_number(number: Decimal) -> int | float | str:
    """A number for JSON: a JSON number where that is exact, else text."""
    if number == number.to_integral_value() and abs(number) < 2**53:
        return int(number)
    as_float = float(number)
    return as_float if Decimal(repr(as_float)) == number else plain(number)


def show_number(number: Decimal | int, locale: Locale, places: int | None = None) -> str:
    """A number for a person; `places` fixes how many decimals are shown."""
    if places is None:
        exponent = Decimal(plain(Decimal(number))).as_tuple().exponent
        places = max(0, -exponent) if isinstance(exponent, int) else 0
    pattern = locale.decimal_formats[None].pattern
    whole = pattern.split(";")[0].split(".")[0]
    with localcontext() as context:
        context.prec = 2 * MAX_DIGITS
        shown: str = format_decimal(number, format=whole + ("." + "0" * places if places else ""), locale=locale)
    return shown
