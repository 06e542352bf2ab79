"""Dashboards: the list of them, each as a page, each widget by its own request, how they are arranged."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, jsonify, redirect, render_template, request
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.model.dashboards.dashboard import Dashboard, Place, Widget
from trellis.records import auditing
from trellis.records.privacy.access import Reading
from trellis.records.refusal import Fault, Forbidden, Missing, Refused
from trellis.records.store import Store
from trellis.reports.dashboards.chosen import read_choice
from trellis.reports.dashboards.seen import dashboard_of, dashboards_of, is_for, widgets_of
from trellis.reports.own.boards import boards_of
from trellis.reports.own.boards_compiled import own_dashboard
from trellis.web.auditing import gave_out
from trellis.web.context import current_store, may
from trellis.web.dashboards.filters import read_given
from trellis.web.dashboards.layout import choose_home, forget_layout, keep_layout, read_layout
from trellis.web.dashboards.looking import Looking, drawn
from trellis.web.dashboards.own import board_of, can_make, drop_added, filter_words, place_widgets, sheet_of
from trellis.web.dashboards.page import dashboard_places, with_frames
from trellis.web.faults import fault_text, refusal_text
from trellis.web.flashes import toast
from trellis.web.guard import signed_in
from trellis.web.navigation import address
from trellis.web.pages.base import Page

ALL = "all"
TODAY = "today"


class DashboardsView(Page):
    """`/dashboards/…`."""

    @expose("/dashboards/")  # type: ignore[untyped-decorator]
    @signed_in
    def index(self) -> Response:
        """The dashboards that this person may open, those of their roles first."""
        store = current_store()
        found = [d for d in dashboards_of(store) if not d.is_own]
        kept = [(board, own_dashboard(store, board)) for board in boards_of(store)]
        mine = [d for d in found if is_for(store, d)]
        return self.draw(
            "dashboards.html",
            mine=mine,
            others=[d for d in found if d not in mine],
            own=[pair for pair in kept if pair[0].is_mine],
            shared=[pair for pair in kept if not pair[0].is_mine],
            can_make=can_make(store),
            filter_words=filter_words(),
        )

    @expose("/dashboards/<key>")  # type: ignore[untyped-decorator]
    @signed_in
    def show(self, key: str) -> Response:
        """One dashboard."""
        store = current_store()
        dashboard = dashboard_of(store, key)
        with store.transaction():
            return with_frames(self.draw("dashboard.html", **dashboard_places(store, dashboard)), dashboard)

    @expose("/dashboards/<key>/<name>")  # type: ignore[untyped-decorator]
    @signed_in
    def widget(self, key: str, name: str) -> str:
        """One widget; what is wrong with it stands in its place."""
        store = current_store()
        dashboard = dashboard_of(store, key)
        widget = next((w for w in widgets_of(store, dashboard) if w.key == name), None)
        if widget is None:
            abort(404)
        return widget_html(dashboard, widget)

    @expose("/dashboards/<key>/arrange", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def arrange(self, key: str) -> Any:
        """Keep where the widgets stand, for the person or, by an administrator, for everybody."""
        store = current_store()
        dashboard = dashboard_of(store, key)
        given = request.get_json(silent=True)
        for_all = isinstance(given, dict) and given.get("for") == ALL
        if for_all and not may("admin"):
            abort(403)
        try:
            _arrange(store, dashboard, given, for_all=for_all)
        except Refused as refused:
            return jsonify(error=refusal_text(refused)), 422
        if for_all:
            _tell(dashboard)
            if isinstance(given, dict):  # what they see from now on is what all see
                forget_layout(store, dashboard)
        toast(_("Arranged for everybody.") if for_all else _("Your arrangement is kept."))
        return Response(status=204)

    @expose("/dashboards/<key>/reset", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def reset(self, key: str) -> Any:
        """Back to the arrangement for everybody, or to that of the configuration."""
        store = current_store()
        dashboard = dashboard_of(store, key)
        for_all = request.form.get("for") == ALL
        if for_all and not may("admin"):
            abort(403)
        forget_layout(store, dashboard, for_all=for_all)
        if for_all:
            _tell(dashboard)
        toast(_("The arrangement is as it was."))
        return redirect(address(f"dashboards/{dashboard.key}"), 303)

    @expose("/dashboards/home", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def home(self) -> Any:
        """What the person begins with from now on."""
        key = request.form.get("key", "")
        if key != TODAY:
            dashboard_of(current_store(), key)
        choose_home(current_store(), "" if key == TODAY else key)
        toast(_("This is your home now."))
        return redirect(address(), 303)


def _arrange(store: Store, dashboard: Dashboard, given: Any, *, for_all: bool) -> None:
    """Where the widgets stand: of one's own dashboard it is the document that says so. Raises Refused."""
    removed = given.get("removed", []) if isinstance(given, dict) else []
    gone = [key for key in removed if isinstance(key, str)] if isinstance(removed, list) else []
    board = board_of(store, dashboard)
    if board is None or not board.is_mine:
        drop_added(store, dashboard, gone)
        keep_layout(store, dashboard, given, for_all=for_all)
        return
    kept = read_layout(store, dashboard, given)
    places = {key: Place(*at) for key, at in kept["widgets"].items()}
    place_widgets(store, sheet_of(store, dashboard), places, gone)
    forget_layout(store, dashboard)


def widget_html(dashboard: Dashboard, widget: Widget) -> str:
    """The inside of a widget, or why there is none."""
    store = current_store()
    choice = read_choice(dashboard, read_given(dashboard), store.principal.reader)
    looking = Looking(store, dashboard, widget, choice)
    common: dict[str, Any] = {"dashboard": dashboard, "widget": widget, "src": request.full_path.rstrip("?")[1:]}
    try:
        if widget.wrong:
            fault = Fault("outgrown", "It no longer fits the configuration: {why}", params={"why": widget.wrong})
            raise Refused([fault])
        if choice.faults:
            raise Refused(list(choice.faults))
        with store.transaction():
            values = drawn(looking)
            title, missed = title_address(looking), missed_filters(looking)
    except (Missing, Forbidden):
        return render_template("dashboards/_closed.html", **common)
    except Refused as refused:
        texts = [fault_text(f) for f in refused.faults]
        return render_template(
            "dashboards/_refused.html", texts=texts, can_retry=not choice.faults and not widget.wrong, **common
        )
    for entity, count in values.get("told", {}).items():  # records that are shown, to the log of who reads of persons
        gave_out(Reading("list", entity, None, count, f"dashboard={dashboard.key}"))
    return render_template(
        f"dashboards/{widget.kind}.html", title_href=title, missed=missed, at=looking, **common, **values
    )


def title_address(looking: Looking) -> str:
    """Where the widget's title leads: the report or the list behind it."""
    if looking.widget.report is not None:
        return looking.address
    if looking.widget.entity is not None:
        from trellis.web.dashboards.records import list_address

        return list_address(looking, looking.entity.views.get(looking.widget.view or ""))
    return looking.widget.url or ""


def missed_filters(looking: Looking) -> list[Any]:
    """The filters that are set and change nothing here."""
    if looking.widget.report is None and looking.widget.entity is None:
        return []
    return [looking.dashboard.filters[key].label for key in looking.narrowed.missed]


def _tell(dashboard: Dashboard) -> None:
    """To the audit log: what all see has changed."""
    store = current_store()
    with store.transaction():
        auditing.note(store.session, "company.dashboard-arranged", details={"dashboard": dashboard.key})
