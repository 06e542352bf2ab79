"""Texts: one line, several lines, source code, sanitised HTML."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from trellis.formula.types import Value
from trellis.model.fields.base import FieldType, Invalid, blank, wrong_kind
from trellis.model.fields.option import option
from trellis.model.fields.registry import field_type
from trellis.model.markup import markdown_text, plain_text, sanitise

if TYPE_CHECKING:
    from trellis.formula.reader import Reader

# What PostgreSQL refuses (NUL) and what nobody means to type; tab and line feed stay.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")


def clean(raw: Any) -> str:
    """Text as given by a person or program: composed (NFC), line ends as line feeds, no control characters."""
    if isinstance(raw, bool) or (not isinstance(raw, (str, int, float)) and not hasattr(raw, "as_tuple")):
        raise wrong_kind("text")
    text = unicodedata.normalize("NFC", str(raw).replace("\r\n", "\n").replace("\r", "\n"))
    return _LONE_SURROGATE.sub("", _CONTROL.sub("", text))


def one_line(raw: Any) -> str:
    """Clean text without line breaks and outer blanks."""
    return " ".join(part for part in (line.strip() for line in clean(raw).split("\n")) if part)


@dataclass(frozen=True, kw_only=True)
class TextLike(FieldType):
    """What all texts share: the column and the bounds of the length."""

    operators: ClassVar[tuple[str, ...]] = (
        "contains",
        "==",
        "!=",
        "starts_with",
        "in",
        "is_blank",
        "is_not_blank",
    )

    min_length: int | None = option(None, "the shortest text, in characters")
    max_length: int | None = option(None, "the longest text, in characters")

    def columns(self) -> Mapping[str, TypeEngine[Any]]:
        return {"": sa.Text()}

    def parse(self, raw: Any, reader: Reader) -> Value:
        return None if blank(raw) else one_line(raw) or None

    def check(self, value: Value) -> Iterator[Invalid]:
        if self.min_length is not None and len(value) < self.min_length:
            yield Invalid("length", "Must be at least {min} characters long.", min=self.min_length)
        if self.max_length is not None and len(value) > self.max_length:
            yield Invalid("length", "Must be at most {max} characters long.", max=self.max_length)

    def json_schema(self) -> dict[str, Any]:
        found: dict[str, Any] = {"type": "string"}
        if self.min_length is not None:
            found["minLength"] = self.min_length
        if self.max_length is not None:
            found["maxLength"] = self.max_length
        return found


@field_type("text")
@dataclass(frozen=True, kw_only=True)
class TextField(TextLike):
    """One line of text."""

    doc: ClassVar[str] = "One line of text."
    can_group: ClassVar[bool] = True


@field_type("long_text")
@dataclass(frozen=True, kw_only=True)
class LongText(TextLike):
    """Several lines, written in Markdown."""

    doc: ClassVar[str] = "Several lines, written in Markdown."
    widget: ClassVar[str] = "long_text"
    cell: ClassVar[str] = "long_text"
    operators: ClassVar[tuple[str, ...]] = ("contains", "is_blank", "is_not_blank")
    can_sort: ClassVar[bool] = False

    rows: int = option(4, "how many lines the editor shows at first")

    def parse(self, raw: Any, reader: Reader) -> Value:
        return None if blank(raw) else clean(raw).strip("\n").rstrip() or None

    def search_text(self, value: Value) -> str:
        return markdown_text(value) if value else ""


@field_type("rich_text")
@dataclass(frozen=True, kw_only=True)
class RichText(LongText):
    """Formatted text, kept as sanitised HTML."""

    doc: ClassVar[str] = "Formatted text, kept as sanitised HTML."
    widget: ClassVar[str] = "rich_text"
    cell: ClassVar[str] = "rich_text"

    def parse(self, raw: Any, reader: Reader) -> Value:
        return None if blank(raw) else sanitise(clean(raw)).strip() or None

    def display(self, value: Value, reader: Reader) -> str:
        return plain_text(value) if value else ""

    def search_text(self, value: Value) -> str:
        return plain_text(value) if value else ""


@field_type("code")
@dataclass(frozen=True, kw_only=True)
class Code(LongText):
    """Source code, kept as typed."""

    doc: ClassVar[str] = "Source code in the language that `language` names, kept as typed."
    widget: ClassVar[str] = "code"
    cell: ClassVar[str] = "code"

    language: str = option("text", "the language for highlighting: yaml, json, python, sql, html, …")

    def parse(self, raw: Any, reader: Reader) -> Value:
        return None if blank(raw) else clean(raw)

    def search_text(self, value: Value) -> str:
        return value or ""
