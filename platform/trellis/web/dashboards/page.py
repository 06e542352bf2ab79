"""The page of one dashboard: its frame, which holds a place for every widget. The widgets come by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from trellis.model.dashboards.dashboard import Dashboard, Place, Widget
from trellis.reports.dashboards.chosen import read_choice
from trellis.reports.dashboards.seen import dashboards_of, home_of, is_for
from trellis.web.context import may
from trellis.web.dashboards.filters import filter_controls, read_given
from trellis.web.dashboards.layout import arranged, chosen_home
from trellis.web.dashboards.own import adoptable, board_of, can_make, filter_words, is_removable, may_add, unshared_of
from trellis.web.navigation import address
from trellis.web.reports.variants import shareable_roles
from trellis.web.security import POLICY

if TYPE_CHECKING:
    from flask import Response

    from trellis.records.store import Store

FULL_REFRESH = 60  # seconds between two looks in full screen, unless the dashboard says


@dataclass(frozen=True)
class Slot:
    """A widget's place on the page, and where its content comes from."""

    widget: Widget
    place: Place
    src: str
    is_removable: bool = False


def dashboard_places(store: Store, dashboard: Dashboard, *, is_home: bool = False) -> dict[str, Any]:
    """What the page's template is filled with."""
    given = read_given(dashboard)
    choice = read_choice(dashboard, given, store.principal.reader)
    layout = arranged(store, dashboard)
    others = dashboards_of(store)
    chosen = chosen_home(store)
    home = home_of(store, chosen)
    board = board_of(store, dashboard)
    return {
        "dashboard": dashboard,
        "slots": [
            Slot(w, place, _source(dashboard, w, given), is_removable(store, dashboard, w.key))
            for w, place in layout.shown
        ],
        "put_away": layout.hidden,
        "layout": layout,
        "controls": filter_controls(store, dashboard, given, choice),
        "given": given,
        "others": others,
        "mine": [d for d in others if is_for(store, d) and not d.is_own],
        "is_home": is_home,
        "is_own_home": home is not None and home.key == dashboard.key and chosen != "",
        "refresh": dashboard.refresh or 0,
        "full_refresh": dashboard.refresh or FULL_REFRESH,
        "may_arrange_for_all": may("admin") and not dashboard.is_own,
        "board": board,
        "is_mine": board is not None and board.is_mine,
        "own": [d for d in others if d.is_own],
        "can_add": may_add(store, dashboard),
        "can_make": can_make(store),
        "roles_known": shareable_roles(store) if board is not None else [],
        "may_unshare": may("admin"),
        "unshared": unshared_of(store, dashboard) if board is not None and board.is_mine else [],
        "filter_words": filter_words(),
        "yaml": adoptable(store, board) if board is not None and (board.is_mine or may("admin")) else "",
    }


def _source(dashboard: Dashboard, widget: Widget, given: Mapping[str, str]) -> str:
    query = urlencode(given)
    return address(f"dashboards/{dashboard.key}/{widget.key}") + (f"?{query}" if query else "")


def with_frames(response: Response, dashboard: Dashboard) -> Response:
    """Let the page show the sites that its widgets name, and no others."""
    hosts = {f"https://{urlsplit(w.url).netloc}" for w in dashboard.widgets.values() if w.url}
    if hosts:
        response.headers["Content-Security-Policy"] = f"{POLICY}; frame-src {' '.join(sorted(hosts))}"
    return response
