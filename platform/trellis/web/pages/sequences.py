"""The sequences of a record: in which it is and how far it has come; taking it in and out by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response, abort, request
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.automation.workflows import enrolling
from trellis.records.refusal import Forbidden, Missing, Refused
from trellis.web.automation_words import STATES
from trellis.web.context import current_store
from trellis.web.faults import fault_text
from trellis.web.guard import signed_in
from trellis.web.pages.base import Page
from trellis.web.pages.form import entity_or_404

DOES: Mapping[str, Any] = {"enrol": enrolling.enrol, "leave": enrolling.leave}


class SequencesView(Page):
    """`/e/<entity>/<id>/sequences`."""

    @expose("/e/<entity>/<uuid:id>/sequences", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def sequences(self, entity: str, id: UUID) -> Response:
        """The dialog; POST takes the record into one (`enrol`) or out of it (`leave`)."""
        store = current_store()
        entity_or_404(store, entity)
        record = store.read(entity, id, fields=())
        wrong = ""
        if request.method == "POST":
            if not store.may("update", entity, record):
                raise Forbidden(entity, "update")
            do = DOES.get(request.form.get("do", ""))
            if do is None:
                abort(400)
            try:
                do(store, record.ref, request.form.get("sequence", ""))
            except Missing:  # no sequence of these records: the dialog offers none such
                abort(400)
            except Refused as refused:
                wrong = " ".join(fault_text(f, store.principal.reader.language) for f in refused.faults)
        return self.draw(
            "_sequences.html" if request.method == "GET" else "_sequences_parts.html",
            status=422 if wrong else 200,
            record=record,
            entity=entity,
            standings=enrolling.standings(store, record.ref),
            may_change=store.may("update", entity, record),
            states=STATES,
            wrong=wrong,
            said=_("Sequences of “%(title)s”", title=record.title or "—"),
        )
