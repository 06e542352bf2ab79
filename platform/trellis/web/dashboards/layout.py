"""How widgets are arranged: as the configuration says, as an administrator wants it for all, as a person wants it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis.identity.preferences import keep_preference, read_preference
from trellis.model.dashboards.dashboard import COLUMNS, LOWEST, TALLEST, Dashboard, Place, Widget, free_place
from trellis.records.refusal import Fault, Refused
from trellis.reports.dashboards.seen import widgets_of

if TYPE_CHECKING:
    from trellis.records.store import Store

EVERYBODY = UUID(int=0)  # whose preferences hold for all who have none of their own
HOME = "home"


@dataclass(frozen=True)
class Arranged:
    """The widgets in the order in which they are read, each with its place; and those that were put away."""

    shown: tuple[tuple[Widget, Place], ...]
    hidden: tuple[Widget, ...] = ()
    is_mine: bool = False
    is_shared: bool = False  # an administrator has arranged it for all


def layout_key(dashboard: Dashboard) -> str:
    """The preference that keeps an arrangement."""
    return f"dashboard:{dashboard.key}"


def arranged(store: Store, dashboard: Dashboard) -> Arranged:
    """How this person sees a dashboard."""
    mine, shared = _kept(store, dashboard)
    kept = mine if mine is not None else shared or {}
    places, hidden = kept.get("widgets", {}), set(kept.get("hidden", ()))
    widgets = widgets_of(store, dashboard)
    found: dict[str, Place] = {}
    for widget in widgets:
        at = places.get(widget.key)
        if widget.key not in hidden and at is not None:
            found[widget.key] = Place(*at)
    for widget in widgets:  # what nobody has placed stands where it was written, if that is free
        if widget.key in hidden or widget.key in found:
            continue
        is_free = not any(widget.at.overlaps(p) for p in found.values())
        found[widget.key] = widget.at if is_free else free_place(found.values(), widget.at.width, widget.at.height)
    by_key = {w.key: w for w in widgets}
    ordered = sorted(found.items(), key=lambda pair: (pair[1].y, pair[1].x))
    return Arranged(
        tuple((by_key[key], place) for key, place in ordered),
        tuple(w for w in widgets if w.key in hidden),
        mine is not None,
        shared is not None,
    )


def keep_layout(store: Store, dashboard: Dashboard, given: Any, *, for_all: bool = False) -> None:
    """Keep an arrangement for the person, or for everybody. Raises Refused."""
    keep_preference(store.tenant, _whose(store, for_all), layout_key(dashboard), read_layout(store, dashboard, given))


def forget_layout(store: Store, dashboard: Dashboard, *, for_all: bool = False) -> None:
    """Back to what holds without it."""
    keep_preference(store.tenant, _whose(store, for_all), layout_key(dashboard), None)


def read_layout(store: Store, dashboard: Dashboard, given: Any) -> dict[str, Any]:
    """An arrangement as it is kept. Raises Refused where it is none."""
    known = {w.key for w in widgets_of(store, dashboard)}
    widgets = given.get("widgets") if isinstance(given, Mapping) else None
    hidden = given.get("hidden", []) if isinstance(given, Mapping) else None
    if not isinstance(widgets, Mapping) or not isinstance(hidden, list):
        raise _refused()
    places: dict[str, Place] = {}
    for key, at in widgets.items():
        if not isinstance(at, list) or len(at) != 4 or not all(type(n) is int for n in at):
            raise _refused()
        place = Place(*at)
        fits = place.x >= 0 and place.y >= 0 and place.width > 0 and place.x + place.width <= COLUMNS
        if not fits or not 0 < place.height <= TALLEST or place.y > LOWEST:
            raise _refused()
        if any(place.overlaps(p) for p in places.values()):
            raise _refused()
        if key in known:
            places[key] = place
    return {
        "widgets": {key: [p.x, p.y, p.width, p.height] for key, p in places.items()},
        "hidden": [key for key in dict.fromkeys(hidden) if isinstance(key, str) and key in known and key not in places],
    }


def chosen_home(store: Store) -> str | None:
    """The dashboard that the person has chosen to begin with; "" for the day's work."""
    found = read_preference(store.tenant, store.principal.id, HOME) if store.principal.id is not None else None
    return found if isinstance(found, str) else None


def choose_home(store: Store, key: str | None) -> None:
    """What the person begins with from now on; None: what their role begins with."""
    if store.principal.id is not None:
        keep_preference(store.tenant, store.principal.id, HOME, key)


def _whose(store: Store, for_all: bool) -> UUID:
    if for_all or store.principal.id is None:
        return EVERYBODY
    return store.principal.id


def _kept(store: Store, dashboard: Dashboard) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
    table = store.tenant.tables.platform.preference
    people = [EVERYBODY, *([store.principal.id] if store.principal.id is not None else [])]
    query = sa.select(table.c.user, table.c.value).where(table.c.key == layout_key(dashboard), table.c.user.in_(people))
    with store.transaction() as connection:
        found = {row.user: row.value for row in connection.execute(query)}
    return found.get(store.principal.id) if store.principal.id else None, found.get(EVERYBODY)


def _refused() -> Refused:
    return Refused([Fault("layout", "This is no arrangement of the dashboard’s widgets. Load the page anew.")])
