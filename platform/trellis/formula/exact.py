"""Exact numbers: the arithmetic in which Python's Decimal and PostgreSQL's numeric agree to the last digit."""

from __future__ import annotations

from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
)
from decimal import Overflow as DecimalOverflow

PLACES = 20
"""Decimal places that a division keeps."""

EXACT = Context(
    prec=50_000,
    rounding=ROUND_HALF_UP,
    Emax=999_999,
    Emin=-999_999,
    traps=[InvalidOperation, DivisionByZero, DecimalOverflow],
)
_QUANTUM = Decimal(1).scaleb(-PLACES)
_ONE = Decimal(1)
Number = int | Decimal


def decimal(value: Number) -> Decimal:
    """A number as a Decimal."""
    return value if isinstance(value, Decimal) else Decimal(value)


def add(a: Number, b: Number) -> Decimal:
    """a + b."""
    return EXACT.add(a, b)


def subtract(a: Number, b: Number) -> Decimal:
    """a - b."""
    return EXACT.subtract(a, b)


def multiply(a: Number, b: Number) -> Decimal:
    """a * b; never a negative zero."""
    return EXACT.add(EXACT.multiply(a, b), 0)


def negative(a: Number) -> Decimal:
    """-a; never a negative zero."""
    return EXACT.subtract(0, a)


def tidy(a: Decimal) -> Decimal:
    """The number without zeros at the end of its decimals."""
    a = a.normalize(EXACT)
    exponent = a.as_tuple().exponent
    return a.quantize(_ONE, context=EXACT) if isinstance(exponent, int) and exponent > 0 else a


def divide(a: Number, b: Number) -> Decimal | None:
    """a / b to 20 places, rounded half away from zero; by zero: blank."""
    if not b:
        return None
    x, y = decimal(a), decimal(b)
    digits = max(x.adjusted() - y.adjusted(), 0) + 3 * PLACES
    quotient = Context(prec=digits, rounding=ROUND_HALF_UP, Emax=999_999, Emin=-999_999).divide(x, y)
    return tidy(EXACT.add(quotient.quantize(_QUANTUM, context=EXACT), 0))


def modulo(a: Number, b: Number) -> Decimal | None:
    """The remainder with the sign of b, as in a spreadsheet; by zero: blank."""
    if not b:
        return None
    rest = EXACT.remainder(decimal(a), decimal(b))
    return EXACT.add(rest, b) if rest and (rest < 0) != (b < 0) else EXACT.add(rest, 0)


def _places(places: Number) -> int:
    return max(-PLACES, min(PLACES, int(places)))


def _to_places(a: Number, places: Number, rounding: str) -> Decimal:
    n = _places(places)
    result = EXACT.quantize(decimal(a), Decimal(1).scaleb(-n)) if rounding == ROUND_HALF_UP else None
    if result is None:
        result = decimal(a).quantize(Decimal(1).scaleb(-n), rounding=rounding, context=EXACT)
    if n < 0:
        result = result.quantize(_ONE, context=EXACT)
    return EXACT.add(result, 0)


def round_half_away(a: Number, places: Number = 0) -> Decimal:
    """Rounded half away from zero; negative places round before the point."""
    return _to_places(a, places, ROUND_HALF_UP)


def floor(a: Number) -> Decimal:
    """The next whole number below."""
    return _to_places(a, 0, ROUND_FLOOR)


def ceil(a: Number) -> Decimal:
    """The next whole number above."""
    return _to_places(a, 0, ROUND_CEILING)


def whole(a: Number) -> int:
    """The number without its decimals."""
    return int(decimal(a).quantize(_ONE, rounding=ROUND_DOWN, context=EXACT))


def power(a: Number, b: Number) -> Decimal | None:
    """a to the b, to 12 places; blank beyond |a| ≤ 10^9, |b| ≤ 60, and where there is no real result."""
    x, y = decimal(a), decimal(b)
    if abs(x) > 10**9 or abs(y) > 60 or (x < 0 and y != y.to_integral_value()) or (not x and y < 0):
        return None
    if not y:
        return _ONE
    if not x:
        return Decimal(0)
    result = Context(prec=700, rounding=ROUND_HALF_UP, Emax=999_999, Emin=-999_999).power(round_half_away(x, 12), y)
    return tidy(EXACT.add(result.quantize(Decimal("1e-12"), context=EXACT), 0))


def text_of(a: Number) -> str:
    """The number as text: no exponent, no zeros at the end of its decimals."""
    return str(a) if isinstance(a, int) else format(tidy(EXACT.add(a, 0)), "f")
