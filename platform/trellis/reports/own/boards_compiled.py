"""Dashboards that people have made, compiled for whoever looks; and what they have added to others."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any

from trellis.config.reader import read_yaml
from trellis.model.dashboards.dashboard import Dashboard
from trellis.model.reports.report import Report
from trellis.model.text import Text
from trellis.reports.own.boards import Board, additions_of
from trellis.reports.own.compiled import compiled
from trellis.reports.own.rows import id_of, saved_by

if TYPE_CHECKING:
    from trellis.config.problem import Problem
    from trellis.records.store import Store

KEPT = 500
_kept: OrderedDict[tuple[Any, ...], Dashboard] = OrderedDict()
_guard = Lock()


def own_dashboard(store: Store, board: Board) -> Dashboard:
    """A dashboard as somebody has made it."""
    made = _compiled(store, board)
    return replace(made, key=board.key, label=Text(board.label))


def with_additions(store: Store, dashboard: Dashboard) -> Dashboard:
    """A dashboard of the configuration with what was added to it: for everybody, and by this person."""
    for board in additions_of(store, dashboard.key):
        made = _compiled(store, board)
        whose = "all" if board.owner is None else "mine"
        widgets = {key: replace(w, added=whose) for key, w in made.widgets.items() if key not in dashboard.widgets}
        reports = {**dashboard.reports, **made.reports}
        dashboard = replace(dashboard, widgets={**dashboard.widgets, **widgets}, reports=reports)
    return dashboard


def built_reports(store: Store, keys: Iterable[str]) -> dict[str, Report]:
    """Of some keys, the reports that people have built and that this person finds."""
    found = {}
    for key in keys:
        saved = saved_by(store, id_of(key))
        report = compiled(store, saved).report if saved is not None and saved.base is None else None
        if report is not None:
            found[key] = report
    return found


def compile_board(
    store: Store, yaml: str, key: str, *, is_draft: bool = False
) -> tuple[Dashboard | None, tuple[Problem, ...]]:
    """A dashboard of a text, with the reports that this person finds; a draft knows only the names they may know."""
    model = store.tenant.model
    assert model.bench is not None
    own = built_reports(store, reports_in(yaml))
    hides = store.session.permit.conceals if is_draft else None
    made, problems = model.bench.compile_dashboard(yaml, key, model.entities, {**model.reports, **own}, hides)
    return (replace(made, reports=own) if made is not None else None), problems


@lru_cache(KEPT)
def reports_in(yaml: str) -> tuple[str, ...]:
    """The keys of the built reports that a dashboard's text names."""
    texts = (str(value) for widget in _widgets(yaml).values() for value in widget.values())
    return tuple(dict.fromkeys(text for text in texts if id_of(text) is not None))


def _widgets(yaml: str) -> Mapping[str, Mapping[str, Any]]:
    found = read_yaml(yaml, "dashboard.yaml").documents
    data = found[0][0] if found and isinstance(found[0][0], dict) else {}
    widgets = data.get("widgets")
    return {k: w for k, w in widgets.items() if isinstance(w, dict)} if isinstance(widgets, dict) else {}


def _compiled(store: Store, board: Board) -> Dashboard:
    saved = {key: saved_by(store, id_of(key)) for key in reports_in(board.yaml)}
    stamps = tuple((key, one.stamp if one is not None else "") for key, one in saved.items())
    mark = (store.tenant.model.hash, board.key, board.stamp, stamps)
    with _guard:
        if mark in _kept:
            _kept.move_to_end(mark)
            return _kept[mark]
    made, _problems = compile_board(store, board.yaml, board.key)
    made = made or Dashboard(board.key, Text(board.label), is_own=True)
    with _guard:
        _kept[mark] = made
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return made
