"""Texts with a shape of their own: JSON, colours, barcodes, secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine
from stdnum import ean

from trellis.formula.types import JSON, Type, Value
from trellis.model.fields.base import FieldType, Invalid, blank, wrong_kind
from trellis.model.fields.option import option
from trellis.model.fields.registry import field_type
from trellis.model.fields.text import TextLike, clean, one_line
from trellis.model.sealing import is_sealed, seal, unseal

if TYPE_CHECKING:
    from trellis.formula.reader import Reader

MAX_DEPTH = 40


def plain_json(value: Any, depth: int = 0) -> Any:
    """Data that JSON and PostgreSQL can hold; texts cleaned, tuples as lists. Raises Invalid."""
    if depth > MAX_DEPTH:
        raise Invalid("invalid", "The data is nested too deeply.")
    if isinstance(value, Mapping):
        return {clean(str(key)): plain_json(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_json(item, depth + 1) for item in value]
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Decimal):
        return float(value)
    if value is None or isinstance(value, (bool, int)) or (isinstance(value, float) and isfinite(value)):
        return value
    raise wrong_kind("JSON")


@field_type("json")
@dataclass(frozen=True, kw_only=True)
class JsonField(FieldType):
    """Any JSON data."""

    doc: ClassVar[str] = "Any JSON data."
    widget: ClassVar[str] = "json"
    cell: ClassVar[str] = "json"
    operators: ClassVar[tuple[str, ...]] = ("is_blank", "is_not_blank")
    can_sort: ClassVar[bool] = False

    def formula_type(self) -> Type:
        return JSON

    def columns(self) -> Mapping[str, TypeEngine[Any]]:
        return {"": JSONB(none_as_null=True)}

    def parse(self, raw: Any, reader: Reader) -> Value:
        """JSON text or data; a text that is no JSON is refused, and the data null is blank."""
        if blank(raw):
            return None
        if isinstance(raw, str):
            try:
                raw = json.loads(raw)
            except json.JSONDecodeError as fault:  # where, in the reader's language; Python's reason is English
                text = "This is not JSON: look at line {line}, character {column}."
                raise Invalid("json", text, line=fault.lineno, column=fault.colno) from fault
            except (ValueError, RecursionError) as fault:  # a number of too many digits, lists in lists in lists
                raise Invalid("json", "This JSON is too large or too deep.") from fault
            if isinstance(raw, str):
                raise wrong_kind("a JSON object, list, number or boolean")
        return plain_json(raw)

    def json_schema(self) -> dict[str, Any]:
        return {"type": ["object", "array", "number", "boolean"], "items": {}}

    def write_text(self, value: Value, reader: Reader) -> str:
        return "" if value is None else json.dumps(value, ensure_ascii=False)

    def search_text(self, value: Value) -> str:
        return ""


_HEX = re.compile(r"#?([0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)
# The palette that labels use, as mid tones.
COLORS: Mapping[str, str] = {
    "blue": "#066fd1",
    "azure": "#4299e1",
    "indigo": "#4263eb",
    "purple": "#ae3ec9",
    "pink": "#d6336c",
    "red": "#d63939",
    "orange": "#f76707",
    "yellow": "#f59f00",
    "lime": "#74b816",
    "green": "#2fb344",
    "teal": "#0ca678",
    "cyan": "#17a2b8",
    "gray": "#6b7280",
    "black": "#000000",
    "white": "#ffffff",
}


@field_type("color")
@dataclass(frozen=True, kw_only=True)
class Color(FieldType):
    """A colour, kept as #rrggbb."""

    doc: ClassVar[str] = "A colour, kept as #rrggbb; the palette's names are understood."
    widget: ClassVar[str] = "color"
    cell: ClassVar[str] = "color"
    can_group: ClassVar[bool] = True

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": "^#[0-9a-f]{6}$"}

    def json_input(self) -> dict[str, Any]:
        return {"type": "string"}

    def columns(self) -> Mapping[str, TypeEngine[Any]]:
        return TextLike().columns()

    def parse(self, raw: Any, reader: Reader) -> Value:
        if blank(raw):
            return None
        text = one_line(raw).lower()
        if text in COLORS:
            return COLORS[text]
        if not (match := _HEX.fullmatch(text)):
            raise Invalid("color", "“{value}” is not a colour. Write it like #0f766e.", value=text[:20])
        digits = match[1]
        return "#" + (digits if len(digits) == 6 else "".join(2 * digit for digit in digits))


@field_type("barcode")
@dataclass(frozen=True, kw_only=True)
class Barcode(TextLike):
    """A code that is printed and scanned."""

    doc: ClassVar[str] = "A code that is printed and scanned; `kind` says how, and what is checked."
    widget: ClassVar[str] = "barcode"
    cell: ClassVar[str] = "barcode"

    kind: Literal["any", "ean", "code128", "qr"] = option(
        "any", "ean: EAN-8, UPC-A, EAN-13 or GTIN-14 with check digit; code128: printable ASCII; qr, any: free"
    )

    def parse(self, raw: Any, reader: Reader) -> Value:
        text = super().parse(raw, reader)
        return re.sub(r"[\s-]", "", text) if text and self.kind == "ean" else text

    def check(self, value: Value) -> Iterator[Invalid]:
        yield from super().check(value)
        if self.kind == "ean" and (not re.fullmatch(r"\d{8}|\d{12,14}", value, re.ASCII) or not ean.is_valid(value)):
            yield Invalid("barcode", "“{value}” is not an EAN: its check digit is wrong.", value=value[:40])
        if self.kind == "code128" and not (value.isascii() and value.isprintable()):
            yield Invalid("barcode", "“{value}” cannot be printed as Code 128.", value=value[:40])


MASK = "••••••••"


@field_type("secret")
@dataclass(frozen=True, kw_only=True)
class Secret(FieldType):
    """A text that is kept encrypted and shown masked.

    The value is the sealed text: history, JSON, export and logs never hold the secret. `sealing.unseal` opens it where
    it is used (a request that a workflow sends). The key comes from TRELLIS_SECRET_KEY or var/secret.key, which
    storage/secrets.py reads.
    """

    doc: ClassVar[str] = "A text that is kept encrypted and shown masked."
    widget: ClassVar[str] = "secret"
    is_write_only: ClassVar[bool] = True
    cell: ClassVar[str] = "secret"
    operators: ClassVar[tuple[str, ...]] = ("is_blank", "is_not_blank")
    can_sort: ClassVar[bool] = False

    def columns(self) -> Mapping[str, TypeEngine[Any]]:
        return TextLike().columns()

    def parse(self, raw: Any, reader: Reader) -> Value:
        if blank(raw):
            return None
        text = clean(raw)
        return text if is_sealed(text) else seal(text)

    def same(self, one: Value, other: Value) -> bool:
        if one == other or not (one and other):
            return bool(one == other)
        try:
            return unseal(one) == unseal(other)
        except ValueError:  # sealed with a key that is no more
            return False

    def display(self, value: Value, reader: Reader) -> str:
        return MASK if value else ""

    def search_text(self, value: Value) -> str:
        return ""
