"""Papers of a record as PDF, with what the caller may read in them."""

from __future__ import annotations

from uuid import UUID

from flask import Response, request
from flask_babel import gettext as _

from trellis.api.app import api
from trellis.api.problems import bad_request
from trellis.api.scope import entity_of
from trellis.automation.documents.maker import document_or_missing, languages_of, make
from trellis.web.context import current_store
from trellis.web.pages.files import store_root
from trellis.web.pages.papers import pdf_response


@api.get("/<entity>/<uuid:id>/documents/<document>")
def paper(entity: str, id: UUID, document: str) -> Response:
    """The paper, in its own language or the one that is asked for; nothing is kept."""
    store = current_store()
    entity_of(store, entity)
    store.read(entity, id, fields=())
    language = request.args.get("language", "")
    if language and language not in languages_of(store):
        message = _("The paper can be had in: %(languages)s.", languages=", ".join(languages_of(store)))
        raise bad_request(message, "language")
    found = document_or_missing(store, entity, id, document)
    return pdf_response(make(store, found, id, files=store_root(), language=language), inline=False)
