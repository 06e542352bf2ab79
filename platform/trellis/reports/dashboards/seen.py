"""Which dashboards one person finds, which of them is their home, and which widgets are theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trellis.model.dashboards.dashboard import Dashboard, Widget
from trellis.records.refusal import Missing
from trellis.reports.own.boards import board_by, boards_of
from trellis.reports.own.boards_compiled import own_dashboard, with_additions
from trellis.reports.own.rows import id_of
from trellis.reports.seen import may_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trellis.records.store import Store


def dashboard_of(store: Store, key: str) -> Dashboard:
    """A dashboard that this person may open. Raises Missing."""
    found = store.tenant.model.dashboards.get(key)
    if found is None and (board := board_by(store, id_of(key))) is not None:
        return own_dashboard(store, board)
    if found is None or not may_open(store, found):
        raise Missing(f"dashboard {key}")
    return with_additions(store, found)


def dashboards_of(store: Store) -> list[Dashboard]:
    """Every dashboard that this person may open: those of their roles, each in the order of the configuration; those
    that they have made themselves or that others share with them; the others.
    """
    found = [d for d in store.tenant.model.dashboards.values() if may_open(store, d)]
    own = [own_dashboard(store, board) for board in boards_of(store)]
    return sorted(found + own, key=lambda d: (not is_for(store, d), d.is_own))


def home_of(store: Store, chosen: str | None = None) -> Dashboard | None:
    """What the person has chosen to begin with, else the first dashboard of one of their roles."""
    known = store.tenant.model.dashboards
    if chosen and chosen in known and may_open(store, known[chosen]):
        return with_additions(store, known[chosen])
    if chosen and (board := board_by(store, id_of(chosen))) is not None:
        return own_dashboard(store, board)
    found = next((d for d in known.values() if d.roles and is_for(store, d) and may_open(store, d)), None)
    return with_additions(store, found) if found is not None else None


def is_for(store: Store, dashboard: Dashboard) -> bool:
    """Whether the dashboard is meant for one of the person's roles."""
    return not dashboard.roles or bool(set(dashboard.roles) & set(store.principal.roles))


def may_open(store: Store, dashboard: Dashboard) -> bool:
    """Whether there is anything for the person: people from outside see only what names their role."""
    if store.session.permit.is_portal and (not dashboard.roles or not is_for(store, dashboard)):
        return False
    return any(shows_something(store, w) for w in widgets_of(store, dashboard))


def widgets_of(store: Store, dashboard: Dashboard) -> Sequence[Widget]:
    """The widgets that are not kept for other roles."""
    roles = set(store.principal.roles)
    every = store.session.permit.is_system
    return [w for w in dashboard.widgets.values() if not w.roles or every or roles & set(w.roles)]


def shows_something(store: Store, widget: Widget) -> bool:
    """Whether a widget holds records or numbers that the person may see; a text alone makes no dashboard."""
    model, permit = store.tenant.model, store.session.permit
    if widget.report is not None:
        return widget.report in model.reports and may_run(store, model.reports[widget.report])
    keys = (widget.entity,) if widget.entity else widget.entities
    return any(permit.may("read", key) and is_on(store, key) for key in keys)


def is_on(store: Store, entity: str) -> bool:
    """Whether the entity's module is switched on for the tenant."""
    modules, found = store.tenant.profile.modules, store.tenant.model.entities[entity]
    return modules is None or found.module is None or found.module in modules
