"""Converting what is selected in a list: what each would become, and what each became."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Response, abort, jsonify, request
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.model.entity import Entity
from trellis.records.conversion.converting import MOST, Conversions
from trellis.records.refusal import Fault
from trellis.records.store import Store
from trellis.web.faults import fault_text
from trellis.web.guard import signed_in
from trellis.web.lists.desk import Desk, open_desk
from trellis.web.lists.selection import read_selection
from trellis.web.navigation import entity_address
from trellis.web.pages.base import Page
from trellis.web.pages.convert import verb_of
from trellis.web.pages.saved_views import read_query

SHOWN = 50  # records whose becoming is shown before it is done


@dataclass(frozen=True)
class Piece:
    """One target of one record, in words."""

    target: str
    entity: Entity
    label: str
    title: str
    address: str
    is_new: bool
    alike: int


@dataclass(frozen=True)
class Row:
    """One of the records."""

    title: str
    address: str
    pieces: list[Piece]
    errors: list[str]


class ConversionsView(Page):
    """`/e/<entity>/bulk/conversion` asks, `/e/<entity>/bulk/convert` does it."""

    @expose("/e/<entity>/bulk/conversion", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def ask(self, entity: str) -> Any:
        """The dialog: what each of the selected records would become."""
        desk, ids = _selected(entity)
        if len(ids) > MOST:
            return _too_many()
        store = desk.store
        rows = [_row(store, one) for one in store.propose_many(entity, ids[:SHOWN])]
        conversion = store.tenant.model.conversions[entity]
        language = store.principal.reader.language
        optional = [_target(store, entity, name) for name, target in conversion.into.items() if target.optional]
        return self.draw(
            "_bulk_convert.html",
            entity=desk.entity,
            action=f"{desk.base}/bulk/convert",
            verb=verb_of(conversion, language),
            rows=rows,
            more=len(ids) - len(rows),
            ready=len(ids) - sum(bool(row.errors) for row in rows),
            optional=optional,
            locks=conversion.lock,
        )

    @expose("/e/<entity>/bulk/convert", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def convert(self, entity: str) -> Any:
        """Converts the selected records; the dialog says what became of each."""
        desk, ids = _selected(entity)
        if len(ids) > MOST:
            return _too_many()
        store = desk.store
        optional = [name for name, t in store.tenant.model.conversions[entity].into.items() if t.optional]
        leave = [name for name in optional if name not in request.form.getlist("with")]
        with store.batch("convert", entity) as made:
            done = store.convert_many(entity, ids, leave)
        count = sum(not one.faults for one in done)
        rows = sorted((_row(store, one) for one in done), key=lambda row: not row.errors)
        return self.draw(
            "_bulk_converted.html", entity=desk.entity, rows=rows, count=count, batch=made.id if count else None
        )


def _selected(entity: str) -> tuple[Desk, Sequence[UUID]]:
    desk = open_desk(entity, read_query(request.form.get("state", "")))
    if entity not in desk.store.tenant.model.conversions:
        abort(404)
    return desk, read_selection(desk, request.form).each()


def _too_many() -> Response:
    response = jsonify({"text": _("At most %(most)s records are converted at once. Select fewer.", most=MOST)})
    response.status_code = 422
    return response


def _target(store: Store, entity: str, name: str) -> tuple[str, str]:
    """A target and what it is called."""
    target = store.tenant.model.conversions[entity].into[name]
    language = store.principal.reader.language
    return name, target.label.in_language(language) or store.tenant.model.entities[name].label.in_language(language)


def _row(store: Store, one: Conversions) -> Row:
    entity = one.ref.entity
    pieces = []
    for name, becoming in one.became.items():
        ref = becoming.ref
        _name, label = _target(store, entity, name)
        title = (ref.title or "—") if ref is not None else ""
        address = entity_address(ref.entity, ref.id) if ref is not None and ref.title else ""
        definition = store.tenant.model.entities[name]
        pieces.append(Piece(name, definition, label, title, address, becoming.is_new, becoming.alike))
    errors = [_said(store, entity, fault) for fault in one.faults]
    return Row(one.ref.title or "—", entity_address(entity, one.ref.id) if one.ref.title else "", pieces, errors)


def _said(store: Store, entity: str, fault: Fault) -> str:
    """A fault with the target and the field that it is about."""
    language = store.principal.reader.language
    text = fault_text(fault, language)
    name, _dot, path = (fault.field or "").partition(".")
    if name not in store.tenant.model.conversions[entity].into:
        return text
    _name, label = _target(store, entity, name)
    field = store.tenant.model.entities[name].fields.get(path)
    shown = field is not None and path in store.readable_fields(name)
    where = f"{label}, {field.label.in_language(language)}" if shown and field is not None else label
    return f"{where}: {text}"
