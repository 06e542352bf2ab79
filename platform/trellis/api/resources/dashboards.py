"""Dashboards: which there are, and each with what its widgets show; the filters are the query's."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from flask_babel import gettext as _

from trellis.api.app import api
from trellis.api.problems import bad_request
from trellis.api.representation import json_response
from trellis.api.resources.reports import told
from trellis.model.dashboards.dashboard import Dashboard, Widget
from trellis.records.refusal import Forbidden, Missing, Refused
from trellis.records.store import Store
from trellis.reports.asking import Wishes
from trellis.reports.conditions import both
from trellis.reports.dashboards.chosen import Choice, read_choice
from trellis.reports.dashboards.figures import Figures
from trellis.reports.dashboards.seen import dashboard_of, dashboards_of, widgets_of
from trellis.reports.places import API
from trellis.reports.run import report_of, run
from trellis.reports.seen import RIGHT
from trellis.web.context import current_store
from trellis.web.faults import refusal_text
from trellis.web.i18n import say
from trellis.web.reports.read import tell_of_records

ROWS = 200  # of a widget's table
SINGLE = ("number", "gauge")


@api.get("/dashboards")
def list_dashboards() -> Response:
    """The dashboards that the caller may open, those of their roles first."""
    store = _store()
    return json_response({"data": [_summary(d) for d in dashboards_of(store)], "next": None})


@api.get("/dashboards/<key>")
def read_dashboard(key: str) -> Response:
    """A dashboard with what its widgets show. Raises Missing, Forbidden, Refused, Problem."""
    store = _store()
    dashboard = dashboard_of(store, key)
    for name in request.args:
        if name not in dashboard.filters:
            raise bad_request(_("“%(name)s” is no filter of this dashboard.", name=name), name)
    choice = read_choice(dashboard, request.args, store.principal.reader)
    if choice.faults:
        raise Refused(list(choice.faults))
    with store.transaction():
        widgets = [_widget(store, dashboard, w, choice) for w in widgets_of(store, dashboard)]
    return json_response({**_summary(dashboard), "widgets": widgets})


def _store() -> Store:
    store = current_store()
    if not store.session.permit.allows(RIGHT):
        raise Forbidden("dashboard", RIGHT)
    return store


def _summary(dashboard: Dashboard) -> dict[str, Any]:
    return {
        "key": dashboard.key,
        "label": say(dashboard.label),
        "description": say(dashboard.description),
        "filters": [
            {"key": key, "label": say(f.label), "type": f.type, "default": f.default}
            for key, f in dashboard.filters.items()
        ],
    }


def _widget(store: Store, dashboard: Dashboard, widget: Widget, choice: Choice) -> dict[str, Any]:
    """A widget with its data; one that is not for the caller has none, and one that fails says why."""
    at = widget.at
    found: dict[str, Any] = {
        "key": widget.key,
        "kind": widget.kind,
        "label": say(widget.label),
        "at": [at.x, at.y, at.width, at.height],
    }
    try:
        return found | _data(store, dashboard, widget, choice)
    except (Missing, Forbidden):
        return found | {"closed": True}
    except Refused as refused:
        return found | {"error": refusal_text(refused)}


def _data(store: Store, dashboard: Dashboard, widget: Widget, choice: Choice) -> dict[str, Any]:
    figures = Figures(store, dashboard, choice, API)
    if widget.entity is not None:
        if not store.may("read", widget.entity):
            raise Missing(f"entity {widget.entity}")
        view = store.tenant.model.entities[widget.entity].views.get(widget.view or "")
        own = view.filter.source.strip() if view is not None and view.filter is not None else ""
        narrowed = figures.narrowed(widget)
        return {"entity": widget.entity, "view": widget.view, "filter": both(own, *narrowed.filters)}
    if widget.report is None:
        return {"entities": list(widget.entities)} if widget.entities else {}
    report = report_of(store, widget.report, API)
    if widget.kind in SINGLE:
        made = figures.gauge(widget, report) if widget.kind == "gauge" else figures.figure(widget, report)
        return {
            "report": report.key,
            "value": made.value,
            "before": made.before,
            "change": made.change,
            "target": made.target,
            "points": list(made.points),
        }
    narrowed = figures.narrowed(widget)
    answer = run(store, report, narrowed.given, Wishes((), widget.columns, None, narrowed.filters, ROWS, API))
    tell_of_records(answer, "api")
    return {"report": report.key, "answer": told(answer)}
