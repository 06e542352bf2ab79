"""The record page: a record with its timeline and related lists; into the recycle bin and out of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import jsonify, redirect, request
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.model.entity import Entity
from trellis.records.reading.standing import Standing
from trellis.records.record import Record
from trellis.records.refusal import Missing, Refused
from trellis.records.store import Store
from trellis.web.context import current_store
from trellis.web.flashes import toast
from trellis.web.guard import signed_in
from trellis.web.navigation import entity_address, url_for
from trellis.web.pages.base import Page
from trellis.web.pages.bin import restored_words
from trellis.web.pages.form import entity_or_404, faults_json, label_of, wants_json
from trellis.web.pages.past import past_page
from trellis.web.pages.record_page import read_page
from trellis.web.pages.related import related_tabs


class RecordView(Page):
    """`/e/<entity>/<id>`."""

    @expose("/e/<entity>/<uuid:id>")  # type: ignore[untyped-decorator]
    @signed_in
    def show(self, entity: str, id: UUID) -> Any:
        """The page; `?parts=1` gives what changes with the record."""
        store = current_store()
        definition = entity_or_404(store, entity)
        with store.transaction():
            record = store.read(entity, id, deleted=True)
            if record.deleted_at is not None and (winner := store.merged_into(entity, id)) is not None:
                return self._merged(store, definition, record, winner)
            standing = Standing(store, definition, record)
            page = read_page(store, definition, record, standing)
            if "parts" in request.args:
                return self.draw("_record_parts.html", page=page, entity=definition, record=record)
            tabs = related_tabs(store, definition, record, standing)
            past = past_page(store, definition, record, request.args["at"]) if "at" in request.args else None
        first = next((key for key in request.args.getlist("tab") if any(t.key == key for t in tabs)), "")
        return self.draw(
            "record.html",
            page=page,
            entity=definition,
            record=record,
            tabs=tabs,
            past=past,
            first=first,
            list_address=entity_address(entity),
        )

    def _merged(self, store: Store, entity: Entity, record: Record, winner: UUID) -> Any:
        """An old address leads to what the record was merged into; whoever may not see that one is told so."""
        title = record.title or label_of(entity, store)
        try:
            store.read(entity.key, winner, fields=())
        except Missing:
            said = _("“%(title)s” was merged into a record that you may not see.", title=title)
            toast(said + " " + _("Ask an administrator."), kind="error")
            return redirect(entity_address(entity.key), 303)
        toast(_("“%(title)s” was merged into this record.", title=title), kind="info")
        return redirect(entity_address(entity.key, winner), 303)

    @expose("/e/<entity>/<uuid:id>/delete", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def delete(self, entity: str, id: UUID) -> Any:
        """Into the recycle bin; the next page offers Undo."""
        store = current_store()
        definition = entity_or_404(store, entity)
        record = store.read(entity, id)
        try:
            store.delete(entity, id)
        except Refused as refused:
            response = jsonify(faults_json(refused.faults, store.principal.reader.language))
            response.status_code = 422
            return response
        undo = {"url": url_for("RecordView.restore", entity=entity, id=id, toast=1)}
        said = _("“%(title)s” is in the recycle bin", title=record.title or label_of(definition, store))
        toast(said, undo=undo if store.may("restore", entity) else None)
        return self._go(entity_address(entity))

    @expose("/e/<entity>/<uuid:id>/undelete", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def restore(self, entity: str, id: UUID) -> Any:
        """Out of the recycle bin."""
        store = current_store()
        entity_or_404(store, entity)
        try:
            along = store.restore(entity, id)
        except Refused as refused:
            response = jsonify(faults_json(refused.faults, store.principal.reader.language))
            response.status_code = 422
            return response
        toast(restored_words(store, along))
        response = self._go(entity_address(entity, id))
        response.headers["HX-Redirect"] = entity_address(entity, id)
        return response

    def _go(self, location: str) -> Any:
        return (
            jsonify({"location": location})
            if wants_json() or "HX-Request" in request.headers
            else redirect(location, 303)
        )
