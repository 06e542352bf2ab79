"""Papers of a record: what one would like, the PDF to look at or to take away, and keeping it with the record."""

from __future__ import annotations

from uuid import UUID

from babel import Locale
from flask import Response, redirect, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.automation.documents.keeping import keep, may_keep
from trellis.automation.documents.maker import Paper, document_or_missing, language_of, languages_of, make
from trellis.model.automation.document import DocumentTemplate
from trellis.model.locales import babel_locale
from trellis.records.refusal import Missing, Refused
from trellis.records.store import Store
from trellis.web.attached import named
from trellis.web.context import current_store
from trellis.web.faults import fault_text
from trellis.web.flashes import toast
from trellis.web.guard import signed_in
from trellis.web.navigation import entity_address
from trellis.web.pages.base import Page
from trellis.web.pages.files import PDF_POLICY, store_root
from trellis.web.pages.form import entity_or_404


class PapersView(Page):
    """`/e/<entity>/<id>/document/<key>`."""

    @expose("/e/<entity>/<uuid:id>/document/<key>")  # type: ignore[untyped-decorator]
    @signed_in
    def ask(self, entity: str, id: UUID, key: str) -> Response:
        """The dialog: in which language, and what to do with it."""
        store = current_store()
        document = _document(store, entity, id, key)
        return self.draw(
            "_paper.html",
            document=document,
            languages=[(one, _language_name(one)) for one in languages_of(store)],
            chosen=language_of(store, document, id),
            may_keep=may_keep(store, document, id),
            show=url_for("PapersView.show", entity=entity, id=id, key=key),
            keep=url_for("PapersView.keep", entity=entity, id=id, key=key),
        )

    @expose("/e/<entity>/<uuid:id>/document/<key>.pdf", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def show(self, entity: str, id: UUID, key: str) -> Response:
        """The PDF, to look at or with `download` to take away."""
        store = current_store()
        document = _document(store, entity, id, key)
        try:
            paper = make(store, document, id, files=store_root(), language=_language(store))
        except Refused as refused:
            return self._say(store, refused, entity, id)
        return pdf_response(paper, inline="download" not in request.values)

    @expose("/e/<entity>/<uuid:id>/document/<key>/keep", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def keep(self, entity: str, id: UUID, key: str) -> Response:
        """Makes it and keeps it with the record."""
        store = current_store()
        document = _document(store, entity, id, key)
        try:
            with store.transaction():
                paper = make(store, document, id, files=store_root(), language=_language(store))
                kept = keep(store, document, id, paper, store_root())
        except Refused as refused:
            return self._say(store, refused, entity, id)
        toast(_("“%(name)s” is kept with the record.", name=kept["name"]))
        return redirect(entity_address(entity, id), 303)  # type: ignore[return-value]

    def _say(self, store: Store, refused: Refused, entity: str, id: UUID) -> Response:
        for fault in refused.faults:
            toast(fault_text(fault, store.principal.reader.language), kind="error")
        return redirect(entity_address(entity, id), 303)  # type: ignore[return-value]


def pdf_response(paper: Paper, *, inline: bool) -> Response:
    """A paper as an answer; like every file it may not run anything in the name of this site."""
    response = named(Response(paper.content, mimetype=paper.type), paper.name, inline=inline)
    response.headers["Content-Security-Policy"] = PDF_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response


def _document(store: Store, entity: str, id: UUID, key: str) -> DocumentTemplate:
    """A paper that is offered on a record. Raises Missing."""
    entity_or_404(store, entity)
    store.read(entity, id, fields=())
    return document_or_missing(store, entity, id, key)


def _language(store: Store) -> str:
    """The language that is asked for; empty for the document's own."""
    asked = request.values.get("language", "")
    if asked and asked not in languages_of(store):
        raise Missing(asked)
    return asked


def _language_name(tag: str) -> str:
    locale: Locale = babel_locale(tag)
    name = str(locale.get_display_name(locale) or tag)
    return name[:1].upper() + name[1:]
