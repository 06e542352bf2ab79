"""Schemas of records: what is given, what is taken when one is made, what when one is changed."""

from __future__ import annotations

from typing import Any

from trellis.api.representation import SYSTEM
from trellis.api.scope import part_lists, readable, writable
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.records.store import Store
from trellis.web.i18n import say

Schema = dict[str, Any]
UUID_TEXT: Schema = {"type": "string", "format": "uuid"}
MOMENT: Schema = {"type": "string", "format": "date-time"}


def schema_name(entity: Entity) -> str:
    """An entity's key as schemas are named: price_list → PriceList; problem → ProblemRecord, for a Problem is ours."""
    name = "".join(part.title() for part in entity.key.split("_"))
    return f"{name}Record" if name in COMMON or name.startswith("Webhook") else name


def ref(name: str) -> Schema:
    """A pointer to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def nullable(schema: Schema) -> Schema:
    """The same, or null."""
    kind = schema.get("type")
    if "oneOf" in schema:
        return {**schema, "oneOf": [*schema["oneOf"], {"type": "null"}]}
    if kind is None:
        return schema
    kinds = [*([kind] if isinstance(kind, str) else kind), "null"]
    return {**schema, "type": kinds, **({"enum": [*schema["enum"], None]} if "enum" in schema else {})}


def record_schemas(store: Store, entity: Entity) -> dict[str, Schema]:
    """The entity's three schemas by name."""
    name = schema_name(entity)
    lists = part_lists(store, entity)
    entities = store.tenant.model.entities
    shown = {f.key: _given(store, entity, f) for f in readable(store, entity) if f.key not in SYSTEM}
    taken = {f.key: _taken(f) for f in writable(store, entity)}
    for key, inverse in lists.items():
        part = schema_name(entities[inverse.entity])
        shown[key] = {"type": "array", "items": ref(part)}
        if store.may("update", entity.key) or store.may("create", entity.key):
            taken[key] = {"type": "array", "items": ref(f"{part}Line"), "description": "Replaces the list."}
    head: dict[str, Schema] = {
        "id": UUID_TEXT,
        "version": {"type": "integer"},
        "_title": {"type": "string"},
        "deleted_at": MOMENT,
        "_gone": {"enum": ["deleted", "not_visible"], "description": "In a change feed, of what is gone."},
        "_warnings": {"type": "array", "items": ref("Error")},
    }
    required = [f.key for f in writable(store, entity) if f.required and f.default is None and not f.is_derived]
    create: Schema = {"type": "object", "properties": taken, "additionalProperties": False}
    # no `title`: generators take it for the name of a class, and two entities may have one label
    described = {"description": ". ".join(filter(None, (say(entity.label), say(entity.description))))}
    found = {
        name: {"type": "object", **described, "properties": head | shown},
        f"{name}Create": {**create, "required": required} if required else create,
        f"{name}Patch": create,
    }
    found[name]["required"] = ["id"]  # all there is of what is gone, in a change feed
    if entity.part_of is not None:  # a line that has an id is one that is there
        found[f"{name}Line"] = {**create, "properties": {"id": UUID_TEXT, **taken}}
    return found


def _given(store: Store, entity: Entity, field: Field) -> Schema:
    if store.session.permit.modes(entity.key).get(field.key) == "masked":
        return {"title": say(field.label), "description": "Masked: shown in part."}
    return _titled(field, nullable(field.type.json_schema()))


def _taken(field: Field) -> Schema:
    schema = _titled(field, nullable(field.type.json_input()))
    return {**schema, "writeOnly": True} if field.type.is_write_only else schema


def _titled(field: Field, schema: Schema) -> Schema:
    about: Schema = {"title": say(field.label)}
    if "object" in str(schema.get("type")) or "oneOf" in schema:  # a class: price of product is no product_price
        about["title"] = f"{field.key} {field.type.name}"
    if field.help:
        about["description"] = say(field.help)
    return {**schema, **about}


COMMON: dict[str, Schema] = {
    "Error": {
        "type": "object",
        "properties": {
            "field": {"type": ["string", "null"]},
            "code": {"type": "string"},
            "message": {"type": "string"},
            "offset": {"type": "integer"},
            "length": {"type": "integer"},
        },
        "required": ["field", "code", "message"],
    },
    "Problem": {
        "type": "object",
        "description": "RFC 9457.",
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "instance": {"type": "string"},
            "errors": {"type": "array", "items": ref("Error")},
        },
        "required": ["type", "title", "status", "detail"],
    },
    "Count": {
        "type": "object",
        "properties": {"n": {"type": "integer"}, "capped": {"type": "boolean"}},
        "required": ["n", "capped"],
    },
    "Outcome": {
        "type": "object",
        "properties": {
            "status": {"enum": ["created", "updated", "unchanged", "deleted", "refused", "undone"]},
            "id": nullable(UUID_TEXT),
            "errors": {"type": "array", "items": ref("Error")},
        },
        "required": ["status", "id"],
    },
    "Outcomes": {
        "type": "object",
        "properties": {
            "entity": {"type": "string"},
            "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
            "data": {"type": "array", "items": ref("Outcome")},
        },
        "required": ["entity", "counts", "data"],
    },
    "Pool": {
        "type": "object",
        "properties": {
            "key": {"type": "string"},
            "label": {"type": "string"},
            "records": {"type": "integer"},
            "hidden": {"type": "array", "items": {"type": "string"}},
            "claimed_today": {"type": "integer"},
            "per_day": {"type": ["integer", "null"]},
            "held": {"type": "integer"},
            "holding": {"type": ["integer", "null"]},
            "locked": {"type": "integer"},
            "locks": {"type": ["integer", "null"]},
            "team_held": {"type": "integer"},
            "team_holding": {"type": ["integer", "null"]},
        },
        "required": ["key", "label", "records", "hidden"],
        "additionalProperties": False,
    },
    "PoolOutcomes": {
        "type": "object",
        "properties": {
            "data": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "id": UUID_TEXT,
                        "status": {"enum": ["done", "refused"]},
                        "error": {"type": "string"},
                    },
                    "required": ["id", "status"],
                    "additionalProperties": False,
                },
            }
        },
        "required": ["data"],
        "additionalProperties": False,
    },
    "Share": {
        "type": "object",
        "properties": {
            "id": UUID_TEXT,
            "with": {"type": "object"},
            "level": {"enum": ["read", "write"]},
            "until": {"type": ["string", "null"], "format": "date"},
            "over": {"type": "boolean"},
            "at": MOMENT,
            "by": {"type": ["object", "null"]},
        },
        "required": ["id", "with", "level", "until", "over", "at", "by"],
        "additionalProperties": False,
    },
    "Change": {
        "type": "object",
        "properties": {
            "id": {"type": "integer"},
            "at": MOMENT,
            "by": {"type": ["object", "null"]},
            "kind": {"type": "string"},
            "means": {"type": "string"},
            "version": {"type": ["integer", "null"]},
            "changes": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"field": {"type": "string"}, "old": {}, "new": {}},
                    "required": ["field", "old", "new"],
                },
            },
        },
        "required": ["id", "at", "by", "kind", "means", "version", "changes"],
    },
    "File": {
        "type": "object",
        "properties": {
            "id": UUID_TEXT,
            "name": {"type": "string"},
            "size": {"type": "integer"},
            "type": {"type": "string"},
        },
        "required": ["id", "name", "size", "type"],
    },
    "Linked": {
        "type": "object",
        "properties": {"id": UUID_TEXT, "version": {"type": "integer"}, "_title": {"type": "string"}, "_link": {}},
        "required": ["id", "version", "_title"],
    },
}
