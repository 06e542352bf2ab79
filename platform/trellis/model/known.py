"""What the platform knows of the world, from CLDR: countries, currencies, languages and time zones with their names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from babel import Locale
from babel.core import get_global
from babel.dates import get_timezone, get_timezone_location

from trellis.model.choice import Choice, fold
from trellis.model.locales import babel_locale
from trellis.model.text import Text

# Languages that a name in a file is looked up in, beside the reader's.
_COMMON: Final = ("en", "zh_Hans", "zh_Hant", "de", "fr", "es", "it", "pt", "nl", "pl", "ja", "ko", "ru", "tr", "ar")


class CldrNames(Mapping[str, str]):
    """The names of one thing by language, read from CLDR when asked for."""

    def __init__(self, kind: str, key: str) -> None:
        self._kind, self._key = kind, key

    def __getitem__(self, language: str) -> str:
        return _name(self._kind, self._key, babel_locale(language)) or self._key

    def __iter__(self) -> Iterator[str]:
        return iter(_COMMON)

    def __len__(self) -> int:
        return len(_COMMON)


def _name(kind: str, key: str, locale: Locale) -> str | None:
    if kind == "countries":
        return locale.territories.get(key)
    if kind == "currencies":
        return locale.currencies.get(key)
    if kind == "languages":
        return locale.languages.get(key.replace("-", "_"))
    try:
        return str(get_timezone_location(get_timezone(key), locale=locale))
    except LookupError:
        return key


# Codes of CLDR that are no countries: exceptional reservations, outlying and pseudo regions.
_NO_COUNTRY = {"EU", "EZ", "UN", "QO", "ZZ", "XA", "XB", "AC", "CP", "CQ", "DG", "EA", "IC", "TA"}


def _countries() -> list[str]:
    return sorted(c for c in map(str, Locale("en").territories) if len(c) == 2 and c.isalpha() and c not in _NO_COUNTRY)


def _currencies() -> list[str]:
    current = {
        code
        for uses in get_global("territory_currencies").values()
        for code, _start, end, tender in uses
        if end is None and tender
    }
    return sorted(c for c in current if not c.startswith("X") or c in ("XAF", "XCD", "XOF", "XPF", "XCG"))


def _languages() -> list[str]:
    two_letters = {tag for tag in map(str, Locale("en").languages) if len(tag) == 2}
    return sorted((two_letters - {"zh"}) | {"zh-Hans", "zh-Hant", "pt-BR"})


def _time_zones() -> list[str]:
    zones = {zone for zone, region in get_global("zone_territories").items() if region != "ZZ" and "/" in zone}
    return sorted({*zones, "UTC"})


_LISTS = {"countries": _countries, "currencies": _currencies, "languages": _languages, "time_zones": _time_zones}
KNOWN_LISTS: Final = tuple(_LISTS)


@lru_cache(maxsize=8)
def known_choices(kind: str) -> tuple[Choice, ...]:
    """A list the platform knows, as choices whose labels speak every language. Raises KeyError."""
    english = Locale("en")
    return tuple(Choice(key, Text(_name(kind, key, english) or key, CldrNames(kind, key))) for key in _LISTS[kind]())


@lru_cache(maxsize=8)
def known_keys(kind: str) -> frozenset[str]:
    """The keys of a list the platform knows."""
    return frozenset(choice.key for choice in known_choices(kind))


@lru_cache(maxsize=1)
def currency_codes() -> frozenset[str]:
    """Every ISO 4217 code in use."""
    return known_keys("currencies")


def minor_units(currency: str) -> int:
    """How many decimals a currency has: 2 for EUR, 0 for JPY, 3 for KWD."""
    fractions: Mapping[str, tuple[int, int, int, int]] = get_global("currency_fractions")
    return _ISO_MINOR.get(currency, fractions.get(currency, fractions["DEFAULT"])[0])


# CLDR rounds some currencies as shops do; ISO 4217 says what their minor unit is.
_ISO_MINOR: Final[Mapping[str, int]] = {
    **dict.fromkeys(
        "AFN ALL AMD AOA COP CRC CZK DOP ECS EGP HUF IDR KPW KZT LAK LBP LKR MGA MMK MNT MRU MUR NOK PKR RSD SEK SLE"
        " SOS STN SYP TWD TZS UZS YER IRR ZMW".split(),
        2,
    ),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(), 0),
}


@lru_cache(maxsize=64)
def _symbols(language: str) -> Mapping[str, str]:
    return {
        symbol: code for code, symbol in babel_locale(language).currency_symbols.items() if code in currency_codes()
    }


def read_currency(text: str, language: str, near: str = "") -> str | None:
    """The currency that a code, a symbol or a name means; `near` decides what ¥, $ or kr mean when they fit it."""
    text = text.strip()
    if (code := text.upper()) in currency_codes():
        return code
    text = text.replace("\uffe5", "¥")  # the full-width sign
    if near and text in (_own_symbol(near), *_SHARED.get(near, ())):
        return near
    if text in _USUAL:
        return _USUAL[text]
    if found := _symbols(language).get(text) or _symbols("en").get(text):
        return found
    return next((c.key for c in known_choices("currencies") if fold(c.label.in_language(language)) == fold(text)), None)


_USUAL: Final = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "CNY", "元": "CNY", "円": "JPY", "kr": "SEK", "Fr.": "CHF"}
_SHARED: Final = {
    "JPY": ("¥", "円"),
    "CNY": ("¥", "元", "人民币"),
    **dict.fromkeys("USD CAD AUD NZD HKD SGD TWD MXN CLP COP ARS".split(), ("$",)),
    **dict.fromkeys("SEK NOK DKK ISK".split(), ("kr",)),
    "GBP": ("£",),
    "EGP": ("£",),
}


def _own_symbol(currency: str) -> str:
    return str(Locale("en").currency_symbols.get(currency, currency))
