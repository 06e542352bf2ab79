"""Money in Python: amounts in their currency, sums in the tenant's, rounding by ISO 4217's minor units."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

from trellis.formula import exact
from trellis.formula.exact import Number
from trellis.formula.reader import Reader
from trellis.formula.types import Money

if TYPE_CHECKING:
    from trellis.formula.env import Env

MINOR_UNITS: dict[int, tuple[str, ...]] = {
    0: tuple("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split()),
    3: tuple("BHD IQD JOD KWD LYD OMR TND".split()),
    4: tuple("CLF UYW".split()),
}
"""Decimal places by ISO 4217, where they are not 2."""
_PLACES = {currency: places for places, currencies in MINOR_UNITS.items() for currency in currencies}


def minor_units(currency: str) -> int:
    """How many decimals the currency has."""
    return _PLACES.get(currency, 2)


def rate_of(currency: str, reader: Reader) -> Decimal | None:
    """How many units of the tenant's currency one unit is worth; blank when nobody said."""
    return Decimal(1) if currency == reader.currency else reader.rates.get(currency)


def rate_at(currency: str, env: Env) -> Decimal | None:
    """How many units of the tenant's currency one unit is worth at the date of the record in hand."""
    if currency == env.reader.currency:
        return Decimal(1)
    at = getattr(env.reader.rates, "at", None)
    if at is None:
        return env.reader.rates.get(currency)
    found: Decimal | None = at(currency, env.record)
    return found


def base_of(money: Money, reader: Reader) -> Decimal | None:
    """The amount in the tenant's currency: at the record's rate, else at the present one."""
    if money.base is not None:
        return money.base
    rate = rate_of(money.currency, reader)
    return None if rate is None else exact.multiply(money.amount, rate)


def in_currency(amount: Number, currency: str, env: Env) -> Money:
    """A number as money of a currency."""
    rate = rate_at(currency, env)
    return Money(exact.decimal(amount), currency, None if rate is None else exact.multiply(amount, rate))


def in_base(money: Money, reader: Reader) -> Money | None:
    """The money in the tenant's currency."""
    base = base_of(money, reader)
    return None if base is None else Money(base, reader.currency, base)


def added(a: Money, b: Money, op: Callable[[Number, Number], Decimal], reader: Reader) -> Money | None:
    """a + b or a - b: in their currency when it is one, else in the tenant's."""
    x, y = base_of(a, reader), base_of(b, reader)
    base = None if x is None or y is None else op(x, y)
    if a.currency == b.currency:
        return Money(op(a.amount, b.amount), a.currency, base)
    return None if base is None else Money(base, reader.currency, base)


def mapped(money: Money, op: Callable[[Number], Decimal | None], reader: Reader) -> Money | None:
    """The money with its amount and base changed alike."""
    amount = op(money.amount)
    if amount is None:
        return None
    base = base_of(money, reader)
    return Money(amount, money.currency, None if base is None else op(base))


def ratio(a: Money, b: Money, reader: Reader) -> Decimal | None:
    """a / b, a number."""
    pair = comparable(a, b, reader)
    return None if pair is None else exact.divide(*pair)


def comparable(a: Money, b: Money, reader: Reader) -> tuple[Decimal, Decimal] | None:
    """Two numbers that compare as the moneys do: amounts in one currency, else in the tenant's."""
    if a.currency == b.currency:
        return a.amount, b.amount
    x, y = base_of(a, reader), base_of(b, reader)
    return None if x is None or y is None else (x, y)


def rounded_in(money: Money, reader: Reader, scale: int | None = None) -> Money:
    """Rounded half away from zero, the amount and the base each to its currency's minor unit, or to `scale` places."""
    base = base_of(money, reader)
    return Money(
        exact.round_half_away(money.amount, minor_units(money.currency) if scale is None else scale),
        money.currency,
        None if base is None else exact.round_half_away(base, minor_units(reader.currency) if scale is None else scale),
    )


def converted(money: Money, currency: str, env: Env) -> Money | None:
    """The money in another currency at the rates of the record's date, unrounded; blank when a rate is not known."""
    if money.currency == currency:
        return money
    own, rate = rate_at(money.currency, env), rate_at(currency, env)
    if own is None or not rate:
        return None
    base = exact.multiply(money.amount, own)
    amount = exact.divide(base, rate)
    return None if amount is None else Money(amount, currency, base)
