"""Getting a report by mail: asking for it, ending it, also by the link in a letter."""

from __future__ import annotations

from flask import redirect, request
from flask_appbuilder import expose
from flask_babel import gettext as _
from werkzeug import Response

from trellis.records.refusal import Refused
from trellis.reports.run import report_of
from trellis.reports.schedule.subscriptions import resume, stop, subscribe
from trellis.reports.schedule.timers import DASHBOARD
from trellis.web.context import current_store, current_tenant
from trellis.web.faults import refusal_text
from trellis.web.flashes import toast
from trellis.web.guard import needs
from trellis.web.pages.base import Page
from trellis.web.pages.saved_views import read_query
from trellis.web.reports.asked import read_asked
from trellis.web.reports.links import report_address
from trellis.web.reports.mailing import read_stop_token
from trellis.web.reports.variants import kept_parts
from trellis.web.security import csrf


class ReportMailView(Page):
    """`/reports/<key>/mail`, `/reports/stop/<token>`."""

    @expose("/reports/<key>/mail", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("reports")
    def mail(self, key: str) -> Response:
        """Asks for the report as it is looked at, or for no more of it."""
        store = current_store()
        report = report_of(store, key)
        asked = read_asked(report, read_query(request.form.get("state", "")))
        hour = request.form.get("hour", -1, type=int)
        try:
            match request.form.get("do"):
                case "stop" if store.principal.id is not None:
                    with store.transaction() as connection:
                        stop(connection, store.tenant, key, store.principal.id)
                    toast(_("This report is not mailed to you any more."))
                case "resume":
                    resume(store, key)
                    toast(_("You get this report by mail again."))
                case _:
                    when = request.form.get("when", "")
                    subscribe(store, key, when, hour, kept_parts(asked))
                    toast(_("You get this report by mail, as you look at it now."))
        except Refused as refused:
            toast(refusal_text(refused), kind="error")
        return redirect(report_address(key, asked.parts()), 303)

    @expose("/reports/stop/<token>", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    def stop(self, token: str) -> Response:
        """The link of a letter. Programs that look at letters open links; a person, or their mail program, posts."""
        tenant = current_tenant()
        found = read_stop_token(tenant, token)
        if found is None:
            return self.draw("report_stop.html", status=404, state="gone", label="")
        key, user = found
        named = key.removeprefix(DASHBOARD)
        kept = tenant.model.dashboards.get(named) if key.startswith(DASHBOARD) else tenant.model.reports.get(key)
        label = kept.label if kept is not None else ""
        if request.method == "GET":
            return self.draw("report_stop.html", state="ask", label=label)
        with tenant.begin() as connection:
            stop(connection, tenant, key, user)
        return self.draw("report_stop.html", state="done", label=label)


# posted by mail programs (RFC 8058): the link itself says whose mailing it ends, and can end nothing else
csrf.exempt(f"{__name__}.stop")
