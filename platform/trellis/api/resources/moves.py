"""Moving a record along its pipeline, with what the gate asks for."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from flask_babel import gettext as _

from trellis.api.app import api
from trellis.api.asking import read_body, take
from trellis.api.conditions import expected_version, once
from trellis.api.problems import bad_request
from trellis.api.representation import etag, json_response
from trellis.api.resources.records import MEANS, confirmed, given_values, written
from trellis.api.scope import entity_of
from trellis.model.entity import Entity
from trellis.records.pipelines.pipeline import Track, tracks
from trellis.web.context import current_store


@api.post("/<entity>/<uuid:id>/move")
@once
def move(entity: str, id: UUID) -> Response:
    """Move a record to a stage: `{"stage": "won", "set": {"amount": 500}, "checklist": ["legal"]}`."""
    store = current_store()
    definition = entity_of(store, entity)
    body = read_body()
    track = _track(definition, take(body, "field", str, ""))
    stage = take(body, "stage", str)
    if not stage:
        raise bad_request(_("“stage” is the stage to move to."), "stage")
    values: dict[str, Any] = given_values(definition, dict(take(body, "set", dict, {})))
    values[track.field] = stage
    if pipeline := take(body, "pipeline", str):
        values[track.pipeline] = pipeline
    version = expected_version()
    with store.transaction():
        if ticked := take(body, "checklist", list, []):
            record = store.read(entity, id, fields=[track.field, track.checklist])
            here = [key if "." in str(key) else f"{record[track.field]}.{key}" for key in ticked]
            values[track.checklist] = list(dict.fromkeys([*(record[track.checklist] or ()), *here]))
        record = store.update(entity, id, values, version=version, means=MEANS, confirmed=confirmed())
        answer = written(store, definition, record)
    return json_response(answer, headers={"ETag": etag(record)})


def _track(entity: Entity, field: str) -> Track:
    """The stage field to move in: the one that is named, else the entity's first. Raises Problem."""
    found = [track for track in tracks(entity) if not field or track.field == field]
    if not found:
        raise bad_request(_("There is no pipeline here."), "field")
    return found[0]
