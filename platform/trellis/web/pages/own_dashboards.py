"""Dashboards that people make in the browser: a new one, its widgets from the gallery, who finds it, its YAML."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import abort, make_response, redirect, render_template, request
from flask_appbuilder import expose
from flask_babel import gettext as _
from werkzeug import Response

from trellis.model.dashboards.dashboard import Dashboard
from trellis.records import auditing
from trellis.records.refusal import Forbidden, Refused
from trellis.records.store import Store
from trellis.reports.dashboards.seen import dashboard_of
from trellis.reports.own import boards
from trellis.reports.own.boards import Board
from trellis.web.context import current_store, may
from trellis.web.dashboards.gallery.form import desk_of, form_here, gallery_places, preview, read_desk, size_of, tried
from trellis.web.dashboards.own import (
    ALL,
    FILTERS,
    MINE,
    Sheet,
    add_widget,
    adoptable,
    board_of,
    copied,
    is_removable,
    keep,
    new_document,
    set_widget,
    sheet_of,
    slug_of,
    written,
)
from trellis.web.faults import refusal_text
from trellis.web.flashes import toast
from trellis.web.guard import needs
from trellis.web.navigation import address
from trellis.web.pages.base import Page
from trellis.web.reports.variants import chosen_roles


class OwnDashboardsView(Page):
    """`/dashboards/new`, `/dashboards/<key>/gallery/…`, `/dashboards/<key>/own`."""

    @expose("/dashboards/new", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("reports")
    def create(self) -> Response:
        """A new dashboard, empty or as another one is."""
        store, label = current_store(), " ".join(request.form.get("label", "").split())
        try:
            board = boards.make(store, label, written(_begun(store, label)))
        except Refused as refused:
            toast(refusal_text(refused), kind="error")
            return redirect(address("dashboards/"), 303)
        toast(_("Saved: %(label)s", label=board.label))
        return redirect(address(f"dashboards/{board.key}"), 303)

    @expose("/dashboards/<key>/gallery/form", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @needs("reports")
    def gallery(self, key: str) -> str:
        """The gallery in its dialog, or its form drawn again for another kind or report."""
        store = current_store()
        dashboard = dashboard_of(store, key)
        name = form_here().get("widget", "")
        sheet = _sheet(store, dashboard, name)
        if request.method == "GET" and name:
            desk = desk_of(store, dashboard, sheet.widgets[name])
            return render_template("dashboards/_gallery.html", **gallery_places(desk, widget_key=name))
        desk = read_desk(store, dashboard, form_here())
        template = "_gallery_form.html" if request.method == "POST" else "_gallery.html"
        return render_template(f"dashboards/{template}", **gallery_places(desk, widget_key=name))

    @expose("/dashboards/<key>/gallery/preview", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("reports")
    def preview(self, key: str) -> str:
        """The widget as it would stand on the page."""
        store = current_store()
        dashboard = dashboard_of(store, key)
        name = request.form.get("widget", "")
        kept = _sheet(store, dashboard, name).widgets.get(name)
        return preview(tried(read_desk(store, dashboard, request.form), kept))

    @expose("/dashboards/<key>/gallery/save", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("reports")
    def save(self, key: str) -> Response:
        """Puts the widget on the dashboard, or changes the one that is there."""
        store = current_store()
        dashboard = dashboard_of(store, key)
        name = request.form.get("widget", "")
        sheet, desk = _sheet(store, dashboard, name), read_desk(store, dashboard, request.form)
        found = tried(desk, sheet.widgets.get(name))
        faults = dict(found.faults)
        if found.widget is not None:
            try:
                if name:
                    set_widget(store, sheet, name, found.data)
                else:
                    name = add_widget(store, sheet, found.data, size_of(desk))
                _tell(store, sheet)
            except Refused as refused:
                faults = {"": refusal_text(refused)}
        if faults:
            places = gallery_places(desk, faults=faults, widget_key=request.form.get("widget", ""))
            return make_response(render_template("dashboards/_gallery_form.html", **places))
        toast(_("It is on the dashboard."))
        response = make_response("", 204)
        response.headers["HX-Redirect"] = address(f"dashboards/{dashboard.key}") + f"?shown={name}#w-{name}"
        return response

    @expose("/dashboards/<key>/own", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("reports")
    def change(self, key: str) -> Response:
        """Names it, narrows it, shares it, deletes it."""
        store = current_store()
        dashboard = dashboard_of(store, key)
        board, act = board_of(store, dashboard), ACTS.get(request.form.get("do", ""))
        if board is None or act is None:
            abort(404 if board is None else 400)
        try:
            return redirect(act(store, board), 303)
        except Refused as refused:
            toast(refusal_text(refused), kind="error")
            return redirect(address(f"dashboards/{key}"), 303)

    @expose("/dashboards/<key>.yaml")  # type: ignore[untyped-decorator]
    @needs("reports")
    def document(self, key: str) -> Response:
        """The document of an own dashboard with the built reports in it, for an administrator to adopt."""
        store = current_store()
        dashboard = dashboard_of(store, key)
        board = board_of(store, dashboard)
        if board is None or not (board.is_mine or may("admin")):
            abort(404)
        response = make_response(adoptable(store, board))
        response.headers["Content-Type"] = "application/yaml; charset=utf-8"
        response.headers.set("Content-Disposition", "attachment", filename=f"{slug_of(board.label)}.yaml")
        return response


def _begun(store: Store, label: str) -> dict[str, Any]:
    """The document of a new dashboard."""
    if key := request.form.get("copy", ""):
        return {**copied(store, dashboard_of(store, key)), "dashboard": slug_of(label), "label": label}
    return new_document(label, request.form.get("description", "").strip()[:400], request.form.getlist("filters"))


def _sheet(store: Store, dashboard: Dashboard, name: str) -> Sheet:
    """The document that the widget is in, or goes into."""
    whose = ALL if request.form.get("for") == ALL else MINE
    if name and name in dashboard.widgets:
        whose = dashboard.widgets[name].added or MINE
    sheet = sheet_of(store, dashboard, whose)
    if name and name not in sheet.widgets:
        abort(404 if name not in dashboard.widgets or is_removable(store, dashboard, name) else 403)
    return sheet


def _tell(store: Store, sheet: Sheet) -> None:
    """To the audit log, where all see it."""
    if sheet.whose == ALL and not sheet.dashboard.is_own:
        with store.transaction():
            auditing.note(store.session, "company.dashboard-arranged", details={"dashboard": sheet.dashboard.key})


# ── acts ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _settings(store: Store, board: Board) -> str:
    """The name, what it is about, what it may be narrowed by."""
    if not board.is_mine:
        raise Forbidden("dashboard", "update")
    sheet = sheet_of(store, dashboard_of(store, board.key))
    label = " ".join(request.form.get("label", "").split())
    boards.change(store, board.id, label=label)
    data = sheet.data
    data["label"], about = label, request.form.get("description", "").strip()[:400]
    data.pop("description", None)
    if about:
        data["description"] = about
    wanted, known = request.form.getlist("filters"), data.get("filters") or {}
    filters = {key: known.get(key) or dict(FILTERS[key]) for key in FILTERS if key in wanted}
    data["filters"] = {**filters, **{key: f for key, f in known.items() if key not in FILTERS}}
    for widget in data.get("widgets", {}).values():  # what is no filter any more narrows nothing
        if isinstance(taken := widget.get("filters"), list):
            widget["filters"] = [key for key in taken if key in data["filters"]] or "none"
    keep(store, sheet)
    toast(_("Saved: %(label)s", label=label))
    return address(f"dashboards/{board.key}")


def _share(store: Store, board: Board) -> str:
    shared, roles = chosen_roles()
    boards.change(store, board.id, shared=shared, roles=roles)
    if shared:
        toast(_("“%(label)s” is shared. Everybody sees it with their own rights.", label=board.label))
    else:
        toast(_("“%(label)s” is only for you.", label=board.label))
    return address(f"dashboards/{board.key}")


def _unshare(store: Store, board: Board) -> str:
    boards.unshare(store, board)
    toast(_("“%(label)s” is not shared any more.", label=board.label))
    return address(f"dashboards/{board.key}" if board.is_mine else "dashboards/")


def _delete(store: Store, board: Board) -> str:
    boards.delete(store, board)
    toast(_("Dashboard deleted: %(label)s", label=board.label))
    return address("dashboards/")


ACTS: Mapping[str, Callable[[Store, Board], str]] = {
    "settings": _settings,
    "share": _share,
    "unshare": _unshare,
    "delete": _delete,
}
