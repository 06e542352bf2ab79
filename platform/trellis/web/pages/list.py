"""The list of an entity, and the fragments that it asks for: rows, totals, the exact count, a record's panel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from flask import abort, render_template, request, url_for
from flask_appbuilder import expose
from markupsafe import escape

from trellis.records.record import Count
from trellis.records.record import Page as Rows
from trellis.records.refusal import Refused
from trellis.records.store import as_id
from trellis.web.cells.column import column_for, columns_for, reads_of
from trellis.web.cells.times import moment_writer
from trellis.web.context import current_store
from trellis.web.guard import signed_in
from trellis.web.lists.bands import bands_of, condition, group_field_of
from trellis.web.lists.changes import change_words
from trellis.web.lists.desk import Desk, counted, how_many, open_desk
from trellis.web.lists.grid import Grid, cell_context, make_grid, read_page
from trellis.web.lists.state import write_sort
from trellis.web.pages.base import Page
from trellis.web.pages.board import board_page
from trellis.web.pages.calendar import calendar_page, map_page
from trellis.web.readings import showed

if TYPE_CHECKING:
    from trellis.model.field import Field

LATEST = 5  # changes that the panel shows


def list_page(desk: Desk) -> str:
    """A list view: rows of a page, then whatever the reader scrolls to."""
    store, state = desk.store, desk.state
    grid = grid_of(desk)
    if (field := group_field_of(desk)) is not None:
        return grouped_page(desk, grid, field)
    page = read_page(store, state, grid)
    return render_template("list.html", **desk.places, **grid_places(desk, grid, page, count_of(desk, page)))


def grid_of(desk: Desk) -> Grid:
    """The columns of a list; rows can be selected where something can be done with a selection."""
    claim = url_for("PoolsView.claim", key=desk.pool.key) if desk.pool is not None else ""
    return replace(make_grid(desk.store, desk.state), can_pick=desk.can_pick, claim=claim)


def grouped_page(desk: Desk, grid: Grid, field: Field) -> str:
    """A list in groups: a row for each, and under it its records."""
    found = bands_of(desk, grid, field)
    places = grid_places(desk, grid, Rows([], None), Count(found.count))
    if found.count:
        places |= {"bands": found, "is_empty": False, "is_new": False}
    return render_template("list.html", **desk.places, **places)


def count_of(desk: Desk, page: Rows) -> Count:
    """How many records there are; a list that fits on its first page needs no counting."""
    if page.next is None:
        return Count(len(page.rows))
    reader = desk.store.principal.reader
    return desk.store.count(desk.entity.key, where=desk.state.formulas(reader), q=desk.state.q or None)


def grid_places(desk: Desk, grid: Grid, page: Rows, count: Count) -> dict[str, object]:
    """What the grid's templates are given."""
    showed(len(page.rows))
    sorting = {s.path: "descending" if s.descending else "ascending" for s in desk.state.sorting[:1]}
    return {
        "grid": grid,
        "bands": None,
        "band": "",
        "is_late": False,
        "rows": grid.rows(page.rows),
        "next": page.next,
        "count": count,
        "counted_short": counted(count.n, count.capped),
        "counted": how_many(count.n, desk.entity, desk.language, capped=count.capped),
        "sorting": sorting,
        "is_empty": not page.rows,
        "is_new": not page.rows and not desk.state.is_filtered and is_new(desk),
        "write_sort": write_sort,
    }


def is_new(desk: Desk) -> bool:
    """Whether there are no records of the entity at all, whatever the view leaves out."""
    return desk.state.view.filter is None or desk.store.count(desk.entity.key, cap=1).n == 0


VIEWS: dict[str, Callable[[Desk], str]] = {
    "list": list_page,
    "kanban": board_page,
    "calendar": calendar_page,
    "map": map_page,
}


class ListView(Page):
    """`/e/<entity>/`: the views of an entity."""

    default_view = "index"

    @expose("/e/<entity>/")  # type: ignore[untyped-decorator]
    @signed_in
    def index(self, entity: str) -> str:
        """The view that `?view=` names, or the entity's first."""
        with current_store().transaction():  # one for all that the page reads
            desk = open_desk(entity)
            return VIEWS[desk.state.view.type](desk)

    @expose("/e/<entity>/rows")  # type: ignore[untyped-decorator]
    @signed_in
    def rows(self, entity: str) -> str:
        """The rows after a cursor, or one row again (`?only=<id>`) after it was edited."""
        with current_store().transaction():
            return self._rows(open_desk(entity))

    def _rows(self, desk: Desk) -> str:
        entity, grid = desk.entity.key, grid_of(desk)
        if only := request.args.get("only"):
            record = desk.store.read(entity, as_id(only), fields=grid.paths)
            return str(grid.rows([record]))
        field, band = group_field_of(desk), request.args.get("in", "")
        more = [condition(field, band)] if field is not None and band else []
        try:
            page = read_page(desk.store, desk.state, grid, cursor=request.args.get("cursor"), more=more)
        except Refused:  # a cursor of another list, or of one that has changed since
            abort(400)
        showed(len(page.rows))
        return render_template(
            "_rows.html", **desk.places, grid=grid, rows=grid.rows(page.rows), next=page.next, band=band, is_late=False
        )

    @expose("/e/<entity>/totals")  # type: ignore[untyped-decorator]
    @signed_in
    def totals(self, entity: str) -> str:
        """The footer: sums and the like over all that match."""
        desk = open_desk(entity)
        grid = make_grid(desk.store, desk.state)
        wanted = {path: how for path, how in desk.state.view.totals.items() if path in grid.paths}
        where = desk.state.formulas(desk.store.principal.reader)
        values = desk.store.totals(entity, wanted, where=where, q=desk.state.q or None) if wanted else {}
        cells = {c.path: c.html(values[c.path]) for c in grid.columns if c.path in values}
        return render_template("_totals.html", **desk.places, grid=grid, totals=wanted, cells=cells)

    @expose("/e/<entity>/count")  # type: ignore[untyped-decorator]
    @signed_in
    def count(self, entity: str) -> str:
        """The exact count, however many there are."""
        desk = open_desk(entity)
        where = desk.state.formulas(desk.store.principal.reader)
        count = desk.store.count(entity, where=where, q=desk.state.q or None, cap=None)
        return str(escape(how_many(count.n, desk.entity, desk.language)))

    @expose("/e/<entity>/<uuid:id>/peek")  # type: ignore[untyped-decorator]
    @signed_in
    def peek(self, entity: str, id: UUID) -> str:
        """A record in the side panel."""
        desk = open_desk(entity)
        store, definition = desk.store, desk.entity
        readable = store.readable_fields(entity)
        context = cell_context(store, definition)
        fields = [f.field for s in (definition.form.sections if definition.form else ()) for f in s.fields]
        high = columns_for(context, [p for p in definition.highlights if p.partition(".")[0] in readable])
        pipeline = definition.pipeline_of(None)
        stage = column_for(context, pipeline.field) if pipeline and pipeline.field in readable else None
        shown = {c.path for c in high} | {definition.title_field} | ({stage.path} if stage else set())
        rest = columns_for(context, [p for p in fields if p in readable and p not in shown])
        paths = reads_of((*high, *rest, *([stage] if stage else [])), readable.__contains__)
        record = store.read(entity, id, fields=paths)
        latest = [
            (change, change_words(change, definition, desk.language))
            for change in store.history(entity, id, limit=LATEST)
        ]
        return render_template(
            "_peek.html",
            **desk.places,
            record=record,
            high=[(c, c.of(record)) for c in high],
            props=[(c, c.of(record)) for c in rest if record[c.path] not in (None, (), "")],
            stage=stage.of(record) if stage else None,
            latest=latest,
            moment=moment_writer(store.principal.reader),
        )
