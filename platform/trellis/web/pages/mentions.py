"""Who can be named in what one writes about a record, and following a record."""

from __future__ import annotations

from uuid import UUID

from flask import Response, jsonify, request
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.automation import mentions
from trellis.formula.types import Ref
from trellis.web.context import current_principal, current_store
from trellis.web.flashes import toast
from trellis.web.guard import signed_in
from trellis.web.navigation import entity_address
from trellis.web.pages.base import Page
from trellis.web.pages.form import entity_or_404

OFFERED = 8
LOOKED_AT = 40  # by name, before it is asked who may read the record


class MentionsView(Page):
    """`/e/<entity>/<id>/mention` and `/e/<entity>/<id>/follow`."""

    @expose("/e/<entity>/<uuid:id>/mention")  # type: ignore[untyped-decorator]
    @signed_in
    def offer(self, entity: str, id: UUID) -> Response:
        """The people whose name begins so, of those who may read the record."""
        store = current_store()
        entity_or_404(store, entity)
        ref = store.read(entity, id, fields=()).ref
        typed = request.args.get("q", "").strip().casefold()
        found = []
        with store.tenant.begin() as connection:
            everybody = mentions.people(connection, store.tenant)
            fitting = [one for one in everybody if typed and _fits(one, typed) and one.id != store.principal.id]
            for one in sorted(fitting, key=lambda one: one.name.casefold())[:LOOKED_AT]:
                if mentions.may_read(connection, store.tenant, one.id, ref):
                    found.append({"name": one.name, "email": one.email, "text": mentions.writing_of(one, everybody)})
                if len(found) == OFFERED:
                    break
        return jsonify({"people": found})

    @expose("/e/<entity>/<uuid:id>/follow", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def follow(self, entity: str, id: UUID) -> Response:
        """Begins to follow the record, or ceases to."""
        store, me = current_store(), current_principal().id
        entity_or_404(store, entity)
        ref = store.read(entity, id, fields=()).ref
        on = request.form.get("on") == "1"
        with store.tenant.begin() as connection:
            if me is not None:
                mentions.follow(connection, store.tenant, me, Ref(entity, ref.id), on=on)
        toast(_("You are told when somebody writes about it.") if on else _("You no longer follow it."))
        response = Response("")
        response.headers["HX-Redirect"] = entity_address(entity, id)
        return response


def _fits(one: mentions.Someone, typed: str) -> bool:
    """Whether the name, one of its words, or the address begins with what was typed."""
    name = one.name.casefold()
    return name.startswith(typed) or one.email.casefold().startswith(typed) or f" {typed}" in name
