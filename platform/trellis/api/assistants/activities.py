"""Tools for what is done about records: a note, a task. Whatever the Model calls them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trellis.api.assistants.learning import ENTITY, entity_for
from trellis.api.assistants.reading import ID, id_of
from trellis.api.assistants.tools import Result, tool
from trellis.api.assistants.words import ToolError
from trellis.api.assistants.writing import MEANS, linked, writing
from trellis.formula.types import Ref
from trellis.records.store import Store
from trellis.web.timeline.activities import Activity, activity_links

NOTE, TASK = "note", "task"


def _there_is(key: str) -> Any:
    return lambda store: key in store.tenant.model.entities and store.may("create", key)


@tool(
    "add_note",
    "Add a note to a record",
    "Keeps a text on a record's timeline, such as the summary of a conversation.",
    {"entity": ENTITY, "id": ID, "text": {"type": "string", "minLength": 1, "maxLength": 20000}},
    required=("entity", "id", "text"),
    writes=True,
    is_open=_there_is(NOTE),
)
def add_note(store: Store, arguments: Mapping[str, Any]) -> Result:
    """A note about a record."""
    activity, about = _about(store, arguments, NOTE)
    if not activity.text:
        raise ToolError("Notes have no text that you may write.")
    with writing(store, activity.entity, "add_note") as done:
        values = {activity.field: about, activity.text: arguments["text"]}
        return done(store.create(activity.key, values, means=MEANS))


@tool(
    "add_task",
    "Add a task about a record",
    "Makes a task about a record, for you or for somebody else (`owner`: the person's name), with a due date.",
    {
        "entity": ENTITY,
        "id": ID,
        "subject": {"type": "string", "minLength": 1, "maxLength": 200},
        "due": {"type": "string", "format": "date", "description": "2026-03-02"},
        "owner": {"type": "string", "description": "A person's name or id; without it, you."},
        "description": {"type": "string"},
    },
    required=("entity", "id", "subject"),
    writes=True,
    is_open=_there_is(TASK),
)
def add_task(store: Store, arguments: Mapping[str, Any]) -> Result:
    """A task about a record."""
    activity, about = _about(store, arguments, TASK)
    entity = activity.entity
    title = entity.title_field if entity.title_field in entity.fields else "subject"
    given: dict[str, Any] = {str(title): arguments["subject"], activity.field: about}
    for name in ("due", "owner", "description"):
        if name in arguments:
            if name not in entity.fields:
                raise ToolError(f"Tasks have no “{name}” here.")
            given[name] = arguments[name]
    with writing(store, entity, "add_task") as done:
        return done(store.create(entity.key, linked(store, entity, given), means=MEANS))


def _about(store: Store, arguments: Mapping[str, Any], key: str) -> tuple[Activity, Ref]:
    """The kind of activity that may be about this record, and the record. Raises ToolError or Missing."""
    entity = entity_for(store, arguments["entity"])
    record = store.read(entity.key, id_of(arguments["id"]), fields=())
    found = next((a for a in activity_links(store, entity) if a.key == key), None)
    if found is None:
        raise ToolError(f"There are no {key}s about {entity.key} records.")
    return found, record.ref
