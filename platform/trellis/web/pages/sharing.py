"""Sharing a record: the dialog that says who it is shared with, adds somebody, changes and ends a share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from flask import Response, jsonify, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.formula.types import Ref
from trellis.identity.person import PERSON, TEAM
from trellis.model.entity import Entity
from trellis.model.fields.base import Invalid
from trellis.model.fields.registry import make_type
from trellis.records.refusal import Fault, Forbidden, Missing, Refused
from trellis.records.store import Store, as_id
from trellis.web.cells.markup import color_of, initials
from trellis.web.context import current_store
from trellis.web.faults import fault_text
from trellis.web.guard import signed_in
from trellis.web.i18n import lower_first
from trellis.web.pages.base import Page
from trellis.web.pages.form import entity_or_404
from trellis.web.widgets.link import picked

LIMIT = 10


class SharingView(Page):
    """`/e/<entity>/<id>/sharing…`: who a record is shared with."""

    @expose("/e/<entity>/<uuid:id>/sharing", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def sharing(self, entity: str, id: UUID) -> Response:
        """The dialog; POST shares the record with somebody."""
        store, definition = current_store(), entity_or_404(current_store(), entity)
        if request.method == "GET":
            return self._draw("_sharing.html", store, definition, id)
        return self._answer(store, definition, id, lambda: self._add(store, entity, id))

    @expose("/e/<entity>/<uuid:id>/sharing/<uuid:share>", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def change(self, entity: str, id: UUID, share: UUID) -> Response:
        """Changes what a share opens, and how long."""
        store, definition = current_store(), entity_or_404(current_store(), entity)

        def do() -> None:
            until = _day(store, request.form.get("until", ""))
            store.change_share(entity, id, share, {"level": request.form.get("level", "read"), "until": until})

        return self._answer(store, definition, id, do, share)

    @expose("/e/<entity>/<uuid:id>/sharing/<uuid:share>/end", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def end(self, entity: str, id: UUID, share: UUID) -> Response:
        """Ends a share."""
        store, definition = current_store(), entity_or_404(current_store(), entity)
        return self._answer(store, definition, id, lambda: store.end_share(entity, id, share))

    @expose("/e/<entity>/<uuid:id>/sharing/pick")  # type: ignore[untyped-decorator]
    @signed_in
    def pick(self, entity: str, id: UUID) -> Response:
        """People and teams that it may be shared with, by a few letters."""
        store = current_store()
        entity_or_404(store, entity)
        store.read(entity, id, fields=())
        if not store.may_share(entity, id):
            raise Forbidden(entity, "share")
        q, options = request.args.get("q", ""), []
        for kind in (PERSON, TEAM):
            if kind in store.tenant.model.entities:
                label = store.tenant.model.entities[kind].label.in_language(store.principal.reader.language)
                for one in store.pick(kind, q, limit=LIMIT):
                    if one.ref != store.principal.reader.me:
                        sub = one.detail if kind == PERSON else label
                        options.append(picked(one.ref, one.title or "—", sub, with_entity=True).as_json())
        return jsonify({"options": options, "create": None})

    def _add(self, store: Store, entity: str, id: UUID) -> None:
        kind, _colon, key = request.form.get("whom", "").partition(":")
        if not key:
            raise Refused([Fault("required", "Choose a person or a team.", "whom")])
        until = _day(store, request.form.get("until", ""))
        store.share(entity, id, Ref(kind, as_id(key)), request.form.get("level", "read"), until)

    def _answer(self, store: Store, entity: Entity, id: UUID, do: Any, share: UUID | None = None) -> Response:
        """What the dialog shows after a change, or what is wrong with it; the timeline follows."""
        try:
            do()
        except Refused as refused:
            return self._draw("_sharing_parts.html", store, entity, id, refused.faults, share)
        response = self._draw("_sharing_parts.html", store, entity, id)
        response.headers["HX-Trigger"] = "trellis:changed"
        return response

    def _draw(
        self,
        template: str,
        store: Store,
        entity: Entity,
        id: UUID,
        faults: Sequence[Fault] = (),
        share: UUID | None = None,
    ) -> Response:
        """`share`: the one that the faults are about; none: the new one."""
        with store.transaction():
            record = store.read(entity.key, id, fields=())
            shares = store.shares(entity.key, id)
            may = store.may_share(entity.key, id)
            may_write = may and store.may("update", entity.key, id)
        said = {fault.field or "whom": fault_text(fault) for fault in faults}
        whom = request.form.get("whom", "") if faults and share is None else ""
        return self.draw(
            template,
            entity=entity,
            record=record,
            shares=shares,
            may_share=may,
            may_write=may_write,
            me=store.principal.reader.me,
            faults={} if share else said,
            refused={share: said} if share else {},
            singular=lower_first(entity.label.in_language(store.principal.reader.language)),
            form=request.form if whom or (faults and share is None) else {},
            chosen=_chosen(store, whom),
            zone=store.principal.reader.time_zone,
            today=store.principal.reader.today().isoformat(),
            levels=(("read", _("May read")), ("write", _("May change"))),
            action=url_for("SharingView.sharing", entity=entity.key, id=id),
            color_of=color_of,
            initials=initials,
        )


def _day(store: Store, text: str) -> date | None:
    """The last day of a share, as it was typed. Raises Refused."""
    if not text.strip():
        return None
    try:
        found = make_type("date").parse(text, store.principal.reader)
    except Invalid as invalid:
        raise Refused([Fault(invalid.code, invalid.message, "until", invalid.params)]) from invalid
    return found if isinstance(found, date) else None


def _chosen(store: Store, whom: str) -> Any:
    """What was picked, for the picker to show again."""
    kind, _colon, key = whom.partition(":")
    if kind not in (PERSON, TEAM) or not key:
        return None
    try:
        found = store.read(kind, key, fields=())
    except Missing:
        return None
    return picked(found.ref, found.title or "—", with_entity=True)
