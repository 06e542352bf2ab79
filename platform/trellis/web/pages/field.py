"""One field of one record: its editor as a fragment, saving it, and understanding what is typed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, abort, jsonify, make_response, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from trellis.model.entity import Entity
from trellis.model.fields.base import Invalid
from trellis.records.record import Record
from trellis.records.refusal import Fault, Forbidden, Refused, Stale
from trellis.records.store import Store
from trellis.web.cells.registry import CellContext, renderer
from trellis.web.context import current_store
from trellis.web.faults import fault_text
from trellis.web.guard import signed_in
from trellis.web.navigation import entity_address
from trellis.web.pages.base import Page
from trellis.web.pages.form import entity_or_404, is_confirmed, known_field, submitted
from trellis.web.pages.record_page import record_parts
from trellis.web.widgets import Submitted, widget_of
from trellis.web.widgets.alike import alike_of
from trellis.web.widgets.base import UNCHANGED
from trellis.web.widgets.bound import BoundField
from trellis.web.widgets.form import BoundForm, form_of


class FieldView(Page):
    """`/e/<entity>/<id>/field/<field>`, for the record page and for lists (`?in=list`)."""

    @expose("/e/<entity>/<uuid:id>/field/<field>", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def field(self, entity: str, id: UUID, field: str) -> Response:
        """GET: the editor. POST: save, and answer with what is shown now; 422 or 409 with the editor and the reason."""
        store = current_store()
        definition = entity_or_404(store, entity)
        if field not in definition.fields or field not in store.readable_fields(entity):
            abort(404)
        record = store.read(entity, id, fields=())
        if field not in store.writable_fields(entity) or not store.may("update", entity, record):
            raise Forbidden(entity, "update")
        if request.method == "GET":
            return self._editor(store, definition, store.read(entity, id), field)
        raw = widget_of(definition.fields[field]).read(submitted(), definition.fields[field])
        version = request.form.get("version", type=int)
        try:
            values = {} if raw is UNCHANGED else {field: raw}
            record = store.update(entity, id, values, version=version, confirmed=is_confirmed(), merges=True)
        except Stale as stale:
            current = store.read(entity, id)
            theirs = self._shown_text(definition, field, stale.current.get(field, current.get(field)), store)
            said = _("Somebody else has changed this to “%(value)s”. Save again to replace it.", value=theirs)
            return self._editor(store, definition, current, field, typed=raw, said=[said], status=409)
        except Refused as refused:
            return self._editor(
                store, definition, store.read(entity, id), field, typed=raw, faults=refused.faults, version=version
            )
        return self._saved(store, definition, record, field)

    @expose("/e/<entity>/understand/<field>", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def understand(self, entity: str, field: str) -> Response:
        """What was typed, as it is understood: written out, and as text to go on editing."""
        store = current_store()
        definition, found = known_field(store, entity, field)
        reader = store.principal.reader
        prefix = request.form.get("_prefix", "")
        sent = Submitted(MultiDict(request.form), request.files, prefix)
        raw = widget_of(found).read(sent, found)
        try:
            value = None if raw is UNCHANGED else found.type.parse(raw, reader)
            wrong = next(found.type.check(value), None) if value is not None else None
        except Invalid as invalid:
            value, wrong = None, invalid
        if wrong is not None:
            said = fault_text(Fault(wrong.code, wrong.message, params=wrong.params), reader.language)
            return jsonify({"error": said})
        parts = widget_of(found).fill(BoundField(store, definition, found, value))
        text = str(parts.get("amount", parts.get("", "")))
        return jsonify({"shown": "" if value is None else found.type.display(value, reader), "text": text})

    def _shown_text(self, entity: Entity, field: str, value: Any, store: Store) -> str:
        return "–" if value is None else entity.fields[field].type.display(value, store.principal.reader)

    def _editor(
        self,
        store: Store,
        entity: Entity,
        record: Record,
        field: str,
        *,
        typed: Any = None,
        faults: tuple[Fault, ...] = (),
        said: list[str] | None = None,
        status: int | None = None,
        version: int | None = None,
    ) -> Response:
        is_again = bool(faults or said)
        bound_form = BoundForm(
            store,
            entity,
            form_of(entity, store.principal.roles),
            record,
            typed={field: typed} if is_again and typed is not UNCHANGED else {},
            faults=faults,
        )
        bound = bound_form.field(field, compact=True)
        alike = None
        if faults and all(f.code == "duplicate" for f in faults):
            alike = alike_of(store, entity, faults, record.id)
            bound.errors = []
            faults = ()
        others = [fault_text(f, bound_form.language) for f in faults if f.field != field]
        bound.errors = [*bound.errors, *others, *(said or [])]
        in_list = request.args.get("in") == "list"
        return self.draw(
            "_inline.html",
            status=status or (422 if is_again else 200),
            f=bound,
            alike=alike,
            action=url_for(
                "FieldView.field", entity=entity.key, id=record.id, field=field, **dict[str, Any](request.args)
            ),
            version=version or record.version,
            in_list=in_list,
            buttons=bound.widget.stays or bound.field.type.widget in ("long_text", "rich_text", "code", "json"),
        )

    def _saved(self, store: Store, entity: Entity, record: Record, field: str) -> Response:
        if request.args.get("in") == "list":
            if field not in record:
                record = store.read(entity.key, record.id, fields=[field])
            response = make_response(cell_html(store, entity, record, field))
        else:
            response = make_response(record_parts(store, entity, store.read(entity.key, record.id)))
        response.headers["X-Version"] = str(record.version)
        return response


def cell_html(store: Store, entity: Entity, record: Record, field: str) -> Markup:
    """A value as a list shows it."""
    context = CellContext(store.principal.reader, store.tenant.model, entity, entity_address)
    value = record.get(field)
    if value is None or value == () or value == "":
        return Markup("")
    return Markup(renderer(entity.fields[field], context)(value))
