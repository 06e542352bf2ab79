"""The notice centre: what one is told, and how much of it is unread."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, abort, make_response, redirect, request, url_for
from flask_appbuilder import expose
from flask_babel import ngettext
from markupsafe import Markup, escape

from trellis.automation import notices
from trellis.automation.live import hub_of
from trellis.identity.person import read_person
from trellis.web import streams
from trellis.web.context import current_person, current_principal, current_tenant
from trellis.web.guard import signed_in
from trellis.web.navigation import address, entity_address
from trellis.web.pages.base import Page

PAGE = 50
MOST = 99
ICONS = {
    "workflow": "robot",
    "approval": "checkbox",
    "mention": "at",
    "comment": "message",
    "assignment": "user-check",
    "reminder": "clock",
    "pool": "pool",
    "report": "chart-bar",
    "webhook": "webhook",
}


class NoticesView(Page):
    """`/notices`."""

    @expose("/notices")  # type: ignore[untyped-decorator]
    @signed_in
    def index(self) -> Response:
        """What one was told, the newest first."""
        tenant, before = current_tenant(), None
        if "before" in request.args:
            try:
                before = UUID(request.args["before"])
            except ValueError:
                abort(404)
        with tenant.begin() as connection:
            rows = notices.notices(connection, tenant, _me(), limit=PAGE, before=before)
        older = rows[-1]["id"] if len(rows) == PAGE else None
        return self.draw("notices.html", rows=rows, older=older, icons=ICONS)

    @expose("/notices/count")  # type: ignore[untyped-decorator]
    @signed_in
    def count(self) -> Response:
        """How many are unread, for the bell; the bell asks for it by itself."""
        tenant = current_tenant()
        with tenant.begin() as connection:
            unread = notices.unread(connection, tenant, _me(), cap=MOST + 1)
        shown = f"{MOST}+" if unread > MOST else str(unread)
        words = ngettext("%(num)d unread notice", "%(num)d unread notices", unread)
        html = Markup('<span aria-hidden="true">{}</span><span class="t-vh">{}</span>').format(shown, escape(words))
        response = make_response(html if unread else "")
        response.headers["Cache-Control"] = "no-store"
        return response

    @expose("/notices/stream")  # type: ignore[untyped-decorator]
    def stream(self) -> Response:
        """Server-sent events: one whenever something is new for this person, until they have signed out."""
        tenant, person = current_tenant(), current_person()
        if person is None or not streams.places.take():  # a page to sign in is nothing that a stream can show
            return Response(status=204)  # browsers then ask no more, and the page looks every minute
        hub = hub_of(tenant.database)
        heard = streams.events(hub, tenant.slug, person.id, lambda: read_person(tenant, person.session) is not None)
        response = Response(streams.Stream(heard), mimetype="text/event-stream")
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Accel-Buffering"] = "no"  # proxies hand it on at once
        return response

    @expose("/notices/<uuid:id>")  # type: ignore[untyped-decorator]
    @signed_in
    def follow(self, id: UUID) -> Any:
        """Marks a notice as read and goes to what it is about."""
        tenant = current_tenant()
        with tenant.begin() as connection:
            row = notices.read(connection, tenant, _me(), id)
        if row is None:
            abort(404)
        if row["address"]:
            return redirect(address(row["address"]), 303)
        if row["entity"] in tenant.model.entities:
            return redirect(entity_address(row["entity"], row["record"]), 303)
        return redirect(url_for("NoticesView.index"), 303)

    @expose("/notices/read", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def read_all(self) -> Any:
        """Marks everything as read."""
        tenant = current_tenant()
        with tenant.begin() as connection:
            notices.read(connection, tenant, _me())
        return redirect(url_for("NoticesView.index"), 303)


def _me() -> UUID:
    id = current_principal().id
    if id is None:
        abort(404)
    return id
