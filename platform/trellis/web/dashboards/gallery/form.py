"""The gallery's form: what stands in it, the widget that it makes, what is wrong at which control."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flask import render_template, request
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from trellis.model.dashboards.dashboard import Dashboard, Widget
from trellis.records.store import Store
from trellis.reports.own.boards_compiled import compile_board
from trellis.web.dashboards.framing import framing_of
from trellis.web.dashboards.gallery.controls import Control, Desk
from trellis.web.dashboards.gallery.registry import kinds, offered_kinds, sizes_of
from trellis.web.dashboards.own import written
from trellis.web.formulas import phrase_words

DRAFT = "draft"
PLACES = {"entity": "list", "view": "list", "whose": "filter"}  # which part of the YAML some controls write
COMMON = ("label", "note", "params", "filter", "columns", "sort", "filters", "type")  # kept from a pinned report


@dataclass(frozen=True)
class Tried:
    """The form as a widget. `faults`: by control; "" for what no control is about."""

    data: dict[str, Any]
    widget: Widget | None
    dashboard: Dashboard
    faults: Mapping[str, str] = field(default_factory=dict)


def read_desk(store: Store, dashboard: Dashboard, form: MultiDict[str, str]) -> Desk:
    """What stands in the form."""
    offered = offered_kinds()
    kind = form.get("kind", "")
    return Desk(store, dashboard, kind if kind in offered else "chart", {k: form.getlist(k) for k in form})


def desk_of(store: Store, dashboard: Dashboard, data: Mapping[str, Any]) -> Desk:
    """The form that a widget's YAML stands for."""
    kind = next((k for k in kinds() if k in data), "chart")
    given = kinds()[kind].given(dict(data))
    if data.get("label"):
        given["label"] = [str(data["label"])]
    if data.get("filters") == "none":
        given["apart"] = ["1"]
    return Desk(store, dashboard, kind, given)


def tried(desk: Desk, kept: Mapping[str, Any] | None = None) -> Tried:
    """The widget that the form makes, compiled with the names that this person may know."""
    made = dict(kinds()[desk.kind].data(desk))
    if label := desk.said("label") or kinds()[desk.kind].label(desk):
        made["label"] = label
    if desk.said("apart"):
        made["filters"] = "none"
    made = {**_kept(desk, kept or {}), **made}
    filters = {"filters": _filters(desk)} if desk.dashboard.filters else {}
    text = written({"dashboard": DRAFT, **filters, "widgets": {DRAFT: made}})
    dashboard, problems = compile_board(desk.store, text, DRAFT, is_draft=True)
    faults: dict[str, str] = {}
    names = {c.name for c in kinds()[desk.kind].controls(desk)}
    for problem in problems:
        if not problem.is_error:
            continue
        part = problem.path.removeprefix(f"widgets.{DRAFT}").strip(".").partition(".")[0]
        control = next((n for n in (part, *(c for c, p in PLACES.items() if p == part)) if n in names), "")
        control = control or ("report" if part == desk.kind and "report" in names else "")
        faults.setdefault(control, phrase_words(problem.message))
    faults |= _missing(desk)
    widget = dashboard.widgets.get(DRAFT) if dashboard is not None else None
    shown = replace(desk.dashboard, reports={**desk.dashboard.reports, **(dashboard.reports if dashboard else {})})
    return Tried(made, None if faults else widget, shown, faults)


def _kept(desk: Desk, kept: Mapping[str, Any]) -> dict[str, Any]:
    """Of a widget that is changed, what the form does not show, while it is still of the same report."""
    if kept.get(desk.kind) != kinds()[desk.kind].data(desk).get(desk.kind):
        return {}
    shown = {c.name for c in kinds()[desk.kind].controls(desk)} | {"label", "filters", "at", "roles"}
    if "whose" in shown:
        shown.add("filter")
    return {k: v for k, v in kept.items() if k not in shown}


def _filters(desk: Desk) -> dict[str, Any]:
    return {key: {"type": f.type, **_to(f)} for key, f in desk.dashboard.filters.items() if f.type != "choice"}


def _to(found: Any) -> dict[str, Any]:
    entities = found.param.field.type.formula_type().entities if found.param is not None else ()
    return {"to": entities[0]} if found.type == "link" and entities else {}


def _missing(desk: Desk) -> dict[str, str]:
    """What cannot be left empty or is no number, in words."""
    kind = kinds()[desk.kind]
    return kind.lacks(desk) or {
        c.name: str(_("A whole number is expected."))
        for c in kind.controls(desk)
        if c.kind == "number" and c.value and not c.value.lstrip("-").isdigit()
    }


def gallery_places(desk: Desk, **more: Any) -> dict[str, Any]:
    """What the gallery's template is filled with."""
    controls: Sequence[Control] = kinds()[desk.kind].controls(desk)
    of_records = desk.kind not in ("work", "text", "page", "feed")
    sizes = sizes_of(desk.kind)
    chosen = desk.said("size", "m")
    return {
        "desk": desk,
        "dashboard": desk.dashboard,
        "kinds": [(key, *kinds()[key].words(), kinds()[key].icon) for key in offered_kinds()],
        "controls": controls,
        "label": desk.said("label"),
        "can_part": bool(desk.dashboard.filters) and of_records,
        "is_apart": bool(desk.said("apart")),
        "sizes": sizes,
        "size": chosen if chosen in {s.key for s in sizes} else "m",
        "for_all": desk.said("for") == "all",
        "can_all": desk.store.session.permit.allows("admin") and not desk.dashboard.is_own,
        "faults": {},
        "widget_key": "",
        **more,
    }


def preview(found: Tried) -> str:
    """The widget as it would stand on the page, or what is missing."""
    from trellis.web.pages.dashboards import widget_html

    widget = found.widget
    framing = framing_of(widget.url, request.host_url) if widget is not None and widget.url else None
    inside = widget_html(found.dashboard, widget) if widget is not None and framing is None else ""
    return render_template(
        "dashboards/_gallery_preview.html", inside=inside, widget=widget, framing=framing, faults=found.faults
    )


def size_of(desk: Desk) -> tuple[int, int]:
    """The size that is chosen."""
    chosen = desk.said("size", "m")
    found = next((s for s in sizes_of(desk.kind) if s.key == chosen), sizes_of(desk.kind)[1])
    return found.width, found.height


def form_here() -> MultiDict[str, str]:
    """What was sent: the form, or the address of the dialog."""
    return request.form if request.method == "POST" else request.args
