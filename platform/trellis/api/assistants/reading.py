"""Tools for reading: searching, listing by a formula, one record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import request, url_for

from trellis.api.asking import check_open
from trellis.api.assistants.learning import ENTITY, entity_for
from trellis.api.assistants.tools import Result, tool
from trellis.api.assistants.words import RefusedWrite, ToolError
from trellis.api.representation import default_paths, record_json, shown, whole
from trellis.api.scope import open_entities
from trellis.model.entity import Entity
from trellis.model.view import Sort
from trellis.records.privacy.access import Reading
from trellis.records.refusal import Missing, Refused
from trellis.records.store import Store, as_id
from trellis.web.auditing import gave_out

MOST = 100
USUAL = 20
FEW = 8  # columns of a list when none are asked for
ID = {"type": "string", "description": "The record's id."}


@tool(
    "search",
    "Search records by words",
    "Records of any kind that match some words, the best first: by name, number, e-mail address, phone number. "
    "Use list_records for conditions on fields.",
    {
        "query": {"type": "string", "minLength": 1, "maxLength": 200},
        "entities": {"type": "array", "items": ENTITY, "description": "Only these kinds; without it, all."},
        "limit": {"type": "integer", "minimum": 1, "maximum": 50},
    },
    required=("query",),
)
def search(store: Store, arguments: Mapping[str, Any]) -> Result:
    """Records that match."""
    wanted = [entity_for(store, key).key for key in arguments.get("entities", ())]
    wanted = wanted or [entity.key for entity in open_entities(store) if store.may("read", entity.key)]
    found = store.search(arguments["query"], entities=wanted, limit=arguments.get("limit", USUAL))
    return {
        "found": [
            {
                "entity": choice.ref.entity,
                "id": str(choice.ref.id),
                "title": choice.title,
                "detail": choice.detail,
                "url": address_of(choice.ref.entity, choice.ref.id),
            }
            for choice in found
        ]
    }


@tool(
    "list_records",
    "List records by a formula",
    "A page of records of one entity. `filter` is a formula over its fields, which may reach over links: "
    'status == "open" and account.city == "Berlin" and amount > 1000 and due < today() + days(7) and owner == me. '
    "Text is written in double quotes, choices by their keys. `fields` are paths such as name or account.name.",
    {
        "entity": ENTITY,
        "filter": {"type": "string", "maxLength": 4000},
        "fields": {"type": "array", "items": {"type": "string"}, "maxItems": 50},
        "sort": {"type": "array", "items": {"type": "string"}, "maxItems": 5, "description": "-due: downwards"},
        "limit": {"type": "integer", "minimum": 1, "maximum": MOST, "description": f"{USUAL} when it is not given"},
        "cursor": {"type": "string", "description": "`next` of the page before"},
        "count": {"type": "boolean", "description": "Also say how many match, up to 10,000."},
    },
    required=("entity",),
)
def list_records(store: Store, arguments: Mapping[str, Any]) -> Result:
    """A page of a list."""
    entity = entity_for(store, arguments["entity"])
    asked = arguments.get("fields") or _few(store, entity)
    paths = [path for path in dict.fromkeys(asked) if path not in ("id", "version")]
    where = [arguments["filter"]] if arguments.get("filter", "").strip() else []
    sort = tuple(Sort(text.lstrip("-"), descending=text.startswith("-")) for text in arguments.get("sort", ()))
    try:
        check_open(store, entity, paths)
        with store.transaction():
            page = store.list(
                entity.key,
                columns=paths,
                where=where,
                sort=sort,
                limit=arguments.get("limit", USUAL),
                cursor=arguments.get("cursor"),
            )
            fields = shown(store, entity, paths)
            result: Result = {"records": [record_json(row, fields) for row in page.rows], "next": page.next}
            if arguments.get("count"):
                count = store.count(entity.key, where=where)
                result["count"] = {"n": count.n, "capped": count.capped}
    except Refused as refused:
        raise RefusedWrite(refused, entity) from refused
    gave_out(Reading("assistant", entity.key, None, len(page.rows), arguments.get("filter")))
    return result


@tool(
    "read_record",
    "Read one record",
    "A record with every field that you may see and its lines (parts such as the positions of an order). "
    "`version` is needed to change it safely; `url` is where a person opens it.",
    {"entity": ENTITY, "id": ID},
    required=("entity", "id"),
)
def read_record(store: Store, arguments: Mapping[str, Any]) -> Result:
    """One record."""
    entity = entity_for(store, arguments["entity"])
    with store.transaction():
        record = store.read(entity.key, id_of(arguments["id"]))
        body = whole(store, entity, record)
    gave_out(Reading("assistant", entity.key, record.id))
    return body | {"url": address_of(entity.key, record.id)}


@tool(
    "read_history",
    "Read what happened to a record",
    "The changes of a record, the newest first: who, when, from what to what.",
    {"entity": ENTITY, "id": ID, "limit": {"type": "integer", "minimum": 1, "maximum": MOST}},
    required=("entity", "id"),
)
def read_history(store: Store, arguments: Mapping[str, Any]) -> Result:
    """The changes of a record."""
    from trellis.api.resources.history import _change

    entity = entity_for(store, arguments["entity"])
    record = id_of(arguments["id"])
    found = store.history(entity.key, record, limit=arguments.get("limit", USUAL))
    gave_out(Reading("assistant", entity.key, record))
    return {"changes": [_change(entity, change) for change in found]}


def id_of(text: str) -> UUID:
    """An id as it was given; ToolError for a text that is none."""
    try:
        return as_id(text)
    except Missing as missing:
        message = f"“{text}” is no id of a record; search or list_records give ids."
        raise ToolError(message) from missing


def address_of(entity: str, id: UUID) -> str:
    """Where a person opens a record."""
    return (
        f"{request.url_root.rstrip('/')}{url_for('RecordView.show', entity=entity, id=id)[len(request.script_root) :]}"
    )


def _few(store: Store, entity: Entity) -> list[str]:
    """The columns of the entity's first list, else its first fields."""
    readable = set(default_paths(store, entity))
    view = next((v for v in entity.views.values() if v.type == "list" and v.columns), None)
    wanted = list(view.columns) if view is not None else []
    named = [path for path in wanted if path.partition(".")[0] in readable]
    return named or [path for path in default_paths(store, entity) if path in readable][:FEW]
