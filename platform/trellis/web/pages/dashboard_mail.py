"""Getting a dashboard by mail: asking for it as one looks at it, ending it."""

from __future__ import annotations

from flask import Response, redirect, request
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.automation.mail.account import is_set_up
from trellis.records.refusal import Refused
from trellis.reports.dashboards.seen import dashboard_of
from trellis.reports.schedule.subscriptions import resume, stop, subscribe, subscription_of
from trellis.reports.schedule.timers import DASHBOARD
from trellis.web.context import current_store
from trellis.web.dashboards.filters import read_given
from trellis.web.faults import refusal_text
from trellis.web.flashes import toast
from trellis.web.guard import signed_in
from trellis.web.navigation import address
from trellis.web.pages.base import Page


class DashboardMailView(Page):
    """`/dashboards/<key>/mail/…`: the dialog, and what it posts."""

    @expose("/dashboards/<key>/mail/form")  # type: ignore[untyped-decorator]
    @signed_in
    def form(self, key: str) -> Response:
        """The dialog."""
        store = current_store()
        dashboard = dashboard_of(store, key)
        return self.draw(
            "_dashboard_mail.html",
            dashboard=dashboard,
            given=read_given(dashboard),
            subscription=subscription_of(store, f"{DASHBOARD}{key}"),
            can_mail=is_set_up(store.tenant),
        )

    @expose("/dashboards/<key>/mail/set", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def mail(self, key: str) -> object:
        """Asks for the dashboard with its filters as they are, or for no more of it."""
        store, mailed, hour = current_store(), f"{DASHBOARD}{key}", request.form.get("hour", -1, type=int)
        dashboard = dashboard_of(store, key)
        try:
            match request.form.get("do"):
                case "stop" if store.principal.id is not None:
                    with store.transaction() as connection:
                        stop(connection, store.tenant, mailed, store.principal.id)
                    toast(_("This dashboard is not mailed to you any more."))
                case "resume":
                    resume(store, mailed)
                    toast(_("You get this dashboard by mail again."))
                case _:
                    given = [(name, request.form[name]) for name in dashboard.filters if name in request.form]
                    when = request.form.get("when", "")
                    subscribe(store, mailed, when, hour, given)
                    toast(_("You get this dashboard by mail, narrowed as it is now."))
        except Refused as refused:
            toast(refusal_text(refused), kind="error")
        return redirect(address(f"dashboards/{key}"), 303)
