"""Inviting a contact to the portal: for administrators, from the contact's page."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask import Response, abort, request, url_for
from flask_appbuilder import expose

from trellis.identity.invitations import Sent
from trellis.identity.people import sign_ins
from trellis.identity.person import CONTACT
from trellis.identity.portal import admit, guest_of, has_portal, portal_roles
from trellis.records.refusal import Fault, Refused
from trellis.web.context import current_store, current_tenant
from trellis.web.faults import fault_text
from trellis.web.guard import needs
from trellis.web.pages.base import Page
from trellis.web.pages.users import invite_person


class PortalView(Page):
    """`/e/contact/<id>/portal`: the dialog that lets a contact in."""

    @expose("/e/contact/<uuid:id>/portal", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def portal(self, id: UUID) -> Response:
        """Who the contact signs in as; POST invites."""
        tenant, store = current_tenant(), current_store()
        if not has_portal(tenant):
            abort(404)
        if request.method == "GET":
            return self._draw("_portal.html", id)
        try:
            person = admit(store, id, request.form.get("role", ""))
        except Refused as refused:
            return self._draw("_portal_parts.html", id, refused.faults)
        return self._draw("_portal_parts.html", id, sent=invite_person(person))

    @expose("/e/contact/<uuid:id>/portal/again", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def again(self, id: UUID) -> Response:
        """Another invitation; the one before is worth nothing then."""
        current_store().read(CONTACT, id, fields=())
        guest = guest_of(current_tenant(), id) or abort(404)
        return self._draw("_portal_parts.html", id, sent=invite_person(guest.id))

    def _draw(self, template: str, id: UUID, faults: Sequence[Fault] = (), sent: Sent | None = None) -> Response:
        tenant, store = current_tenant(), current_store()
        record = store.read(CONTACT, id)
        guest = guest_of(tenant, id)
        return self.draw(
            template,
            record=record,
            guest=guest,
            came=sign_ins(tenant, [guest.id])[guest.id] if guest is not None else None,
            roles=portal_roles(tenant),
            role=request.form.get("role", ""),
            errors=[fault_text(fault) for fault in faults],
            sent=sent,
            action=url_for("PortalView.portal", id=id),
        )
