"""Tools that write: create, change, move to a stage. Each write is told to the audit log as an assistant's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from trellis.api.assistants.learning import ENTITY, entity_for
from trellis.api.assistants.reading import ID, address_of, id_of
from trellis.api.assistants.tools import Result, client_name, tool
from trellis.api.assistants.words import RefusedWrite, ToolError
from trellis.api.problems import errors_of
from trellis.api.representation import whole
from trellis.api.resources.records import given_values
from trellis.model.entity import Entity
from trellis.records import auditing
from trellis.records.pipelines.pipeline import Track, tracks
from trellis.records.record import Record
from trellis.records.refusal import Refused
from trellis.records.store import Store

MEANS = "assistant"
VALUES = {
    "type": "object",
    "description": "Values by field key. A link takes an id, or the exact name of a record; dates are 2026-03-02.",
}
VERSION = {"type": "integer", "description": "As read_record told it: the change is refused if somebody was faster."}


def may_write(*actions: str) -> Any:
    """Whether a caller may do one of the actions with any entity at all."""
    return lambda store: any(store.may(a, key) for key in store.tenant.model.entities for a in actions)


@tool(
    "create_record",
    "Create a record",
    "Makes a record, with its lines if there are any (a list of objects under the list's name). What looks like a "
    "record that is there already is refused unless you set `duplicate`.",
    {
        "entity": ENTITY,
        "values": VALUES,
        "duplicate": {"type": "boolean", "description": "Make it although there is a similar one."},
    },
    required=("entity", "values"),
    writes=True,
    is_open=may_write("create"),
)
def create_record(store: Store, arguments: Mapping[str, Any]) -> Result:
    """A new record."""
    entity = entity_for(store, arguments["entity"])
    with writing(store, entity, "create_record") as done:
        values = linked(store, entity, given_values(entity, dict(arguments["values"])))
        confirmed = bool(arguments.get("duplicate"))
        record = store.create(entity.key, values, means=MEANS, confirmed=confirmed)
        return done(record)


@tool(
    "update_record",
    "Change a record",
    "Changes some fields of a record; what you do not name stays. A stage is changed by move_stage.",
    {"entity": ENTITY, "id": ID, "values": VALUES, "version": VERSION},
    required=("entity", "id", "values"),
    writes=True,
    is_open=may_write("update"),
)
def update_record(store: Store, arguments: Mapping[str, Any]) -> Result:
    """Other values."""
    entity = entity_for(store, arguments["entity"])
    with writing(store, entity, "update_record") as done:
        values = linked(store, entity, given_values(entity, dict(arguments["values"])))
        record = store.update(entity.key, id_of(arguments["id"]), values, version=arguments.get("version"), means=MEANS)
        return done(record)


@tool(
    "move_stage",
    "Move a record to a stage",
    "Moves a record along its pipeline, such as a deal to won. Give what the stage asks for in `values`, and the keys "
    "of the checklist's items that are done in `checklist`; describe_entity tells both.",
    {
        "entity": ENTITY,
        "id": ID,
        "stage": {"type": "string", "description": "The stage's key."},
        "values": VALUES,
        "checklist": {"type": "array", "items": {"type": "string"}},
        "field": {"type": "string", "description": "The stage field, where the entity has several."},
        "version": VERSION,
    },
    required=("entity", "id", "stage"),
    writes=True,
    is_open=may_write("update"),
)
def move_stage(store: Store, arguments: Mapping[str, Any]) -> Result:
    """Another stage."""
    entity = entity_for(store, arguments["entity"])
    track = _track(entity, arguments.get("field", ""))
    id = id_of(arguments["id"])
    with writing(store, entity, "move_stage") as done:
        values = linked(store, entity, given_values(entity, dict(arguments.get("values", {}))))
        values[track.field] = arguments["stage"]
        if ticked := arguments.get("checklist"):
            record = store.read(entity.key, id, fields=[track.field, track.checklist])
            here = [key if "." in key else f"{record[track.field]}.{key}" for key in ticked]
            values[track.checklist] = list(dict.fromkeys([*(record[track.checklist] or ()), *here]))
        record = store.update(entity.key, id, values, version=arguments.get("version"), means=MEANS)
        return done(record)


@contextmanager
def writing(store: Store, entity: Entity, name: str) -> Iterator[Callable[[Record], Result]]:
    """One transaction for a write, its entry in the audit log and what is answered. Raises RefusedWrite."""

    def done(record: Record) -> Result:
        told = {"tool": name, "client": client_name.get(), "version": record.version}
        auditing.note(store.session, "assistant.wrote", entity=entity.key, record=record.id, details=told)
        body = whole(store, entity, record) | {"url": address_of(entity.key, record.id)}
        return body | {"_warnings": errors_of(record.warnings)} if record.warnings else body

    try:
        with store.transaction():
            yield done
    except Refused as refused:
        raise refused if isinstance(refused, RefusedWrite) else RefusedWrite(refused, entity) from refused


def linked(store: Store, entity: Entity, values: dict[str, Any]) -> dict[str, Any]:
    """The values, with records that are named by their titles found. Raises ToolError with those that are near."""
    found = dict(values)
    for key, value in values.items():
        field = entity.fields.get(key)
        kind = field.type.formula_type() if field is not None else None
        if kind is not None and kind.kind == "record" and len(kind.entities) == 1 and isinstance(value, str):
            found[key] = _by_name(store, kind.entities[0], key, value)
    return found


def _by_name(store: Store, target: str, field: str, text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        pass
    if not text.strip() or not store.may("read", target):
        return text
    near = store.pick(target, text, limit=6)
    exact = [choice for choice in near if choice.title.strip().casefold() == text.strip().casefold()]
    if len(exact) == 1:
        return str(exact[0].ref.id)
    named = "; ".join(f"{c.title} ({c.ref.id})" for c in (exact or near))
    hint = f"Which one is it: {named}?" if named else f"Search {target} for the right one, or create it first."
    raise ToolError(f"{field}: there is no single {target} of the name “{text}”. {hint}")


def _track(entity: Entity, field: str) -> Track:
    found = [track for track in tracks(entity) if not field or track.field == field]
    if not found:
        named = ", ".join(track.field for track in tracks(entity))
        hint = f"Its stage fields are: {named}." if named else "Use update_record to change its fields."
        raise ToolError(f"{entity.key} has no stages in “{field or 'stage'}”. {hint}")
    return found[0]
