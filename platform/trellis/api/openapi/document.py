"""The document, made once for all callers with the same rights under the same Model."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import orjson

from trellis.api.openapi.operations import ALWAYS, PARAMETERS, REFUSALS, Operations, answers, page_of
from trellis.api.openapi.reporting import report_paths
from trellis.api.openapi.schemas import COMMON, Schema, record_schemas, ref
from trellis.api.openapi.webhooks import SCHEMAS, webhook_paths
from trellis.api.scope import PLACE, open_entities, part_lists
from trellis.records.store import Store
from trellis.reports.dashboards.seen import dashboards_of
from trellis.reports.seen import reports_of

KEPT = 200
_documents: OrderedDict[tuple[object, ...], bytes] = OrderedDict()

ABOUT = """Send `Authorization: Bearer <API key>`. Refusals are `application/problem+json` (RFC 9457).

`filter` is a formula as everywhere in Trellis. Numbers are JSON numbers where those are exact, else text. Dates are
ISO 8601, moments UTC. A change needs `If-Match` with the record's ETag, or `*`."""


def document(store: Store, *, base: str, language: str) -> bytes:
    """The OpenAPI document for this caller, as JSON. `base` is the API's address, `language` that of the labels."""
    profile = store.tenant.profile
    key = (store.tenant.model.hash, store.session.permit.cache_key, is_admin(store), profile.label, base, language)
    found = _documents.get(key)
    if found is None:
        found = _documents[key] = orjson.dumps(_make(store, profile.label, base))
        while len(_documents) > KEPT:
            _documents.popitem(last=False)
    else:
        _documents.move_to_end(key)
    return found


def is_admin(store: Store) -> bool:
    """Whether the caller may do what only administrators may, with a key that is not narrowed."""
    roles, principal = store.tenant.model.roles, store.principal
    return principal.scopes is None and any("admin" in roles[r].allow for r in principal.roles if r in roles)


def _make(store: Store, label: str, base: str) -> dict[str, Any]:
    entities = open_entities(store)
    paths: dict[str, Schema] = _of_the_model()
    if reports_of(store, PLACE):
        paths |= report_paths()
        paths |= _of_dashboards() if dashboards_of(store) else {}
    schemas = dict(COMMON)
    if is_admin(store):
        paths |= webhook_paths()
        schemas |= SCHEMAS
    wanted = {e.key: e for e in entities}
    for entity in entities:  # lines are part of their parent's schema, whether they have operations or not
        wanted |= {i.entity: store.tenant.model.entities[i.entity] for i in part_lists(store, entity).values()}
    for entity in wanted.values():
        schemas |= record_schemas(store, entity)
    for entity in entities:
        paths |= Operations(store, entity).make()
    return {
        "openapi": "3.1.0",
        "info": {"title": label, "version": "1", "description": ABOUT},
        "servers": [{"url": base}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "parameters": PARAMETERS,
            "responses": {code: _refusal(doc) for code, doc in REFUSALS.items()},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _of_the_model() -> dict[str, Schema]:
    """What belongs to no entity."""
    told = {"type": "object"}
    entity = {"name": "entity", "in": "path", "required": True, "schema": {"type": "string"}}
    refusals = [code for code in ALWAYS if code != "404"]
    return {
        "/meta": {
            "get": {"operationId": "meta", "tags": ["meta"], "responses": answers("200", "", told, refusals)},
        },
        "/meta/{entity}": {
            "get": {
                "operationId": "meta_of",
                "tags": ["meta"],
                "parameters": [entity],
                "responses": answers("200", "An entity.", told, ALWAYS),
            }
        },
    }


def _of_dashboards() -> dict[str, Schema]:
    """Dashboards are addressed by their keys, too."""
    refusals = [code for code in ALWAYS if code != "404"]
    return {
        "/dashboards": {
            "get": {
                "operationId": "list_dashboards",
                "tags": ["dashboards"],
                "responses": answers(
                    "200", "The dashboards that the caller may open.", page_of({"type": "object"}), refusals
                ),
            }
        },
        "/dashboards/{key}": {
            "get": {
                "operationId": "read_dashboard",
                "tags": ["dashboards"],
                "description": "The dashboard's filters are parameters of the query; `/dashboards` names them.",
                "parameters": [{"name": "key", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": answers("200", "Its widgets with their data.", _DASHBOARD, [*ALWAYS, "422"]),
            }
        },
    }


_DASHBOARD: Schema = {
    "type": "object",
    "required": ["key", "label", "widgets"],
    "properties": {
        "key": {"type": "string"},
        "label": {"type": "string"},
        "description": {"type": "string"},
        "filters": {"type": "array", "items": {"type": "object"}},
        "widgets": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["key", "kind", "label", "at"],
                "properties": {
                    "key": {"type": "string"},
                    "kind": {"type": "string"},
                    "label": {"type": "string"},
                    "at": {"type": "array", "items": {"type": "integer"}},
                    "closed": {"type": "boolean", "description": "The widget is not for the caller."},
                    "error": {"type": "string"},
                },
            },
        },
    },
}


def _refusal(doc: str) -> Schema:
    return {"description": doc, "content": {"application/problem+json": {"schema": ref("Problem")}}}
