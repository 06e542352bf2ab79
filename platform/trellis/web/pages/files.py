"""Files: sent before a form is saved, fetched through the record that holds them."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from flask import Response, abort, jsonify, request, send_file
from flask_appbuilder import expose

from trellis.records.refusal import Refused
from trellis.records.store import Store
from trellis.records.writing.files import find_file, holds, save_file
from trellis.web.context import current_store, serving
from trellis.web.guard import signed_in
from trellis.web.pages.base import Page
from trellis.web.pages.form import faults_json
from trellis.web.widgets.files import size_text, token_of

SHOWN_INLINE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf"})

PDF = "application/pdf"
FILE_POLICY = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; sandbox"
PDF_POLICY = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""No sandbox: in one, browsers do not open their reader, which keeps a PDF away from pages by itself."""


class FilesView(Page):
    """`/e/<entity>/upload/<field>` and `/e/<entity>/<id>/file/<field>/<file>`."""

    @expose("/e/<entity>/upload/<field>", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def upload(self, entity: str, field: str) -> Response:
        """Keep a file for a form that will name it by its token."""
        store = current_store()
        definition = store.tenant.model.entities.get(entity)
        if definition is None or field not in definition.fields or field not in store.readable_fields(entity):
            abort(404)
        sent = request.files.get("file")
        if sent is None or not sent.filename:
            abort(400)
        try:
            stored = save_file(store, store_root(), sent.stream, sent.filename, entity, definition.fields[field])
        except Refused as refused:
            response = jsonify(faults_json(refused.faults, store.principal.reader.language))
            response.status_code = 422
            return response
        return jsonify({"name": stored.name, "shown": size_text(stored.size), "token": token_of(stored.as_value())})

    @expose("/e/<entity>/<uuid:id>/file/<field>/<uuid:file>")  # type: ignore[untyped-decorator]
    @signed_in
    def download(self, entity: str, id: UUID, field: str, file: UUID) -> Response:
        """A file, for whoever may read the record and the field that hold it."""
        store = current_store()
        if field not in store.readable_fields(entity):
            abort(404)
        return send_held(store, entity, id, field, file, inline="download" not in request.args)


def store_root() -> Path:
    """Where the installation keeps the contents of files."""
    return serving().settings.var / "files"


def send_held(store: Store, entity: str, id: UUID, field: str, file: UUID, *, inline: bool) -> Response:
    """A file that a record holds in a field; whatever it is, it may not run anything in the name of this site."""
    record = store.read(entity, id, fields=[field], deleted=True)
    if not holds(record[field], file):
        abort(404)
    found = find_file(store, store_root(), file)
    if found is None or not found.path.is_file():
        abort(404)
    response = send_file(
        found.path.resolve(),
        mimetype=found.type,
        download_name=found.name,
        as_attachment=not (inline and found.type in SHOWN_INLINE),
        conditional=True,
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = PDF_POLICY if found.type == PDF else FILE_POLICY
    response.headers["Cache-Control"] = "private, max-age=0, must-revalidate"
    return response
