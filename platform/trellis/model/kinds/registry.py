"""All kinds of documents by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from trellis.config.phrase import phrase
from trellis.config.shape import ShapeValidator
from trellis.model.kinds.parts import DIRECTIVES, SNAKE, TEXT, WORD
from trellis.model.kinds.told import tell

KINDS: dict[str, Kind] = {}


@dataclass(frozen=True)
class Kind:
    """A kind of document. `properties` gives the schema of what may stand beside `<kind>: <key>`."""

    name: str
    doc: str
    properties: Callable[[], dict[str, Any]]
    required: tuple[str, ...] = ()
    is_snake: bool = False  # its key is a name in formulas
    cases: Callable[[], dict[str, Any]] | None = None

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of a document of this kind."""
        key = {"type": "string", "pattern": SNAKE if self.is_snake else WORD, "description": self.doc}
        snake, other = phrase("small letters, digits and _"), phrase("small letters, digits, - and _")
        key["x-hint"] = snake if self.is_snake else other
        schema: dict[str, Any] = {
            "type": "object",
            "description": self.doc,
            "properties": {self.name: key, **self.properties(), "description": TEXT, **DIRECTIVES},
            "additionalProperties": False,
            "required": [self.name, *self.required],
        }
        if self.cases is not None:
            schema["x-cases"] = self.cases()
        return tell(self.name, schema)

    @cached_property
    def validator(self) -> Any:
        """A validator of the schema."""
        return ShapeValidator(self.schema)


def kind(
    name: str,
    doc: str,
    *,
    required: tuple[str, ...] = (),
    is_snake: bool = False,
    cases: Callable[[], dict[str, Any]] | None = None,
) -> Callable[[Callable[[], dict[str, Any]]], Callable[[], dict[str, Any]]]:
    """Register a function that gives the properties of a kind's documents."""

    def register(properties: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
        if name in KINDS:
            raise ValueError(f"kind {name!r} is there already")
        KINDS[name] = Kind(name, doc, properties, required, is_snake, cases)
        return properties

    return register
