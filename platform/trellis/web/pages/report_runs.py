"""Reports in the background: letting one run, those of mine, opening one that is ready, ending one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, redirect, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.records.refusal import Refused
from trellis.reports.background.runs import Run, cancel, forget, run_of, runs_of, start
from trellis.reports.run import report_of
from trellis.web.context import current_store
from trellis.web.faults import fault_text, refusal_text
from trellis.web.flashes import toast
from trellis.web.guard import needs
from trellis.web.i18n import say
from trellis.web.pages.base import Page
from trellis.web.pages.saved_views import read_query
from trellis.web.reports.asked import read_asked
from trellis.web.reports.links import report_address
from trellis.web.reports.variants import kept_parts


class ReportRunsView(Page):
    """`/reports/background/…`, `/reports/<key>/background`."""

    @expose("/reports/background/")  # type: ignore[untyped-decorator]
    @needs("reports")
    def index(self) -> Response:
        """The person's runs of the last day."""
        runs = runs_of(current_store())
        return self.draw(
            "report_runs.html", runs=runs, states=_states(), why=_why, is_open=any(r.is_open for r in runs)
        )

    @expose("/reports/<key>/background", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("reports")
    def start(self, key: str) -> Any:
        """Let a report run as it is looked at."""
        store = current_store()
        report = report_of(store, key)
        asked = read_asked(report, read_query(request.form.get("state", "")))
        try:
            start(store, key, say(report.label), kept_parts(asked))
        except Refused as refused:
            toast(refusal_text(refused), kind="error")
            return redirect(report_address(key, asked.parts()), 303)
        toast(_("The report runs in the background. You are told when it is ready."))
        return redirect(url_for("ReportRunsView.index"), 303)

    @expose("/reports/background/<uuid:id>")  # type: ignore[untyped-decorator]
    @needs("reports")
    def show(self, id: UUID) -> Any:
        """The report with what was computed; the list while there is nothing to show."""
        found = run_of(current_store(), id)
        if found.state != "done":
            return redirect(url_for("ReportRunsView.index"), 303)
        return redirect(report_address(found.report, [*found.parts, ("ran", found.id.hex)]), 303)

    @expose("/reports/background/<uuid:id>/end", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("reports")
    def end(self, id: UUID) -> Any:
        """Ends one that runs, or forgets one that has ended."""
        store = current_store()
        found = run_of(store, id)
        if found.is_open:
            cancel(store, found)
            toast(_("Cancelled."))
        else:
            forget(store, found)
            toast(_("Deleted."))
        return redirect(url_for("ReportRunsView.index"), 303)


def _why(run: Run) -> str:
    return fault_text(run.why) if run.why is not None else ""


def _states() -> dict[str, tuple[str, str]]:
    return {
        "waiting": (_("Waiting"), "gray"),
        "running": (_("Running"), "blue"),
        "done": (_("Ready"), "green"),
        "failed": (_("Failed"), "red"),
        "cancelled": (_("Cancelled"), "gray"),
    }
