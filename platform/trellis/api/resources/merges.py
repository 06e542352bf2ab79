"""Merging records that are the same."""

from __future__ import annotations

from uuid import UUID

from flask import Response
from flask_babel import gettext as _

from trellis.api.app import api
from trellis.api.asking import read_body, take
from trellis.api.conditions import once
from trellis.api.problems import bad_request
from trellis.api.representation import etag, json_response
from trellis.api.resources.records import MEANS, written
from trellis.api.scope import entity_of
from trellis.web.context import current_store


@api.post("/<entity>/<uuid:id>/merge")
@once
def merge(entity: str, id: UUID) -> Response:
    """Merge others into this record: `{"losers": ["…"], "take": {"phone": "…"}}` says whose value a field gets."""
    store = current_store()
    definition = entity_of(store, entity)
    body = read_body()
    losers = take(body, "losers", list)
    if not losers:
        raise bad_request(_("“losers” holds the records that go."), "losers")
    with store.transaction():
        record = store.merge(entity, id, [str(one) for one in losers], take(body, "take", dict, {}), means=MEANS)
        answer = written(store, definition, record)
    return json_response(answer, headers={"ETag": etag(record)})
