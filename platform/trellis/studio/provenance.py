"""Where each value of the configuration comes from: the layer, the file, the line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trellis.config.merge import item_key
from trellis.config.problem import Mark

if TYPE_CHECKING:
    from trellis.config.layer import Document
    from trellis.config.source import Place
    from trellis.config.stack import Configuration

DEEPEST = 3  # what lies deeper is shown as it is written
LONGEST = 200
SHOWN = 300
SECTIONS = (
    "fields",
    "stages",
    "values",
    "views",
    "filters",
    "rules",
    "form",
    "grants",
    "groups",
    "widgets",
    "measures",
)


@dataclass(frozen=True)
class Value:
    """A value with its place; a heading has no text."""

    path: str  # within the document: fields.amount.label
    key: str
    text: str
    mark: Mark
    depth: int
    is_heading: bool = False


def values_of(document: Document) -> list[Value]:
    """Everything that a merged document says, in its order."""
    return list(_values(document.data, document.place, "", 0))


def _values(data: Any, place: Place, path: str, depth: int) -> Iterator[Value]:
    for key, value in data.items():
        inner = place.children.get(key)
        if inner is None:
            continue
        at = f"{path}.{key}" if path else str(key)
        nested = isinstance(value, dict) and value and (depth < DEEPEST)
        yield Value(at, str(key), "" if nested else shown(value), inner.key_mark, depth, bool(nested))
        if nested:
            yield from _values(value, inner, at, depth + 1)


def shown(value: Any) -> str:
    """A value on one line, as YAML writes it, not to its end if it is long."""
    text = _written(value)
    return text if len(text) <= LONGEST else text[:LONGEST] + " …"


def _written(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {_written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_written(v) for v in value) + "]"
    return str(value)


def search(configuration: Configuration, wanted: str) -> list[tuple[str, Value]]:
    """Values whose path, or what they say, holds the text: (document, value)."""
    wanted = wanted.casefold()
    found: list[tuple[str, Value]] = []
    for document in configuration:
        for value in values_of(document):
            if wanted in f"{document.name}.{value.path}".casefold() or wanted in value.text.casefold():
                found.append((document.name, value))
                if len(found) >= SHOWN:
                    return found
    return found


def at_path(document: Document, path: str) -> Any:
    """The value at a path of a merged document; items of a list by their key. Raises LookupError."""
    data: Any = document.data
    for step in path.split(".") if path else []:
        if isinstance(data, dict) and step in data:
            data = data[step]
        elif isinstance(data, list):
            data = next(item for item in data if item_key(item) == step)
        else:
            raise LookupError(path)
    return data
