"""All named formats: how a text is tidied, its shape, and what else must hold of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from stdnum import bic, ean, iban, imei, isbn, lei, luhn
from stdnum.ch import uid as swiss_uid
from stdnum.ch import vat as swiss_vat
from stdnum.cn import ric, uscc
from stdnum.de import idnr
from stdnum.eu import vat as eu_vat
from stdnum.gb import vat as british_vat
from stdnum.no import orgnr

from trellis.model.fields.base import Invalid
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


def _domain_of_email(text: str) -> str:
    """The part after the @ of an address, or a domain as it stands."""
    return _domain(text.strip().removeprefix("mailto:").rpartition("@")[2].rstrip(">"))


# The numbers of countries outside the EU by the standard of each; Swiss and Norwegian ones also without their suffix.
_VAT: dict[str, Callable[[str], bool]] = {
    "CH": lambda text: swiss_vat.is_valid(text) or swiss_uid.is_valid(text),
    "GB": british_vat.is_valid,
    "NO": lambda text: orgnr.is_valid(text[2:].removesuffix("MVA")),
}


def _vat_id(text: str) -> bool:
    return _VAT.get(text[:2], eu_vat.is_valid)(text)


def _organisation_code_cn(code: str) -> bool:
    """GB 11714-1997: nine places, the last of which checks the others."""
    total = sum(int(c, 36) * w for c, w in zip(code, (3, 7, 9, 10, 5, 8, 4, 2), strict=False))
    return "0123456789X"[-total % 11] == code[8]


def _ip(text: str) -> bool:
    return all(int(part) < 256 for part in text.split("."))


_HOST = r"(?=.{4,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)+(xn--[a-z0-9-]{2,59}|[a-z]{2,63})"

_BUILT_IN: Iterable[Format] = (
    Format("iban", "IBAN", r"[A-Z]{2}\d{2}[A-Z0-9]{10,30}", iban.is_valid, compact),
    Format("bic", "BIC", r"[A-Z]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?", bic.is_valid, compact),
    Format("vat_id", "VAT identification number", r"[A-Z]{2}[A-Z0-9+*]{2,15}", _vat_id, compact),
    Format("credit_code_cn", "unified social credit code", r"[0-9A-HJ-NPQRTUWXY]{18}", uscc.is_valid, compact),
    Format("organisation_code_cn", "organisation code", r"[0-9A-Z]{8}[0-9X]", _organisation_code_cn, compact),
    Format("id_card_cn", "identity number", r"[1-9]\d{16}[\dX]", ric.is_valid, compact),
    Format("tax_id_de", "tax identification number", r"[1-9]\d{10}", idnr.is_valid, compact),
    Format("domain", "domain name", _HOST, tidy=_domain),
    Format("email_domain", "e-mail domain", _HOST, tidy=_domain_of_email),
    Format("ipv4", "IPv4 address", r"\d{1,3}(\.\d{1,3}){3}", _ip),
    Format("slug", "short name (a-z, 0-9, -)", r"[a-z0-9]+(-[a-z0-9]+)*", tidy=_lower),
    Format("card_number", "card number", r"\d{12,19}", luhn.is_valid, compact),
    Format("imei", "IMEI", r"\d{15}", imei.is_valid, compact),
    Format("gtin", "GTIN", r"\d{8}|\d{12,14}", ean.is_valid, compact),
    Format("isbn", "ISBN", r"\d{9}[\dX]|\d{13}", isbn.is_valid, compact),
    Format("vin", "vehicle identification number", r"[A-HJ-NPR-Z0-9]{17}", tidy=compact),
    Format("lei", "LEI", r"[A-Z0-9]{18}\d{2}", lei.is_valid, compact),
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
