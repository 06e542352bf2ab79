"""Home: what is mine to do, and what I looked at lately. Which entities these are, the Model says."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from flask import Response
from flask_appbuilder import expose
from markupsafe import Markup

from trellis.identity.person import PERSON
from trellis.model.view import Sort
from trellis.records.refusal import Forbidden, Missing
from trellis.reports.dashboards.seen import dashboards_of, home_of
from trellis.web.cells.column import Column, column_for, reads_of
from trellis.web.context import current_model, current_reader, current_store
from trellis.web.dashboards.layout import chosen_home
from trellis.web.dashboards.page import dashboard_places, with_frames
from trellis.web.filters.fields import Sight
from trellis.web.guard import signed_in
from trellis.web.lists.grid import cell_context
from trellis.web.lists.recent import recent_ids
from trellis.web.lists.todo import Due, may_ask, moment_of, plan_of, stage_of, to_do
from trellis.web.navigation import readable_entities
from trellis.web.pages.base import Page

if TYPE_CHECKING:
    from trellis.formula.formula import Formula
    from trellis.model.entity import Entity
    from trellis.model.pipeline import Pipeline
    from trellis.records.record import Record
    from trellis.records.store import Store

AHEAD = 14  # days
COMING = 7
BOXES = 4
ROWS = 6
COLUMNS = 3


@dataclass(frozen=True)
class Box:
    """My open records of one entity."""

    entity: Entity
    columns: tuple[Column, ...]
    rows: list[Record]
    count: int
    capped: bool
    query: str


class HomeView(Page):
    """The first page after signing in."""

    default_view = "index"

    @expose("/")  # type: ignore[untyped-decorator]
    @signed_in
    def index(self) -> Response:
        """The dashboard that the person has chosen, or that is their role's; else the day's work."""
        store = current_store()
        chosen = chosen_home(store)
        dashboard = None if chosen == "" else home_of(store, chosen)
        if dashboard is None:
            return self.day()
        with store.transaction():
            return with_frames(
                self.draw("dashboard.html", **dashboard_places(store, dashboard, is_home=True)), dashboard
            )

    @expose("/today")  # type: ignore[untyped-decorator]
    @signed_in
    def today(self) -> Response:
        """The day's work, whatever one begins with."""
        return self.day()

    def day(self) -> Response:
        """Greeting, my open records, recent records."""
        reader = current_reader()
        with current_store().transaction():
            is_guest = current_store().session.permit.is_portal
            boxes = open_boxes("all" if is_guest else "me")
            is_team = not is_guest and not boxes and leads_people()
            if is_team:
                boxes = open_boxes("team")
            todo = to_do(current_store(), readable_entities())
            return self.draw(
                "home.html",
                todo=todo,
                hour=reader.now.astimezone(reader.time_zone).hour,
                today=reader.today(),
                boxes=boxes,
                is_team=is_team,
                is_guest=is_guest,
                coming=coming_up(todo.ids),
                recent=recently(),
                has_dashboards=bool(dashboards_of(current_store())),
                links=[e for e in readable_entities() if e.key not in {b.entity.key for b in boxes}][:8],
            )


def coming_up(told: Container[object] = ()) -> list[Due]:
    """My records that a calendar shows in the next days, the nearest first, without those that are told already."""
    store = current_store()
    found = [coming for entity in readable_entities() if entity.owner_field for coming in _coming(store, entity)]
    left = [coming for coming in found if coming.record.id not in told]
    return sorted(left, key=lambda c: moment_of(c.at, store))[:COMING]


def _coming(store: Store, entity: Entity) -> list[Due]:
    start = next((v.start for v in entity.views.values() if v.type == "calendar" and v.start), None)
    if start is None or not may_ask(store, entity, entity.owner_field, start, stage_of(entity)):
        return []
    day = f"date({start})" if entity.fields[start].type.name == "datetime" else start
    where: list[Formula | str] = [f"{entity.owner_field} == me and {day} between (today(), today() + days({AHEAD}))"]
    if (plan := plan_of(entity)) is not None and plan[0].filter is not None and plan[1] == start:
        where.append(plan[0].filter)
    if (condition := _open_condition(entity)) is not None:
        where.append(condition)
    page = store.list(entity.key, columns=[start], where=where, sort=[Sort(start)], limit=COMING)
    column = column_for(cell_context(store, entity), start)
    return [Due(entity, r, r[start], Markup(column.html(r[start]))) for r in page.rows] if column else []


def mine_first() -> list[Entity]:
    """Entities whose records have an owner, those that move through stages first: that is where work waits.

    Somebody from outside owns nothing: it is what moves through stages, as far as they see it at all.
    """
    store = current_store()
    if store.session.permit.is_portal:
        owned = [e for e in readable_entities() if stage_of(e) is not None and may_ask(store, e, stage_of(e))]
    else:
        owned = [e for e in readable_entities() if e.owner_field and may_ask(store, e, e.owner_field, stage_of(e))]
    return sorted(owned, key=lambda e: (_open_condition(e) is None, _due(e) is None))


def leads_people() -> bool:
    """Whether somebody reports to the person."""
    return len(current_reader().team_members) > 1 and "manager" in current_model().entities[PERSON].fields


def open_boxes(whose: str) -> list[Box]:
    """A few entities with what is still open of mine, or of those who report to me."""
    return [box for entity in mine_first()[: BOXES * 2] if (box := open_box(entity, whose)) is not None][:BOXES]


def open_box(entity: Entity, whose: str) -> Box | None:
    """Records that are still open; None when there are none."""
    store = current_store()
    whom = {"me": f"{entity.owner_field} == me", "team": f"{entity.owner_field}.manager == me", "all": ""}[whose]
    where = " and ".join(part for part in (whom, _open_condition(entity)) if part)
    paths = _paths(entity)
    due = _due(entity)
    sort = [Sort(due)] if due and may_ask(store, entity, due) else []
    context = cell_context(store, entity)
    columns = tuple(c for path in paths if (c := column_for(context, path)) is not None)
    read = list(dict.fromkeys([*paths, *reads_of(columns, partial(Sight(store).path, entity))]))
    page = store.list(entity.key, columns=read, where=[where], sort=sort, limit=ROWS)
    if not page.rows:
        return None
    n, capped = len(page.rows), False
    if page.next is not None:
        found = store.count(entity.key, where=[where], cap=1000)
        n, capped = found.n, found.capped
    return Box(entity, columns, list(page.rows), n, capped, where)


def _open_condition(entity: Entity) -> str | None:
    pipeline: Pipeline | None = entity.pipeline_of(None)
    return f'{pipeline.field}_type == "open"' if pipeline is not None else None


def _due(entity: Entity) -> str | None:
    """The date that presses: the first date field of the default view that people type in."""
    for path in _view_columns(entity):
        field = entity.fields.get(path)
        if field is not None and field.type.formula_type().kind in ("date", "datetime") and not field.system:
            return path
    return None


def _view_columns(entity: Entity) -> tuple[str, ...]:
    view = next((v for v in entity.views.values() if v.type == "list" and v.columns), None)
    return view.columns if view is not None else entity.highlights


def _paths(entity: Entity) -> list[str]:
    """A few columns of the default view, without what the title says and the owner, who is me."""
    known = current_store().readable_fields(entity.key)
    said = {path[0] for path in entity.title.reads} if entity.title is not None else set()
    skip = {entity.title_field, entity.owner_field, *said}
    return [p for p in _view_columns(entity) if p not in skip and p.split(".")[0] in known][:COLUMNS]


def recently() -> list[tuple[Entity, Record]]:
    """What the person looked at last, as far as it can still be seen."""
    store, model = current_store(), current_model()
    found = []
    for key, id in recent_ids(store):
        try:
            if key in model.entities:
                found.append((model.entities[key], store.read(key, id, fields=())))
        except (Missing, Forbidden):
            continue
    return found
