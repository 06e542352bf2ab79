"""All named formats: how a text is tidied, its shape, and what else must hold of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from trellis.model.fields.base import Invalid
from trellis.model.formats import checksums
from trellis.model.text import Text


@dataclass(frozen=True)
class Format:
    """A named format. `tidy` is applied before the check and its result is what is stored."""

    name: str
    doc: str
    pattern: str
    holds: Callable[[str], bool] = bool
    tidy: Callable[[str], str] = str.strip
    message: Text | None = None

    def check(self, text: str) -> Invalid | None:
        """What is wrong with a tidied text."""
        if re.fullmatch(self.pattern, text, re.ASCII) and self.holds(text):
            return None
        if self.message is not None and self.message.source:
            return Invalid("format", str(self.message).replace("{", "{{").replace("}", "}}"))
        return Invalid("format", "“{value}” is not a valid {format}.", value=text[:40], format=self.doc)


def compact(text: str) -> str:
    """Capital letters and digits only: what people write in groups."""
    return re.sub(r"[\s./-]", "", text).upper()


def _lower(text: str) -> str:
    return text.strip().rstrip(".").lower()


def _domain(text: str) -> str:
    """A host name in lower case; names with letters beyond ASCII in their ASCII form (IDNA)."""
    name = re.sub(r"^[a-z]+://", "", _lower(text)).split("/")[0]
    try:
        return name.encode("idna").decode() if not name.isascii() else name
    except UnicodeError:
        return name


# The lengths of IBANs by country (SWIFT's register).
_IBAN: dict[str, int] = {
    country: int(length)
    for length, countries in {
        15: "NO",
        16: "BE BI",
        18: "DK FI FO GL NL SD FK MN",
        19: "MK SI",
        20: "AT BA EE KZ LT LU XK",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL IQ TL OM SO",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST",
        26: "IS TR",
        27: "BI FR GR IT MC MR SM DJ",
        28: "AL AZ BY CY DO GT HU LB NI PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU YE",
        31: "MT SC",
        32: "LC",
        33: "RU",
    }.items()
    for country in countries.split()
}


def _iban(text: str) -> bool:
    return _IBAN.get(text[:2]) == len(text) and checksums.mod_97(text[4:] + text[:4]) == 1


# VAT identification numbers of the EU and its neighbours by country.
_VAT = {
    "AT": r"U\d{8}",
    "BE": r"[01]\d{9}",
    "BG": r"\d{9,10}",
    "CH": r"E\d{9}(MWST|TVA|IVA)?",
    "CY": r"\d{8}[A-Z]",
    "CZ": r"\d{8,10}",
    "DE": r"[1-9]\d{8}",
    "DK": r"\d{8}",
    "EE": r"\d{9}",
    "EL": r"\d{9}",
    "ES": r"[A-Z0-9]\d{7}[A-Z0-9]",
    "FI": r"\d{8}",
    "FR": r"[A-HJ-NP-Z0-9]{2}\d{9}",
    "GB": r"(\d{9}|\d{12}|(GD|HA)\d{3})",
    "HR": r"\d{11}",
    "HU": r"\d{8}",
    "IE": r"(\d{7}[A-W][A-I]?|\d[A-Z+*]\d{5}[A-W])",
    "IT": r"\d{11}",
    "LT": r"(\d{9}|\d{12})",
    "LU": r"\d{8}",
    "LV": r"\d{11}",
    "MT": r"\d{8}",
    "NL": r"\d{9}B\d{2}",
    "NO": r"\d{9}(MVA)?",
    "PL": r"\d{10}",
    "PT": r"\d{9}",
    "RO": r"\d{2,10}",
    "SE": r"\d{12}",
    "SI": r"\d{8}",
    "SK": r"\d{10}",
    "XI": r"(\d{9}|\d{12}|(GD|HA)\d{3})",
}
_VAT_DIGITS: dict[str, Callable[[str], bool]] = {
    "DE": checksums.mod_11_10,
    "BE": lambda d: 97 - int(d[:8]) % 97 == int(d[8:]),
    "IT": checksums.luhn,
    "HR": checksums.mod_11_10,
    "LU": lambda d: int(d[:6]) % 89 == int(d[6:]),
    "PL": lambda d: sum(int(c) * w for c, w in zip(d, (6, 5, 7, 2, 3, 4, 5, 6, 7), strict=False)) % 11 == int(d[9]),
    "PT": lambda d: (11 - sum(int(c) * (9 - i) for i, c in enumerate(d[:8])) % 11) % 11 % 10 == int(d[8]),
}


def _vat_id(text: str) -> bool:
    country, rest = text[:2], text[2:]
    shape = _VAT.get(country)
    if shape is None or not re.fullmatch(shape, rest):
        return False
    return _VAT_DIGITS[country](rest) if country in _VAT_DIGITS else True


def _gtin(text: str) -> bool:
    return checksums.gs1_digit(text[:-1]) == text[-1]


def _isbn(text: str) -> bool:
    return checksums.isbn_10(text) if len(text) == 10 else text[:3] in ("978", "979") and _gtin(text)


def _ip(text: str) -> bool:
    return all(int(part) < 256 for part in text.split("."))


_HOST = r"(?=.{4,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)+(xn--[a-z0-9-]{2,59}|[a-z]{2,63})"

_BUILT_IN: Iterable[Format] = (
    Format("iban", "IBAN", r"[A-Z]{2}\d{2}[A-Z0-9]{10,30}", _iban, compact),
    Format("bic", "BIC", r"[A-Z]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?", tidy=compact),
    Format("vat_id", "VAT identification number", r"[A-Z]{2}[A-Z0-9+*]{2,13}", _vat_id, compact),
    Format(
        "credit_code_cn", "unified social credit code", r"[0-9A-HJ-NPQRTUWXY]{18}", checksums.credit_code_cn, compact
    ),
    Format("organisation_code_cn", "organisation code", r"[0-9A-Z]{8}[0-9X]", checksums.organisation_code_cn, compact),
    Format("id_card_cn", "identity number", r"[1-9]\d{16}[\dX]", checksums.identity_cn, compact),
    Format("tax_id_de", "tax identification number", r"[1-9]\d{10}", checksums.mod_11_10, compact),
    Format("domain", "domain name", _HOST, tidy=_domain),
    Format("ipv4", "IPv4 address", r"\d{1,3}(\.\d{1,3}){3}", _ip),
    Format("slug", "short name (a-z, 0-9, -)", r"[a-z0-9]+(-[a-z0-9]+)*", tidy=_lower),
    Format("card_number", "card number", r"\d{12,19}", checksums.luhn, compact),
    Format("imei", "IMEI", r"\d{15}", checksums.luhn, compact),
    Format("gtin", "GTIN", r"\d{8}|\d{12,14}", _gtin, compact),
    Format("isbn", "ISBN", r"\d{9}[\dX]|\d{13}", _isbn, compact),
    Format("vin", "vehicle identification number", r"[A-HJ-NPR-Z0-9]{17}", tidy=compact),
    Format("lei", "LEI", r"[A-Z0-9]{18}\d{2}", lambda t: checksums.mod_97(t) == 1, compact),
    Format("uuid", "UUID", r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", tidy=_lower),
    Format("hex", "hexadecimal number", r"[0-9a-f]+", tidy=_lower),
)
FORMATS: dict[str, Format] = {made.name: made for made in _BUILT_IN}


def named_format(name: str, custom: dict[str, Format] | None = None) -> Format | None:
    """A format by name: a layer's own `format:` document, else the platform's."""
    return (custom or {}).get(name) or FORMATS.get(name)


def check_format(name: str, text: str) -> tuple[str, Invalid | None]:
    """A text tidied by the named format, and what is wrong with it."""
    found = FORMATS[name]
    tidied = found.tidy(text)
    return tidied, found.check(tidied)
