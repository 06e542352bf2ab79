"""The lines of a record: rows pasted into the grid of a form, and the grid alone, on the record's page."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Response, abort, jsonify, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.model.entity import Entity
from trellis.model.form import Form, FormField, Section
from trellis.records.refusal import Forbidden, Refused, Stale
from trellis.web.context import current_store
from trellis.web.flashes import toast
from trellis.web.guard import signed_in
from trellis.web.navigation import entity_address
from trellis.web.pages.base import Page
from trellis.web.pages.form import entity_or_404, here, is_confirmed, submitted, touched
from trellis.web.widgets import pasting
from trellis.web.widgets.form import BoundForm, form_of, read_form
from trellis.web.widgets.lines import lines_of


class LinesView(Page):
    """`/e/<entity>/<id>/lines/<list>`: the grid alone; `/e/<entity>/paste/<list>`: what was copied, understood."""

    @expose("/e/<entity>/<uuid:id>/lines/<name>", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def edit(self, entity: str, id: UUID, name: str) -> Any:
        """The grid of a record's lines; POST saves them as one change of the record."""
        store = current_store()
        definition = entity_or_404(store, entity)
        entities = store.tenant.model.entities
        if name not in lines_of(definition, entities):
            abort(404)
        record = store.read(entity, id)
        if not store.may("update", entity, record):
            raise Forbidden(entity, "update")
        form = _only(form_of(definition, store.principal.roles), definition, name)
        if request.method == "GET":
            return self._draw(BoundForm(store, definition, form, record), name)
        typed = {name: read_form(definition, submitted(), entities).get(name, [])}
        version = request.form.get("version", type=int)
        try:
            store.update(entity, id, typed, version=version, confirmed=is_confirmed(), merges=True)
        except Stale as stale:
            bound = BoundForm(store, definition, form, store.read(entity, id), typed=typed, faults=stale.faults)
            return self._draw(bound, name, status=409)
        except Refused as refused:
            bound = BoundForm(store, definition, form, record, typed=typed, faults=refused.faults, touched=touched())
            return self._draw(bound, name, status=422, version=version)
        toast(_("Saved"))
        return jsonify({"location": entity_address(entity, id)})

    def _draw(self, bound: BoundForm, name: str, *, status: int = 200, version: int | None = None) -> Response:
        assert bound.record is not None
        entity, id = bound.entity.key, bound.record.id
        return self.draw(
            "_lines_edit.html",
            status=status,
            form=bound,
            entity=bound.entity,
            action=here(),
            state_address=url_for("FormView.state", entity=entity, id=id),
            back=url_for("RelatedView.related", entity=entity, id=id, name=name),
            version=version or bound.record.version,
            is_refused=status != 200,
        )

    @expose("/e/<entity>/paste/<name>", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def paste(self, entity: str, name: str) -> Response:
        """The rows as the grid's cells fill them in, with what is wrong at each."""
        store = current_store()
        definition = entity_or_404(store, entity)
        child = lines_of(definition, store.tenant.model.entities).get(name)
        if child is None:
            abort(404)
        text = request.form.get("text", "")
        if len(text) > pasting.MOST_CHARACTERS:
            return jsonify({"message": _("That is too much to paste at once. Import it instead.")})
        readable = frozenset(store.readable_fields(child.key))
        columns = [key for key in request.form.getlist("column") if key in child.fields and key in readable]
        every = [key for key in request.form.getlist("all") if key in child.fields and key in readable]
        rows = pasting.cells_of(text)
        named = pasting.by_heading(rows, child, store.principal.reader.language, every)
        if named is not None:
            rows, columns = rows[1:], named
        if len(rows) > pasting.MOST_ROWS:
            said = _("%(count)d rows are too many to paste at once. Import them instead.", count=len(rows))
            return jsonify({"message": said})
        currency = request.form.get("currency") or None
        return jsonify({"rows": pasting.read_rows(store, child, rows, columns, currency), "headed": named is not None})


def _only(form: Form, entity: Entity, name: str) -> Form:
    """The part of a form that shows a list of parts, with the totals that stand under it."""
    for index, section in enumerate(form.sections):
        if any(place.field == name for place in section.fields):
            lines = replace(section, fields=(FormField(name, "full"),), visible_when=None)
            below = form.sections[index + 1 : index + 2]
            derived = all(
                p.field in entity.fields and entity.fields[p.field].is_derived for s in below for p in s.fields
            )
            return Form((lines, *below) if derived else (lines,))
    label = entity.inverses[name].label
    return Form((Section("lines", label, (FormField(name, "full"),), 1),))
