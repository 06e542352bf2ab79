"""Inviting a contact to the portal: for administrators, from the contact's page."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask import Response, request, url_for
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
        store = current_store()
        if request.method == "GET" or not has_portal(current_tenant()):
            return self._draw("_portal.html" if request.method == "GET" else "_portal_parts.html", id)
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
        guest = guest_of(current_tenant(), id) if has_portal(current_tenant()) else None
        return self._draw("_portal_parts.html", id, sent=None if guest is None else invite_person(guest.id))

    def _draw(self, template: str, id: UUID, faults: Sequence[Fault] = (), sent: Sent | None = None) -> Response:
        tenant, store = current_tenant(), current_store()
        record = store.read(CONTACT, id)
        guest = guest_of(tenant, id) if has_portal(tenant) else None
        return self.draw(
            template,
            record=record,
            guest=guest,
            came=sign_ins(tenant, [guest.id])[guest.id] if guest is not None else None,
            roles=portal_roles(tenant) if has_portal(tenant) else {},
            role=request.form.get("role", ""),
            errors=[fault_text(fault) for fault in faults],
            sent=sent,
            action=url_for("PortalView.portal", id=id),
        )
