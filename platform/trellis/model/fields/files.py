"""Files: any, pictures, signatures. The value says what the file is; its content lies in the file store."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from trellis.config.phrase import phrase
from trellis.formula.types import JSON, Type, Value
from trellis.model.fields.base import FieldType, Invalid, blank, wrong_kind
from trellis.model.fields.option import option
from trellis.model.fields.registry import field_type
from trellis.model.fields.text import one_line

if TYPE_CHECKING:
    from trellis.formula.reader import Reader

PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/avif")
_SIZES = {"B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3}


def read_size(text: str) -> int:
    """A file size in bytes: `5 MB`. Raises ValueError."""
    number = text.strip().upper().rstrip("BKMG").strip()
    unit = text.strip().upper()[len(number) :].strip() or "B"
    return int(float(number) * _SIZES[unit if unit.endswith("B") else unit + "B"])


def show_size(size: int) -> str:
    """A file size for people: 5 MB."""
    unit = next((unit for unit in ("GB", "MB", "KB") if size >= _SIZES[unit]), "B")
    return f"{size / _SIZES[unit]:.1f}".removesuffix(".0") + f" {unit}"


@field_type("file")
@dataclass(frozen=True, kw_only=True)
class FileField(FieldType):
    """One file, or several; a tuple of {id, name, size, type}."""

    doc: ClassVar[str] = "A file, or several with `multiple`; its content lies in the file store."
    widget: ClassVar[str] = "file"
    cell: ClassVar[str] = "file"
    operators: ClassVar[tuple[str, ...]] = ("is_blank", "is_not_blank")
    can_sort: ClassVar[bool] = False
    accepted: ClassVar[tuple[str, ...]] = ()

    multiple: bool = option(False, "whether several files may be attached")
    accept: tuple[str, ...] = option(
        (), "the kinds that are taken, like `pdf`, `image/*`", {"type": ["string", "array"]}
    )
    max_size: int | None = option(None, "the largest file in bytes, or like `5 MB`", {"type": ["string", "integer"]})

    def __post_init__(self) -> None:
        if isinstance(self.max_size, str):
            try:
                object.__setattr__(self, "max_size", read_size(self.max_size))
            except (KeyError, ValueError) as fault:
                raise ValueError(
                    phrase("max_size: {most} is no size, write it like 5 MB", most=repr(self.max_size))
                ) from fault

    def formula_type(self) -> Type:
        return JSON

    def columns(self) -> Mapping[str, TypeEngine[Any]]:
        return {"": JSONB(none_as_null=True)}

    def to_columns(self, value: Value) -> dict[str, Any]:
        return {"": list(value) if value else None}

    def from_columns(self, columns: Mapping[str, Any]) -> Value:
        return tuple(columns[""]) if columns[""] else None

    def parse(self, raw: Any, reader: Reader) -> Value:
        """Files already in the store, as {id, name, size, type}: the door puts uploads there first."""
        if blank(raw):
            return None
        if isinstance(raw, str):
            try:
                raw = json.loads(raw)
            except ValueError as fault:
                raise wrong_kind("a file") from fault
        items = [raw] if isinstance(raw, Mapping) else raw
        if not isinstance(items, (list, tuple)):
            raise wrong_kind("a list of files")
        return tuple(self._entry(item) for item in items) or None

    @staticmethod
    def _entry(item: Any) -> dict[str, Any]:
        if not isinstance(item, Mapping) or blank(item.get("id")):
            raise wrong_kind("a file")
        size = item.get("size") or 0
        if not isinstance(size, int):
            raise wrong_kind("a file")
        return {
            "id": str(item["id"]),
            "name": one_line(item.get("name") or "") or "file",
            "size": size,
            "type": str(item.get("type") or "application/octet-stream").lower(),
        }

    def check(self, value: Value) -> Iterator[Invalid]:
        if not self.multiple and len(value) > 1:
            yield Invalid("length", "Only one file can be attached here.")
        limit = self.max_size
        for entry in value:
            if limit is not None and entry["size"] > limit:
                yield Invalid("size", "“{name}” is larger than {max}.", name=entry["name"], max=show_size(limit))
            if not self.accepts(entry["name"], entry["type"]):
                yield Invalid("type", "“{name}” is not a kind of file that is taken here.", name=entry["name"])

    def accepts(self, name: str, type: str) -> bool:
        """Whether a file of this name and media type is taken."""
        wanted = self.accept or self.accepted
        suffix = PurePosixPath(name).suffix.lower()
        return not wanted or any(
            fnmatch(type, w.lower()) if "/" in w else suffix == f".{w.lower().removeprefix('.')}" for w in wanted
        )

    def json_schema(self) -> dict[str, Any]:
        parts = {"id": {"type": "string", "format": "uuid"}, "name": {"type": "string"}}
        parts |= {"size": {"type": "integer"}, "type": {"type": "string"}}
        return {"type": "array", "items": {"type": "object", "properties": parts, "required": list(parts)}}

    def json_input(self) -> dict[str, Any]:
        named = {"type": "object", "properties": {"id": {"type": "string", "format": "uuid"}}, "required": ["id"]}
        return {"type": "array", "items": named}

    def to_json(self, value: Value) -> Any:
        return [dict(entry) for entry in value or ()]

    def write_text(self, value: Value, reader: Reader) -> str:
        return json.dumps(self.to_json(value), ensure_ascii=False) if value else ""

    def display(self, value: Value, reader: Reader) -> str:
        return ", ".join(entry["name"] for entry in value or ())

    def search_text(self, value: Value) -> str:
        return " ".join(entry["name"] for entry in value or ())


@field_type("image")
@dataclass(frozen=True, kw_only=True)
class Image(FileField):
    """A picture, or several."""

    doc: ClassVar[str] = "A picture, or several with `multiple`."
    widget: ClassVar[str] = "image"
    cell: ClassVar[str] = "image"
    accepted: ClassVar[tuple[str, ...]] = PICTURES


@field_type("signature")
@dataclass(frozen=True, kw_only=True)
class Signature(FileField):
    """A signature drawn by hand."""

    doc: ClassVar[str] = "A signature drawn by hand, kept as a picture."
    widget: ClassVar[str] = "signature"
    cell: ClassVar[str] = "image"
    accepted: ClassVar[tuple[str, ...]] = ("image/png", "image/svg+xml")
