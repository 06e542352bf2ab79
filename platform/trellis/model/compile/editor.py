"""JSON Schemas for editors: one for each kind, and one that takes any document. Names of entities can be filled in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from trellis.model.compile.shapes import editor_schema
from trellis.model.kinds import KINDS

DRAFT = "http://json-schema.org/draft-07/schema#"
_ENTITY_KEYS = ("entity", "part_of", "extends", "to", "record", "before", "create")


def schemas(entities: Iterable[str] = ()) -> dict[str, dict[str, Any]]:
    """Every kind's schema by name, and `trellis`: any document by its first key."""
    made = {name: editor_schema(name) for name in KINDS}
    if names := sorted(entities):
        for schema in made.values():
            _name_entities(schema, names)
    choices = [{"if": {"required": [n]}, "then": {"$ref": f"{n}.json"}} for n in KINDS if n != "entity"]
    # many kinds have a key `entity`: an entity document is one that has no other kind's key
    others = {"not": {"anyOf": [{"required": [n]} for n in KINDS if n != "entity"]}}
    choices.append({"if": {"allOf": [{"required": ["entity"]}, others]}, "then": {"$ref": "entity.json"}})
    made["trellis"] = {"$schema": DRAFT, "title": "A Trellis document", "type": "object", "allOf": choices}
    return made


def _name_entities(schema: Any, entities: list[str]) -> None:
    """Offer the entities' keys where an entity is meant; other texts stay allowed, for what is being written."""
    if isinstance(schema, list):
        for each in schema:
            _name_entities(each, entities)
    elif isinstance(schema, dict):
        properties = schema.get("properties")
        if isinstance(properties, dict):
            for key in _ENTITY_KEYS:
                if _is_free_text(properties.get(key)):
                    properties[key] = {**properties[key], "examples": entities}
        for value in schema.values():
            _name_entities(value, entities)


def _is_free_text(schema: Any) -> bool:
    """A text whose values are not fixed: numbers are allowed beside it where the characters as written count."""
    if not isinstance(schema, dict) or "pattern" in schema:
        return False
    kinds = schema.get("type")
    return "string" in (kinds if isinstance(kinds, list) else [kinds])
