"""A record's history: who changed what, when, by what means."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, request

from trellis.api.app import api
from trellis.api.asking import limit_of, whole_number
from trellis.api.representation import json_response
from trellis.api.scope import PLACE, entity_of
from trellis.formula.types import Value
from trellis.model.entity import Entity
from trellis.model.fields.relations import ref_json
from trellis.records.record import Change, FieldChange
from trellis.web.context import current_store


@api.get("/<entity>/<uuid:id>/history")
def read_history(entity: str, id: UUID) -> Response:
    """The changes of a record, the newest first; `before` is the id of the last one that was read."""
    store = current_store()
    definition = entity_of(store, entity)
    limit = limit_of(request.args)
    found = store.history(entity, id, limit=limit + 1, before=whole_number(request.args, "before"))
    rows = [_change(definition, change) for change in found[:limit]]
    return json_response({"data": rows, "next": rows[-1]["id"] if len(found) > limit else None})


def _change(entity: Entity, change: Change) -> dict[str, Any]:
    return {
        "id": change.id,
        "at": change.at,
        "by": ref_json(change.by) if change.by is not None else None,
        "kind": change.kind,
        "means": change.means,
        "version": change.version,
        "changes": [_field(entity, c) for c in change.changes if _is_shown(entity, c.field)],
    }


def _is_shown(entity: Entity, path: str) -> bool:
    field = entity.fields.get(path)
    return field is None or (PLACE not in field.hidden and not field.type.is_write_only)


def _field(entity: Entity, change: FieldChange) -> dict[str, Any]:
    field = entity.fields.get(change.field)

    def written(value: Value) -> Any:
        return value if value is None or field is None else field.type.to_json(value)

    return {"field": change.field, "old": written(change.old), "new": written(change.new)}
