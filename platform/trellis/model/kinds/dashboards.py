"""The kind `dashboard`; what a widget may say is in the registry of widgets."""

from __future__ import annotations

from trellis.model.dashboards import kinds as widgets  # whole: each of the two may be imported first
from trellis.model.kinds.parts import DURATION, NAME, NAME_OR_NAMES, SNAKE, TEXT, VALUE, Schema, closed, either, mapping
from trellis.model.kinds.registry import kind
from trellis.model.kinds.reports import MAIL

FILTERS = ("user", "team", "date_range", "choice", "link", "boolean")


@kind("dashboard", "a page of numbers, charts and lists", required=("widgets",))
def dashboard() -> dict[str, Schema]:
    """What a dashboard may say."""
    forms = {
        name: closed({name: kind.value, **widgets.COMMON, **kind.options}, (name,))
        for name, kind in widgets.KINDS.items()
    }
    narrowed = closed(
        {
            "type": {"enum": list(FILTERS)},
            "label": TEXT,
            "default": VALUE,
            "choices": VALUE,
            "to": NAME,
            "field": either(NAME, mapping(NAME, SNAKE)),
        },
        ("type",),
    )
    return {
        "label": TEXT,
        "icon": NAME,
        "roles": NAME_OR_NAMES,
        "filters": mapping(narrowed, SNAKE),
        "widgets": mapping({"type": "object", "x-forms": {"noun": "widget", "keys": forms}}),
        "refresh": DURATION,
        "mail": MAIL,
    }
