"""The shape of a field: the properties that all have, and the options of its type from the registry of field types."""

from __future__ import annotations

from functools import cache
from typing import Any

import trellis.model.fields  # noqa: F401  (fills the registry)
from trellis.config.phrase import phrase
from trellis.model.fields.registry import FIELD_TYPES, option_schema
from trellis.model.kinds.parts import (
    BOOLEAN,
    FORMULA,
    NAME,
    NAMES,
    SNAKE,
    TEXT,
    VALUE,
    Schema,
    closed,
    either,
    mapping,
    one_of,
    with_doc,
)

PLACES = ("form", "list", "export", "api")

COMMON: dict[str, Schema] = {
    "type": NAME,
    "label": with_doc(TEXT, "what people read; made from the key if left out"),
    "help": with_doc(TEXT, "a line of explanation below the field"),
    "placeholder": TEXT,
    "description": TEXT,
    "required": {**BOOLEAN, "x-hint": "a condition goes under required_when"},
    "unique": BOOLEAN,
    "default": with_doc(VALUE, "a value, or a formula after ="),
    "follow_default": with_doc(
        BOOLEAN, "the default is found anew when what it reads changes, until a value is set by hand"
    ),
    "readonly": {**either(BOOLEAN, one_of("after_create")), "x-hint": "a condition goes under readonly_when"},
    "hidden": either(BOOLEAN, {"type": "array", "items": one_of(*PLACES)}, one_of(*PLACES)),
    "visible_when": FORMULA,
    "required_when": FORMULA,
    "readonly_when": FORMULA,
    "choices_when": mapping(FORMULA, None),
    "clear_when_hidden": BOOLEAN,
    "formula": with_doc(FORMULA, "computed from other fields"),
    "rollup": with_doc(FORMULA, "computed over an inverse list and kept with the record"),
    "lookup": with_doc(FORMULA, "read through links: account.industry"),
    "pattern": with_doc(TEXT, "a regular expression that the whole text must match"),
    "pattern_message": TEXT,
    "format": with_doc(NAME, "a named format"),
    "search": BOOLEAN,
    "index": BOOLEAN,
    "audit": BOOLEAN,
    "copy": BOOLEAN,
    "stored": BOOLEAN,
    "translate": BOOLEAN,
    "personal": BOOLEAN,
    "role": one_of("owner"),
    "span": one_of("half", "full"),
    "unit": TEXT,
    "was": NAME,
    "inverse_label": TEXT,
    "place": closed(
        {
            "section": NAME,
            "after": NAME,
            "before": NAME,
            "column": closed({"after": NAME, "before": NAME, "views": NAMES}),
        }
    ),
}


def _options(name: str) -> Schema:
    schema = option_schema(FIELD_TYPES[name])
    properties = dict(schema["properties"])
    if "choices" in properties:
        properties["choices"] = _choices()
    if name == "links":
        properties["columns"] = mapping({"$ref": "#/definitions/field"}, SNAKE)
    if name == "any_link":
        properties["to"] = either(NAME, NAMES)
    if name in ("user", "team"):  # short for a link, so they take what a link takes
        properties |= {"one": BOOLEAN, "tree": BOOLEAN, "to": one_of(name)}
    return {**schema, "properties": properties}


def _choices() -> Schema:
    values = option_schema(FIELD_TYPES["choice"])["properties"]["choices"]
    known = next(b["properties"]["from"]["enum"] for b in values["anyOf"] if "properties" in b)
    choice = closed(
        {"label": TEXT, "color": TEXT, "was": NAME, "order": {"type": "integer"}, "icon": NAME, "description": TEXT}
    )
    written = mapping(either(TEXT, choice, {"type": "null"}), None)
    return {
        "description": values.get("description", ""),
        "x-expected": "a list of choices, the key of a `choices:` document, or {from: countries}",
        "anyOf": [
            NAME,
            {"type": "array", "items": either(TEXT, written), "minItems": 1},
            {
                "type": "object",
                "properties": {"from": one_of(*known, "roles")},
                "required": ["from"],
                "additionalProperties": False,
                "x-meant": {"": "choices are a list: [low, {high: High}]"},
            },
        ],
    }


@cache
def case(name: str) -> Schema:
    """The shape of a field of one type."""
    options = _options(name)
    required = list(options.get("required", []))
    # what a type declares itself stands before the common property of that name
    properties = {**COMMON, **options["properties"]}
    meant = {key: said for key, said in _belonging().items() if key not in properties}
    return closed(properties, tuple(required), **{"x-meant": meant})


@cache
def _belonging() -> dict[str, str]:
    """The types that take an option, in words, by the option."""
    found: dict[str, list[str]] = {}
    for name in FIELD_TYPES:
        for key in _options(name)["properties"]:
            found.setdefault(key, []).append(name)
    return {key: phrase("of {names}", names=names[:6] + ["…"] * (len(names) > 6)) for key, names in found.items()}


# what other systems call a type, for the hint
_ALIASES = {
    "string": "text",
    "varchar": "text",
    "textarea": "long_text",
    "markdown": "long_text",
    "html": "rich_text",
    "int": "integer",
    "number": "decimal",
    "float": "decimal",
    "double": "decimal",
    "currency": "money",
    "bool": "boolean",
    "checkbox": "boolean",
    "select": "choice",
    "enum": "choice",
    "picklist": "choice",
    "multiselect": "choices",
    "timestamp": "datetime",
    "date_time": "datetime",
    "reference": "link",
    "lookup": "link",
    "relation": "link",
    "many2one": "link",
    "many2many": "links",
    "attachment": "file",
    "picture": "image",
    "photo": "image",
    "autonumber": "sequence",
    "person": "user",
    "stars": "rating",
}


def field_schema() -> Schema:
    """The shape of any field, by its type; a derived one may leave the type out."""
    free: dict[str, Any] = {}
    for name in FIELD_TYPES:
        free |= _options(name)["properties"]
    return {
        "type": "object",
        "x-expected": "a mapping such as {type: text}",
        "x-cases": {
            "property": "type",
            "noun": "field type",
            "code": "E210",
            "aliases": _ALIASES,
            "cases": {name: case(name) for name in FIELD_TYPES},
            "otherwise": {**closed({**dict.fromkeys(free, VALUE), **COMMON}), "x-derived": True},
        },
    }
