"""Tools for finding out what there is: entities, and one entity whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trellis.api.assistants.tools import Result, tool
from trellis.api.assistants.words import no_entity
from trellis.api.describe import describe, summary
from trellis.api.scope import entity_of, open_entities
from trellis.model.entity import Entity
from trellis.records.refusal import Missing
from trellis.records.store import Store
from trellis.web.i18n import say

ENTITY = {"type": "string", "description": "The entity's key, such as “contact”; list_entities tells them."}


@tool(
    "list_entities",
    "List the kinds of records",
    "The kinds of records (entities) of this CRM that you can use, with what you may do with each. Begin here.",
    {},
)
def list_entities(store: Store, _arguments: Mapping[str, Any]) -> Result:
    """Every entity that the caller may use."""
    entities = [
        {**summary(store, entity), "description": say(entity.description) if entity.description else None}
        for entity in open_entities(store)
    ]
    return {"company": store.tenant.profile.label, "you": store.principal.name, "entities": entities}


@tool(
    "describe_entity",
    "Describe one kind of record",
    "An entity whole: its fields with types, choices and whether you may write them, its linked lists, its pipelines "
    "with their stages, its views. Ask this before you filter or write records of it.",
    {"entity": ENTITY},
    required=("entity",),
)
def describe_entity(store: Store, arguments: Mapping[str, Any]) -> Result:
    """One entity."""
    entity = entity_for(store, arguments["entity"])
    told = describe(store, entity)
    for field in told["fields"]:  # shorter for the assistant: what a type takes is told by its name and choices
        field.pop("schema", None)
        for name in [n for n, value in field.items() if value in (None, False, [])]:
            del field[name]
    return told


def entity_for(store: Store, key: str) -> Entity:
    """An entity of this caller's; ToolError with the nearest name when there is none."""
    try:
        return entity_of(store, key)
    except Missing as missing:
        raise no_entity(key, [entity.key for entity in open_entities(store)]) from missing
