"""The pieces that schemas are made of. `additionalProperties` is closed everywhere: a slip is told, not swallowed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]

_LENGTH = r"[0-9]+(\.[0-9]+)? ?(seconds?|minutes?|min|hours?|h|days?|d|weeks?|w|months?|years?)"
PATTERN = rf"^-?{_LENGTH}( {_LENGTH})*$"
SNAKE = r"^[a-z][a-z0-9_]{0,49}$"
WORD = r"^[a-z0-9][a-z0-9_-]{0,62}$"

TEXT: Schema = {"type": "string"}
NAME: Schema = {"type": "string", "minLength": 1}
FORMULA: Schema = {"type": "string", "format": "formula", "x-expected": "a formula"}
VALUE: Schema = {}
BOOLEAN: Schema = {"type": "boolean"}
NUMBER: Schema = {"type": "number"}
INTEGER: Schema = {"type": "integer"}
DURATION: Schema = {
    "type": "string",
    "pattern": PATTERN,
    "x-hint": "a duration is written as 3 days, 4 hours, 30 minutes",
}
AGE: Schema = {"anyOf": [{"const": "never"}, DURATION], "x-expected": "a length of time such as 90 days, or never"}
BIN: Schema = {
    "type": "object",
    "properties": {"purge_after": AGE},
    "additionalProperties": False,
    "description": "how long what was deleted stays in the recycle bin",
}
PRIVACY: Schema = {
    "type": "object",
    "properties": {"access_log": AGE},
    "additionalProperties": False,
    "description": "how long it is kept who has read personal data: 365 days unless this says otherwise, or never",
}
COLOR: Schema = {"type": "string", "description": "a colour's name, or #rrggbb"}
NAMES: Schema = {"type": "array", "items": NAME}
TRACK: Schema = {
    "anyOf": [{"type": "boolean"}, {"type": "array", "items": {"enum": ["opens", "clicks"]}}],
    "description": "note that letters are opened and their links followed: true, or [opens], [clicks]",
}
NAME_OR_NAMES: Schema = {"anyOf": [NAME, NAMES]}
DIRECTIVES: Mapping[str, Schema] = {
    "replace": {"type": "boolean", "description": "set aside what earlier layers say under this key"},
    "locked": {**NAMES, "description": "paths that later layers may not change"},
}


def closed(properties: Mapping[str, Schema], required: tuple[str, ...] = (), **more: Any) -> Schema:
    """A mapping with these keys and no others."""
    schema: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False, **more}
    if required:
        schema["required"] = list(required)
    return schema


def mapping(values: Schema, key: str | None = WORD, **more: Any) -> Schema:
    """A mapping from keys of one's own to values of one shape."""
    schema: Schema = {"type": "object", "additionalProperties": values, **more}
    if key is not None:
        schema["propertyNames"] = {"pattern": key}
    return schema


def list_of(items: Schema, **more: Any) -> Schema:
    """A list."""
    return {"type": "array", "items": items, **more}


def one_of(*values: Any) -> Schema:
    """One of some words."""
    return {"enum": list(values)}


def either(*schemas: Schema) -> Schema:
    """One of some shapes."""
    return {"anyOf": list(schemas)}


def with_doc(schema: Schema, doc: str) -> Schema:
    """The schema with a line of documentation."""
    return {**schema, "description": doc}
