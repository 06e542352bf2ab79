"""Files: sent before the record that holds them is saved, fetched through it."""

from __future__ import annotations

from uuid import UUID

from flask import Response, request
from flask_babel import gettext as _

from trellis.api.app import api
from trellis.api.problems import bad_request
from trellis.api.representation import json_response
from trellis.api.scope import entity_of, readable, writable
from trellis.records.refusal import Missing
from trellis.records.writing.files import save_file
from trellis.web.context import current_store
from trellis.web.pages.files import send_held, store_root


@api.post("/<entity>/files/<field>")
def upload(entity: str, field: str) -> Response:
    """Keep a file (multipart, part `file`) for a field: a record is then given `[{"id": …}]`."""
    store = current_store()
    definition = entity_of(store, entity)
    found = next((f for f in writable(store, definition) if f.key == field), None)
    if found is None:
        raise Missing(field)
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise bad_request(_("Send the file as the part “file” of a multipart form."), "file")
    stored = save_file(store, store_root(), sent.stream, sent.filename, entity, found)
    return json_response(stored.as_value(), 201)


@api.get("/<entity>/<uuid:id>/files/<field>/<uuid:file>")
def download(entity: str, id: UUID, field: str, file: UUID) -> Response:
    """The content of a file that the record holds."""
    store = current_store()
    if field not in {f.key for f in readable(store, entity_of(store, entity))}:
        raise Missing(field)
    response = send_held(store, entity, id, field, file, inline=False)
    response.mimetype = "application/octet-stream"  # as the document says; what it is stands in the record
    return response
