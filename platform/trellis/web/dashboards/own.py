"""The documents of dashboards that people make, and of what they add to others: read, changed, written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml
from flask_babel import gettext as _

from trellis.model.dashboards.dashboard import Dashboard, Place, free_place
from trellis.model.dashboards.kinds import KINDS
from trellis.records.refusal import Fault, Forbidden, Refused
from trellis.reports.own import boards
from trellis.reports.own.boards import Board, additions_of, board_by
from trellis.reports.own.boards_compiled import compile_board
from trellis.reports.own.compiled import own_report
from trellis.reports.own.rows import PREFIX, id_of, saved_by
from trellis.reports.seen import RIGHT, is_seen
from trellis.web.dashboards.layout import arranged
from trellis.web.reports.building.document import SLUG, plain, read_document

if TYPE_CHECKING:
    from trellis.records.store import Store

Data = dict[str, Any]
MOST = 40  # widgets that people put on one page
ALL, MINE = "all", "mine"
FILTERS: Mapping[str, Data] = {
    "period": {"type": "date_range", "default": "this_quarter"},
    "owner": {"type": "user"},
    "team": {"type": "team"},
}
"""What an own dashboard may be narrowed by, as its page offers it."""


@dataclass(frozen=True)
class Sheet:
    """A document that holds widgets. `whose`: of a dashboard of the configuration, whose additions they are."""

    dashboard: Dashboard
    data: Data
    board: Board | None
    whose: str = ""

    @property
    def widgets(self) -> Data:
        """The widgets, by key."""
        found = self.data.setdefault("widgets", {})
        return found if isinstance(found, dict) else {}


def board_of(store: Store, dashboard: Dashboard) -> Board | None:
    """The row of an own dashboard."""
    return board_by(store, id_of(dashboard.key)) if dashboard.is_own else None


def can_make(store: Store) -> bool:
    """Whether this person makes dashboards: who may read reports and belongs to the house."""
    permit = store.session.permit
    return not permit.is_portal and store.principal.id is not None and permit.allows(RIGHT)


def may_add(store: Store, dashboard: Dashboard) -> bool:
    """Whether this person puts widgets on it: on their own, and on the configuration's for themselves."""
    if not can_make(store):
        return False
    board = board_of(store, dashboard)
    return board.is_mine if board is not None else not dashboard.is_own


def sheet_of(store: Store, dashboard: Dashboard, whose: str = MINE) -> Sheet:
    """Where widgets are added. Raises Forbidden where they may not be."""
    if not may_add(store, dashboard) or (whose == ALL and not store.session.permit.allows("admin")):
        raise Forbidden("dashboard", "update")
    if (board := board_of(store, dashboard)) is not None:
        return Sheet(dashboard, read_document(board.yaml), board)
    found = next((b for b in additions_of(store, dashboard.key) if (b.owner is None) == (whose == ALL)), None)
    data = read_document(found.yaml) if found is not None else {"dashboard": dashboard.key, "widgets": {}}
    return Sheet(dashboard, data, found, whose)


def keep(store: Store, sheet: Sheet) -> None:
    """Write a document back."""
    if sheet.dashboard.is_own and sheet.board is not None:
        boards.change(store, sheet.board.id, yaml=written(sheet.data))
    else:
        text = written(sheet.data) if sheet.widgets else None
        boards.keep_additions(store, sheet.dashboard.key, text, for_all=sheet.whose == ALL)


def add_widget(store: Store, sheet: Sheet, data: Data, size: tuple[int, int]) -> str:
    """Put a widget at the first free place; its key. Raises Refused."""
    if len(sheet.dashboard.widgets) >= MOST:
        message = "A dashboard holds {most} widgets at most: take one off first."
        raise Refused([Fault("many", message, "kind", {"most": MOST})])
    layout = arranged(store, sheet.dashboard)
    at = free_place((place for _widget, place in layout.shown), *size)
    kind = next(k for k in KINDS if k in data)
    key = _free(kind, {*sheet.dashboard.widgets, *sheet.widgets})
    sheet.widgets[key] = {**data, "at": [at.x, at.y, at.width, at.height]}
    keep(store, sheet)
    return key


def set_widget(store: Store, sheet: Sheet, key: str, data: Data) -> None:
    """Change a widget where it stands."""
    sheet.widgets[key] = {**data, "at": sheet.widgets[key].get("at")}
    keep(store, sheet)


def place_widgets(store: Store, sheet: Sheet, places: Mapping[str, Place], removed: Iterable[str]) -> None:
    """Keep where the widgets of an own dashboard stand, and take some off."""
    for key in removed:
        sheet.widgets.pop(key, None)
    for key, at in places.items():
        if key in sheet.widgets:
            sheet.widgets[key]["at"] = [at.x, at.y, at.width, at.height]
    keep(store, sheet)


def drop_added(store: Store, dashboard: Dashboard, removed: Iterable[str]) -> None:
    """Take off what was added to a dashboard of the configuration: one's own; by administrators what is for all."""
    gone = [key for key in removed if key in dashboard.widgets and dashboard.widgets[key].added]
    for whose in (MINE, ALL):
        keys = [key for key in gone if dashboard.widgets[key].added == whose]
        if keys:
            place_widgets(store, sheet_of(store, dashboard, whose), {}, keys)


def is_removable(store: Store, dashboard: Dashboard, key: str) -> bool:
    """Whether this person may take a widget off for good, and change it."""
    if dashboard.is_own:
        return may_add(store, dashboard)
    added = dashboard.widgets[key].added
    return added == MINE or (added == ALL and store.session.permit.allows("admin"))


# ── YAML ─────────────────────────────────────────────────────────────────────────────────────────────────────


def new_document(label: str, description: str, filters: Iterable[str]) -> Data:
    """A dashboard without widgets."""
    found: Data = {"dashboard": slug_of(label), "label": label}
    if description:
        found["description"] = description
    chosen = {key: dict(FILTERS[key]) for key in FILTERS if key in set(filters)}
    return {**found, **({"filters": chosen} if chosen else {}), "widgets": {}}


def copied(store: Store, dashboard: Dashboard) -> Data:
    """The document of a dashboard as a new one begins: of what this person sees, where they see it."""
    board = board_of(store, dashboard)
    if board is not None:
        data = read_document(board.yaml)
    else:
        bench = store.tenant.model.bench
        data = plain(bench.document(dashboard.key, "dashboard") or {}) if bench is not None else {}
        for added in additions_of(store, dashboard.key):
            data["widgets"] = {**read_document(added.yaml).get("widgets", {}), **data.get("widgets", {})}
    made, _problems = compile_board(store, written({**data, "dashboard": "copy"}), "copy", is_draft=True)
    known = {key for key, w in made.widgets.items() if not w.wrong} if made is not None else set()
    widgets = {}
    for widget, at in arranged(store, dashboard).shown:
        found = data.get("widgets", {}).get(widget.key)
        if isinstance(found, dict) and widget.key in known:  # what asks for what is kept from them is left out
            more = {k: v for k, v in found.items() if k != "roles" and v is not None}
            widgets[widget.key] = {**more, "at": [at.x, at.y, at.width, at.height]}
    kept = {k: v for k, v in data.items() if k in ("description", "filters", "refresh") and v is not None}
    return {"dashboard": dashboard.key, "label": "", **kept, "widgets": widgets}


def adoptable(store: Store, board: Board) -> str:
    """What an administrator puts into a layer: the dashboard after the built reports that it shows."""
    data = read_document(board.yaml)
    texts: list[str] = []
    names: dict[str, str] = {}
    for widget in data.get("widgets", {}).values():
        kind = next((k for k in KINDS if k in widget), "")
        key = str(widget.get(kind, ""))
        if not key.startswith(PREFIX):
            continue
        if key not in names:
            saved, report = saved_by(store, id_of(key)), own_report(store, key)
            if saved is None or report is None or not is_seen(store, report):
                continue
            document = read_document(saved.yaml)
            names[key] = _free(str(document.get("report") or "report"), {*names.values(), *store.tenant.model.reports})
            texts.append(written({**document, "report": names[key], "label": saved.label}))
        widget[kind] = names[key]
    taken = set(store.tenant.model.dashboards)
    slug = slug_of(board.label)
    data["dashboard"] = slug if slug not in taken else _free(slug, taken)
    return "---\n".join([*texts, written(data)])


def written(data: Mapping[str, Any]) -> str:
    """A document as YAML."""
    return str(yaml.safe_dump(dict(data), sort_keys=False, allow_unicode=True, width=110, default_flow_style=None))


def unshared_of(store: Store, dashboard: Dashboard) -> list[str]:
    """The built reports on a dashboard that others do not find, by their names."""
    found = [saved_by(store, id_of(key)) for key in dashboard.reports]
    return [saved.label for saved in found if saved is not None and saved.is_mine and not saved.is_shared]


def filter_words() -> dict[str, str]:
    """What the filters are called."""
    return {"period": _("Period"), "owner": _("Person"), "team": _("Team")}


def slug_of(label: str) -> str:
    """A key of a label."""
    return SLUG.sub("-", label.lower()).strip("-") or "my-dashboard"


def _free(name: str, taken: Iterable[str]) -> str:
    known = set(taken)
    found, n = name, 2
    while found in known:
        found, n = f"{name}-{n}", n + 1
    return found
