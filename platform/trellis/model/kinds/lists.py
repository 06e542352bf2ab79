"""The kinds `choices`, `format`, `module` and `menu`."""

from __future__ import annotations

from trellis.model.kinds.parts import (
    BOOLEAN,
    COLOR,
    INTEGER,
    NAME,
    SNAKE,
    TEXT,
    Schema,
    closed,
    either,
    list_of,
    mapping,
    one_of,
)
from trellis.model.kinds.registry import kind

CHOICE = either(TEXT, closed({"label": TEXT, "color": COLOR, "was": NAME, "icon": NAME, "description": TEXT}))


@kind("choices", "a list of values that fields share", required=("values",))
def choices() -> dict[str, Schema]:
    """What a shared list may say."""
    return {
        "label": TEXT,
        "values": either(
            mapping(CHOICE, None, minProperties=1), list_of(either(TEXT, mapping(CHOICE, None)), minItems=1)
        ),
        "sort": one_of("label", "-label", "value", "-value", "none"),
    }


@kind("format", "a named format for texts", required=("pattern",))
def format_() -> dict[str, Schema]:
    """What a format may say."""
    return {
        "label": TEXT,
        "pattern": NAME,
        "message": TEXT,
        "example": TEXT,
        "case": one_of("upper", "lower"),
        "strip": TEXT,
    }


@kind("module", "a group of entities that a tenant switches on and off")
def module() -> dict[str, Schema]:
    """What a module may say."""
    return {"label": TEXT, "icon": NAME, "order": INTEGER, "color": COLOR}


_ITEM = either(
    NAME,
    closed(
        {"entity": NAME, "report": NAME, "dashboard": NAME, "pool": NAME, "label": TEXT, "icon": NAME}, minProperties=1
    ),
)


@kind("menu", "the sidebar: groups of entities, reports and dashboards")
def menu() -> dict[str, Schema]:
    """What a menu may say."""
    group = closed({"label": TEXT, "icon": NAME, "items": list_of(_ITEM), "collapsed": BOOLEAN, "order": INTEGER})
    return {"label": TEXT, "groups": mapping(group, SNAKE.replace("_]", "_-]"))}
