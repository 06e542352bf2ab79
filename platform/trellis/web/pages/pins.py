"""Pinning a report to a dashboard, as one looks at it: its params, order, columns and chart."""

from __future__ import annotations

from typing import Any

from flask import abort, redirect, render_template, request
from flask_appbuilder import expose
from flask_babel import gettext as _
from werkzeug import Response

from trellis.model.dashboards.dashboard import Dashboard
from trellis.records import auditing
from trellis.records.refusal import Refused
from trellis.records.store import Store
from trellis.reports.conditions import both
from trellis.reports.dashboards.seen import dashboard_of, dashboards_of
from trellis.reports.own import boards
from trellis.reports.own.boards import boards_of
from trellis.reports.run import report_of
from trellis.web.context import current_store
from trellis.web.dashboards.gallery.controls import kinds_for
from trellis.web.dashboards.gallery.registry import kinds, sizes_of
from trellis.web.dashboards.own import ALL, MINE, add_widget, may_add, new_document, sheet_of, written
from trellis.web.faults import refusal_text
from trellis.web.flashes import toast
from trellis.web.guard import needs
from trellis.web.i18n import say
from trellis.web.navigation import address
from trellis.web.pages.base import Page
from trellis.web.pages.saved_views import read_query
from trellis.web.reports.asked import NO_CHART, Asked, read_asked, write_orders
from trellis.web.reports.links import report_address
from trellis.web.reports.variants import open_report

NEW = "new"


class PinsView(Page):
    """`/reports/<key>/pin`."""

    @expose("/reports/<key>/pin")  # type: ignore[untyped-decorator]
    @needs("reports")
    def ask(self, key: str) -> str:
        """The dialog: onto which dashboard, as what, how large."""
        store = current_store()
        report = report_of(store, key)
        asked, variants = open_report(store, report)
        own = {board.key for board in boards_of(store) if board.is_mine}
        found = [d for d in dashboards_of(store) if d.key in own or (not d.is_own and may_add(store, d))]
        return render_template(
            "dashboards/_pin.html",
            report=report,
            state=request.query_string.decode(),
            label=variants.now.label if variants.now is not None else "",
            boards=[d for d in found if d.is_own],
            others=[d for d in found if not d.is_own],
            kinds=[(kind, kinds()[kind].words()[0]) for kind in kinds_for(report)],
            sizes=sizes_of("chart"),
            is_apart=bool(asked.given or asked.filters),
            can_all=store.session.permit.allows("admin"),
        )

    @expose("/reports/<key>/pin", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("reports")
    def pin(self, key: str) -> Response:
        """Puts it there."""
        store = current_store()
        report = report_of(store, key)
        state = read_query(request.form.get("state", ""))
        asked, whose = read_asked(report, state), ALL if request.form.get("for") == ALL else MINE
        kind = request.form.get("kind", "")
        if kind not in kinds_for(report):
            abort(400)
        try:
            dashboard = _dashboard(store)
            sheet = sheet_of(store, dashboard, whose)
            name = add_widget(store, sheet, widget_of(kind, asked), _size(kind))
            if whose == ALL and not dashboard.is_own:
                with store.transaction():
                    auditing.note(store.session, "company.dashboard-arranged", details={"dashboard": dashboard.key})
        except Refused as refused:
            toast(refusal_text(refused), kind="error")
            return redirect(report_address(key, asked.parts()), 303)
        toast(_("Pinned to “%(label)s”.", label=say(dashboard.label)))
        return redirect(address(f"dashboards/{dashboard.key}") + f"?shown={name}#w-{name}", 303)


def widget_of(kind: str, asked: Asked) -> dict[str, Any]:
    """A report as one looks at it, as a widget."""
    made: dict[str, Any] = {kind: asked.report.key}
    if label := " ".join(request.form.get("label", "").split())[:80]:
        made["label"] = label
    if asked.given:
        made["params"] = dict(asked.given)
    if asked.filters:
        made["filter"] = both(*asked.filters)
    if asked.chart and asked.chart != NO_CHART and kind == "chart":
        made["type"] = asked.chart
    if asked.sort and kind in ("chart", "table"):
        made["sort"] = write_orders(asked.sort).split(",")
    if asked.columns and kind == "table":
        made["columns"] = list(asked.columns)
    if request.form.get("apart"):
        made["filters"] = "none"
    return made


def _size(kind: str) -> tuple[int, int]:
    sizes = {s.key: (s.width, s.height) for s in sizes_of(kind)}
    return sizes.get(request.form.get("size", ""), sizes["m"])


def _dashboard(store: Store) -> Dashboard:
    """The one that is chosen, or a new one."""
    key = request.form.get("dashboard", "")
    if key != NEW:
        return dashboard_of(store, key)
    label = " ".join(request.form.get("name", "").split())
    board = boards.make(store, label, written(new_document(label, "", ("period",))))
    return dashboard_of(store, board.key)
