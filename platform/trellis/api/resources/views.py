"""The lists of an entity that have a name: `?view=<key>` of the list gives their records."""

from __future__ import annotations

from typing import Any

from flask import Response

from trellis.api.app import api
from trellis.api.representation import json_response
from trellis.api.scope import entity_of
from trellis.web.context import current_store
from trellis.web.filters.fields import Sight
from trellis.web.i18n import say
from trellis.web.lists.saved import saved_views
from trellis.web.lists.state import every_view, write_sort


@api.get("/<entity>/views")
def list_views(entity: str) -> Response:
    """The entity's views, and those that the person has saved."""
    store = current_store()
    definition = entity_of(store, entity)
    sight = Sight(store)
    rows: list[dict[str, Any]] = [
        {
            "key": key,
            "label": say(view.label),
            "type": view.type,
            "columns": [path for path in view.columns if sight.path(definition, path)],
            "sort": write_sort(tuple(s for s in view.sort if sight.path(definition, s.path))),
            "saved": False,
        }
        for key, view in every_view(definition, store.principal.roles).items()
    ]
    rows += [
        {"key": v.key, "label": v.label, "type": None, "columns": [], "sort": "", "saved": True}
        for v in saved_views(store, entity)
    ]
    return json_response({"data": rows, "next": None})
