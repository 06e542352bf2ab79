"""The kind `entity`."""

from __future__ import annotations

from trellis.model.kinds.field import field_schema
from trellis.model.kinds.parts import (
    BIN,
    BOOLEAN,
    COLOR,
    FORMULA,
    INTEGER,
    NAME,
    NAME_OR_NAMES,
    NAMES,
    SNAKE,
    TEXT,
    Schema,
    closed,
    either,
    list_of,
    mapping,
    one_of,
    with_doc,
)
from trellis.model.kinds.registry import kind

MAX_FIELDS = 800  # PostgreSQL takes 1,600 columns, and some types need two
TOTALS = one_of("sum", "avg", "min", "max", "count")
_MEMBER = either(NAME, closed({"field": NAME, "span": one_of("half", "full")}, ("field",)))
_SECTION = closed(
    {
        "label": TEXT,
        "columns": {"type": "integer", "minimum": 1, "maximum": 4},
        "tab": TEXT,
        "fields": list_of(_MEMBER),
        "visible_when": FORMULA,
        "help": TEXT,
        "description": TEXT,
    }
)
_VIEW = closed(
    {
        "type": one_of("list", "kanban", "calendar", "map"),
        "label": TEXT,
        "description": TEXT,
        "icon": NAME,
        "filter": FORMULA,
        "sort": NAME_OR_NAMES,
        "columns": NAMES,
        "totals": mapping(TOTALS, None),
        "group": NAME,
        "card": NAMES,
        "hide": NAME_OR_NAMES,
        "start": NAME,
        "end": NAME,
        "all_day": NAME,
        "color": NAME,
        "location": NAME,
        "roles": NAME_OR_NAMES,
    }
)
_UNIQUE = either(NAMES, closed({"fields": NAMES, "case": BOOLEAN, "message": TEXT}, ("fields",)))
_DEDUPE = closed(
    {
        "match": with_doc(
            NAMES,
            "fields that must all be the same: name, exact(name), similar(name), similar(name, 0.8), domain(website)",
        ),
        "action": one_of("block", "warn"),
        "against": with_doc(
            either(NAME_OR_NAMES, mapping(either({"type": "null"}, mapping(NAME, SNAKE)), SNAKE)),
            "look in these entities instead of the own one; with the name of the field there by the own one",
        ),
    },
    ("match",),
)
_RELATED = either(
    NAME,
    closed({"list": NAME, "columns": NAMES, "label": TEXT, "visible_when": FORMULA, "sort": NAME_OR_NAMES}, ("list",)),
)
_FEATURES = ("activities", "comments", "files", "followers", "tags", "import", "export", "api")


@kind("entity", "a kind of record: its fields, rules, views and forms", is_snake=True)
def entity() -> dict[str, Schema]:
    """What an entity may say."""
    return {
        "label": TEXT,
        "plural": TEXT,
        "icon": with_doc(NAME, "a Tabler icon"),
        "color": COLOR,
        "module": NAME,
        "title": with_doc(NAME, 'a field, or a text such as "{number} {account.name}"'),
        "key": with_doc(NAME, "the natural key for imports and references"),
        "abstract": BOOLEAN,
        "extends": NAME,
        "part_of": NAME,
        "was": NAME,
        "rate_date": with_doc(NAME, "the date field whose exchange rates hold; without it, the day of creation"),
        "fields": mapping({"$ref": "#/definitions/field"}, SNAKE, maxProperties=MAX_FIELDS),
        "rules": mapping(closed({"check": FORMULA, "message": TEXT, "field": NAME}, ("check",))),
        "unique": mapping(_UNIQUE),
        "indexes": mapping(NAME_OR_NAMES),
        "dedupe": mapping(_DEDUPE),
        "merge": with_doc(BOOLEAN, "whether records may be merged"),
        "filters": mapping(closed({"label": TEXT, "filter": FORMULA, "description": TEXT}, ("filter",))),
        "views": mapping(_VIEW),
        "form": mapping(_SECTION),
        "forms": mapping({"type": "object", "properties": {"roles": NAME_OR_NAMES}, "additionalProperties": _SECTION}),
        "quick_create": NAMES,
        "page": closed(
            {
                "highlights": NAMES,
                "related": list_of(_RELATED),
                "timeline": either(NAMES, closed({"fields": NAMES})),
            }
        ),
        "bin": BIN,
        "features": closed(dict.fromkeys(_FEATURES, BOOLEAN)),
        "order": INTEGER,
    }


DEFINITIONS = {"field": field_schema}
