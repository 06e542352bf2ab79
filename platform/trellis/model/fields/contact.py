"""Ways to reach someone: e-mail, phone, web address."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

import phonenumbers
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from trellis.formula.types import Value
from trellis.model.fields.base import FieldType, Invalid, blank, wrong_kind
from trellis.model.fields.option import option
from trellis.model.fields.registry import field_type
from trellis.model.fields.text import TextLike, one_line

if TYPE_CHECKING:
    from trellis.formula.reader import Reader

# One @, no blanks, a domain with a dot or an IP literal; whether mail arrives, only mail can tell.
_EMAIL = re.compile(r"[^\s@<>\"(),:;\[\]\\]{1,64}@(?P<domain>[^\s@<>\"(),:;\[\]\\/]{1,253})")
_LABEL = re.compile(r"(?!-)[\w-]{1,63}(?<!-)")
_MAILBOX = re.compile(r"(?:mailto:)?(?:.*<)?([^<>]+)>?")


def _no_email(text: str) -> Invalid:
    said = "“{value}” is not an e-mail address. Write it like name@example.com."
    return Invalid("email", said, value=text[:80])


def _no_phone(text: str) -> Invalid:
    said = "“{value}” is not a phone number. Write it with its country, like +49 30 1234567."
    return Invalid("phone", said, value=text[:40])


def _no_url(text: str) -> Invalid:
    return Invalid("url", "“{value}” is not a web address. Write it like www.example.com.", value=text[:80])


@dataclass(frozen=True, kw_only=True)
class Reachable(FieldType):
    """What e-mail and phone share: one value, or several with a kind and marks."""

    operators: ClassVar[tuple[str, ...]] = TextLike.operators

    multiple: bool = option(False, "several values; the plain name reads the first")
    kinds: tuple[str, ...] = option((), "the kinds that a value may have, like work and home")

    def read_one(self, raw: Any, reader: Reader) -> str:
        """One value as given, normalised. Raises Invalid."""
        raise NotImplementedError

    def formula_value(self, value: Value) -> Value:
        return value[0]["value"] if self.multiple and value else value

    def columns(self) -> Mapping[str, TypeEngine[Any]]:
        return {"": sa.Text(), "_all": JSONB(none_as_null=True)} if self.multiple else {"": sa.Text()}

    def to_columns(self, value: Value) -> dict[str, Any]:
        if not self.multiple:
            return {"": value}
        return {"": value[0]["value"], "_all": list(value)} if value else {"": None, "_all": None}

    def from_columns(self, columns: Mapping[str, Any]) -> Value:
        if not self.multiple:
            return columns[""]
        found = columns.get("_all")
        return tuple(found) if found else self._entries([columns[""]]) if columns[""] else None

    @staticmethod
    def _entries(values: list[str]) -> Value:
        return tuple({"value": v, "kind": None, "opted_out": False, "invalid": False} for v in values) or None

    def parse(self, raw: Any, reader: Reader) -> Value:
        if blank(raw):
            return None
        if not self.multiple:
            if isinstance(raw, (list, tuple)) and len(raw) == 1:
                raw = raw[0]
            return self.read_one(raw.get("value") if isinstance(raw, Mapping) else raw, reader)
        if isinstance(raw, str):
            raw = (
                json.loads(raw)
                if raw.lstrip().startswith("[{")
                else [p for p in re.split(r"[;\n]|,\s", raw) if p.strip()]
            )
        items = [raw] if isinstance(raw, Mapping) else raw
        if not isinstance(items, (list, tuple)):
            raise wrong_kind("a list")
        found: dict[str, dict[str, Any]] = {}
        for item in items:
            entry = item if isinstance(item, Mapping) else {"value": item}
            if blank(entry.get("value")):
                continue
            value = self.read_one(entry["value"], reader)
            found.setdefault(
                value,
                {
                    "value": value,
                    "kind": str(entry["kind"]) if entry.get("kind") else None,
                    "opted_out": bool(entry.get("opted_out", False)),
                    "invalid": bool(entry.get("invalid", False)),
                },
            )
        return tuple(found.values()) or None

    def check(self, value: Value) -> Iterator[Invalid]:
        if self.multiple and self.kinds:
            for entry in value:
                if entry["kind"] is not None and entry["kind"] not in self.kinds:
                    yield Invalid("choice", "“{value}” is not one of the choices.", value=entry["kind"])

    def json_schema(self) -> dict[str, Any]:
        if not self.multiple:
            return {"type": "string"}
        marks = {"opted_out": {"type": "boolean"}, "invalid": {"type": "boolean"}}
        entry = {"value": {"type": "string"}, "kind": {"type": ["string", "null"]}, **marks}
        return {"type": "array", "items": {"type": "object", "properties": entry, "required": ["value"]}}

    def json_input(self) -> dict[str, Any]:
        return {"oneOf": [self.json_schema(), {"type": "string"}]} if self.multiple else self.json_schema()

    def to_json(self, value: Value) -> Any:
        return [dict(entry) for entry in value or ()] if self.multiple else value

    def write_text(self, value: Value, reader: Reader) -> str:
        if not value or not self.multiple:
            return value or ""
        if any(entry["kind"] or entry["opted_out"] or entry["invalid"] for entry in value):
            return json.dumps(list(value), ensure_ascii=False)
        return "; ".join(entry["value"] for entry in value)

    def display(self, value: Value, reader: Reader) -> str:
        if not value:
            return ""
        return (
            ", ".join(self.show_one(e["value"], reader) for e in value)
            if self.multiple
            else self.show_one(value, reader)
        )

    def show_one(self, value: str, reader: Reader) -> str:
        """One value for a person."""
        return value

    def search_text(self, value: Value) -> str:
        return " ".join(entry["value"] for entry in value or ()) if self.multiple else value or ""


@field_type("email")
@dataclass(frozen=True, kw_only=True)
class Email(Reachable):
    """An e-mail address."""

    doc: ClassVar[str] = "An e-mail address; the domain is kept in lower case."
    widget: ClassVar[str] = "email"
    cell: ClassVar[str] = "email"

    def read_one(self, raw: Any, reader: Reader) -> str:
        text = one_line(raw)
        mailbox = _MAILBOX.fullmatch(text)
        address = (mailbox[1] if mailbox else text).strip().replace("＠", "@")
        match = _EMAIL.fullmatch(address)
        labels = match["domain"].split(".") if match else []
        local = address.rpartition("@")[0]
        if len(labels) < 2 or not all(map(_LABEL.fullmatch, labels)) or ".." in f".{local}.":
            raise _no_email(text)
        return f"{local}@{'.'.join(labels).lower()}"


class PhoneNumber(str):
    """A number in E.164 that remembers how it was typed."""

    raw: str | None

    def __new__(cls, number: str, raw: str | None = None) -> PhoneNumber:
        made = super().__new__(cls, number)
        made.raw = raw
        return made


TAILS = (4, 7, 8)  # a caller says the last digits


def _dialled(text: str) -> list[str]:
    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        return [re.sub(r"\D", "", text)]
    home = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL).split(" ext")[0]
    whole = f"{number.country_code}{phonenumbers.national_significant_number(number)}"
    own = phonenumbers.national_significant_number(number)
    ends = [own[-long:] for long in TAILS if len(own) > long]
    return list(dict.fromkeys([whole, f"00{whole}", re.sub(r"\D", "", home), own, *ends]))


@field_type("phone")
@dataclass(frozen=True, kw_only=True)
class Phone(Reachable):
    """A phone number, kept in E.164."""

    doc: ClassVar[str] = (
        "A phone number that could exist, kept in E.164; without a country code it is the tenant's country's."
    )
    widget: ClassVar[str] = "phone"
    cell: ClassVar[str] = "phone"

    def read_one(self, raw: Any, reader: Reader) -> str:
        text = one_line(raw).removeprefix("tel:")
        try:
            number = phonenumbers.parse(text, reader.region)
        except phonenumbers.NumberParseException as fault:
            raise _no_phone(text) from fault
        # possible, not valid: numbering plans grow faster than lists of them, and what cannot be dialled from abroad
        # has no E.164 (phonenumbers takes it for possible where it could be a number without its area code)
        possible = phonenumbers.is_possible_number_with_reason(number)
        if possible == phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
            said = "“{value}” lacks its area code. Write it in full, like +49 30 1234567."
            raise Invalid("phone", said, value=text[:40])
        if possible != phonenumbers.ValidationResult.IS_POSSIBLE:
            raise _no_phone(text)
        written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        return PhoneNumber(f"{written};ext={number.extension}" if number.extension else written, text)

    def columns(self) -> Mapping[str, TypeEngine[Any]]:
        return {**super().columns(), "_raw": sa.Text()}

    def search_text(self, value: Value) -> str:
        """The digits as people dial them: with the country's code, at home, without the leading nought, the last."""
        numbers = [entry["value"] for entry in value or ()] if self.multiple else [value] if value else []
        return " ".join(digits for number in numbers for digits in _dialled(str(number)))

    def to_columns(self, value: Value) -> dict[str, Any]:
        columns = super().to_columns(value)
        first = columns[""]
        return {**columns, "": None if first is None else str(first), "_raw": getattr(first, "raw", None)}

    def from_columns(self, columns: Mapping[str, Any]) -> Value:
        value = super().from_columns(columns)
        return PhoneNumber(value, columns.get("_raw")) if isinstance(value, str) else value

    def show_one(self, value: str, reader: Reader) -> str:
        try:
            number = phonenumbers.parse(value, reader.region)
        except phonenumbers.NumberParseException:
            return value
        own = phonenumbers.region_code_for_number(number) == reader.region
        formats = phonenumbers.PhoneNumberFormat
        return phonenumbers.format_number(number, formats.NATIONAL if own else formats.INTERNATIONAL)


_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:(?!\d)")
URL_SCHEMES = frozenset({"http", "https", "mailto", "tel", "ftp", "ftps", "sftp"})


@field_type("url")
@dataclass(frozen=True, kw_only=True)
class Url(TextLike):
    """A web address."""

    doc: ClassVar[str] = "A web address; without a scheme it is https."
    widget: ClassVar[str] = "url"
    cell: ClassVar[str] = "url"

    def parse(self, raw: Any, reader: Reader) -> Value:
        if blank(raw):
            return None
        text = one_line(raw)
        address = text if _SCHEME.match(text) else f"https://{text.lstrip('/')}"
        try:
            parts = urlsplit(address)
            host, _port = parts.hostname or "", parts.port
        except ValueError as fault:
            raise _no_url(text) from fault
        scheme = parts.scheme.lower()
        if scheme not in URL_SCHEMES or any(c.isspace() for c in address):
            raise _no_url(text)
        if scheme not in ("mailto", "tel") and ("." not in host.strip(".") and host != "localhost" and ":" not in host):
            raise _no_url(text)
        return f"{scheme}:{address.split(':', 1)[1]}"

    def display(self, value: Value, reader: Reader) -> str:
        return "" if value is None else re.sub(r"^https?://(www\.)?", "", value).rstrip("/")
