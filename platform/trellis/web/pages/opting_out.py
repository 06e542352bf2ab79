"""The link in letters that one may do without: by one click of the mail program (RFC 8058), or by the button here."""

from __future__ import annotations

from flask import Response, request
from flask_appbuilder import expose

from trellis.automation.mail import optouts
from trellis.automation.workflows.acting import system_of
from trellis.records.store import Store
from trellis.web.context import current_tenant
from trellis.web.pages.base import Page
from trellis.web.security import csrf


class OptOutView(Page):
    """`/unsubscribe/<token>`."""

    @expose("/unsubscribe/<token>", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    def leave(self, token: str) -> Response:
        """What one would leave; POST leaves, or with `back` comes back. Programs that look at links change nothing."""
        tenant = current_tenant()
        found = optouts.read_token(tenant, token)
        if found is None:
            return self.draw("public/gone.html", status=410, form=None)
        channel, address, source = found
        if request.method == "GET":
            with tenant.begin() as connection:
                closed = optouts.suppressed(connection, tenant, channel, [address]).get(address, frozenset())
            return self.draw("public/leave.html", whose=address, is_left="opted_out" in closed)
        store = Store(tenant, system_of(tenant), cause={"unsubscribe": source})
        is_back = "back" in request.form
        with store.transaction() as connection:
            if is_back:
                optouts.allow(connection, tenant, channel, address)
                optouts.mark_back(store, channel, address)
            elif optouts.suppress(connection, tenant, channel, address, "opted_out", source):
                optouts.mark_records(store, channel, address, "opted_out")
        return self.draw("public/leave.html", whose=address, is_left=not is_back)


# the mail program that posts has no session, and the link itself says whose address it is
csrf.exempt(f"{__name__}.leave")
