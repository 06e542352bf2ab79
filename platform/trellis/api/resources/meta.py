"""The Model as this caller may know it."""

from __future__ import annotations

from flask import Response

from trellis.api.app import api
from trellis.api.caller import current_caller
from trellis.api.describe import describe, summary
from trellis.api.representation import json_response
from trellis.api.scope import entity_of, open_entities
from trellis.web.context import current_store


@api.get("/meta")
def read_meta() -> Response:
    """Every entity that the caller may use, and who the caller is."""
    store, caller = current_store(), current_caller()
    profile = store.tenant.profile
    return json_response(
        {
            "tenant": {
                "key": store.tenant.slug,
                "label": profile.label,
                "currency": profile.currency,
                "time_zone": profile.time_zone,
                "revision": store.tenant.revision,
            },
            "caller": {
                "id": str(caller.person.id),
                "name": caller.person.name,
                "roles": sorted(store.principal.roles),
                "key": caller.key.name if caller.key else None,
                "scopes": list(caller.key.scopes) if caller.key and caller.key.scopes is not None else None,
            },
            "entities": [summary(store, entity) for entity in open_entities(store)],
        }
    )


@api.get("/meta/<entity>")
def read_entity(entity: str) -> Response:
    """One entity: fields with their types, links, pipelines, views."""
    store = current_store()
    return json_response(describe(store, entity_of(store, entity)))
