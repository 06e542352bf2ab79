"""A page of records as rows of HTML: every column's renderer is made once, every row is one string."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from flask import request
from flask_babel import gettext as _
from markupsafe import Markup, escape

from trellis.web.cells.column import Column, column_for, columns_for, reads_of
from trellis.web.cells.markup import icon
from trellis.web.cells.registry import CellContext
from trellis.web.filters.fields import Sight

if TYPE_CHECKING:
    from trellis.formula.reader import Reader
    from trellis.model.entity import Entity
    from trellis.model.view import View
    from trellis.records.record import Page, Record
    from trellis.records.store import Store
    from trellis.web.lists.state import ListState

PAGE = 50
TITLE_WIDTH = 252
TITLE_TYPES = frozenset({"text", "sequence", "name", "email", "barcode"})


def record_address(entity: str, id: UUID) -> str:
    """Where a record's page is."""
    return f"{request.script_root}/e/{entity}/{id}"


def cell_context(store: Store, entity: Entity) -> CellContext:
    """What the cells of a page need to know."""
    return CellContext(store.principal.reader, store.tenant.model, entity, record_address)


@dataclass(frozen=True)
class Grid:
    """The columns of a list, and how a record becomes a row of them."""

    entity: Entity
    title: Column | None  # None: the record's title, made of several fields
    columns: tuple[Column, ...]
    deadlines: frozenset[str]
    status: str | None
    reader: Reader
    can_pick: bool = True
    title_width: int = TITLE_WIDTH
    beside: tuple[str, ...] = ()  # what no column shows and a cell needs to be drawn
    claim: str = ""  # where a record is claimed from the pool that is listed

    @property
    def today(self) -> date:
        """The reader's date."""
        return self.reader.today()

    @property
    def paths(self) -> list[str]:
        """Every path that a row needs."""
        paths = [*(c.path for c in self.columns), *self.beside]
        if self.title:
            paths.insert(0, self.title.path)
        if self.status and self.deadlines:
            paths.append(self.status)
        return list(dict.fromkeys(paths))

    def title_label(self, language: str) -> str:
        """What stands over the first column."""
        return self.title.label if self.title else self.entity.label.in_language(language)

    def rows(self, records: Sequence[Record]) -> Markup:
        """The rows of records."""
        return Markup("".join(map(self.row_maker(), records)))

    def row_maker(self) -> Callable[[Record], str]:
        """The function that makes a record's row."""
        base = record_address(self.entity.key, UUID(int=0)).rpartition("/")[0]
        select, peek = escape(_("Select %(title)s", title="\0")), escape(_("Peek at %(title)s", title="\0"))
        look, claim = icon("layout-sidebar-right-expand", "icon-sm"), self._claim()
        makers = [self._cell_maker(column) for column in self.columns]
        title_column, can_pick, reader = self.title, self.can_pick, self.reader
        display = title_column.field.type.display if title_column else lambda value, _reader: str(value)
        editable = f' data-f="{title_column.path}"' if title_column and title_column.is_editable else ""

        def row(record: Record) -> str:
            id = record.id
            title = record.title
            if title_column is not None:
                own = record[title_column.path]
                shown = display(own, reader) if own is not None else ""
            else:
                shown = title
            named = escape(title or shown or "—")
            first = escape(shown or title or "—")
            pick = (
                f'<td role="gridcell" class="is-pick"><input class="t-check" type="checkbox" tabindex="-1"'
                f' aria-label="{select.replace(chr(0), named)}"></td>'
                if can_pick
                else '<td role="gridcell" class="is-pick"></td>'
            )
            cells = "".join([make(record) for make in makers])
            return (
                f'<tr role="row" data-id="{id}" data-v="{record.version}" tabindex="-1">{pick}'
                f'<td role="gridcell" class="is-title"{editable}><span class="t-cell">'
                f'<a class="t-cut" href="{base}/{id}" title="{named}"><bdi>{first}</bdi></a>'
                f'<span class="t-cell-go">{claim}<button class="btn btn-xs btn-icon" type="button" tabindex="-1"'
                f' data-do="peek" aria-label="{peek.replace(chr(0), named)}">{look}</button></span></span></td>'
                f'{cells}<td role="gridcell" class="k-fill"></td></tr>'
            )

        return row

    def _claim(self) -> str:
        """The button that claims the row's record."""
        if not self.claim:
            return ""
        return (
            f'<button class="btn btn-xs" type="button" tabindex="-1" data-do="row-post" data-address="{self.claim}">'
            f"{icon('hand-grab', 'icon-sm')}<span>{escape(_('Claim'))}</span></button>"
        )

    def _cell_maker(self, column: Column) -> Callable[[Record], str]:
        if column.path not in self.deadlines:
            return column.cell
        status, today, path = self.status, self.today, column.path

        def cell(record: Record) -> str:
            value = record[path]
            late = value is not None and (not status or record[status] == "open") and _day(value) < today
            return column.cell(record).replace('class="', 'class="t-late ', 1) if late else column.cell(record)

        return cell


def _day(value: date | datetime) -> date:
    return value.date() if isinstance(value, datetime) else value


def make_grid(store: Store, state: ListState, *, can_edit: bool | None = None) -> Grid:
    """The columns of a list for one person."""
    entity = state.entity
    context = cell_context(store, entity)
    sight = Sight(store)
    may_edit = store.may("update", entity.key) if can_edit is None else can_edit
    writable = frozenset(store.writable_fields(entity.key)) if may_edit else frozenset()
    writable -= {f.key for f in entity.fields.values() if f.type.widget == "sequence"}  # given on saving, never typed
    paths = [p for p in state.paths if sight.path(entity, p)]
    named, rest = split_title(entity, paths)
    widths = dict(state.widths)
    columns = columns_for(context, rest, writable=writable)
    columns = tuple(replace(c, width=widths.get(c.path, c.width)) for c in columns) if widths else columns
    status, deadlines = deadlines_of(entity)
    if status is None and (day := open_day_of(entity, state.view)) is not None:
        deadlines = frozenset({day})
    return Grid(
        entity=entity,
        title=column_for(context, named, writable=writable) if named else None,
        columns=columns,
        deadlines=deadlines & frozenset(c.path for c in columns),
        status=status,
        reader=context.reader,
        title_width=widths.get(named or "", TITLE_WIDTH),
        beside=tuple(reads_of(columns, lambda path: sight.path(entity, path))[len(columns) :]),
    )


def split_title(entity: Entity, paths: Sequence[str]) -> tuple[str | None, list[str]]:
    """The path that the first column shows, and the rest; None when it shows the record's composed title."""
    if entity.title_field in paths:
        named: str | None = entity.title_field
    elif paths and paths[0] in entity.fields and entity.fields[paths[0]].type.name in TITLE_TYPES:
        named = paths[0]
    else:
        named = entity.title_field
    return named, [p for p in paths if p != named]


def deadlines_of(entity: Entity) -> tuple[str | None, frozenset[str]]:
    """The field that says whether a record is still open, and the dates that are late when they are past.

    A date is a deadline when a view sorts by it, soonest first, or puts it into a calendar.
    """
    pipeline = entity.pipeline_of(None)
    status = f"{pipeline.field}_type" if pipeline else None
    if status is None or status not in entity.fields:
        return None, frozenset()
    asked = {s.path for view in entity.views.values() for s in view.sort if not s.descending}
    asked |= {path for view in entity.views.values() for path in (view.start, view.end) if path}
    dates = {p for p in asked if p in entity.fields and entity.fields[p].type.name in ("date", "datetime")}
    return status, frozenset(p for p in dates if not entity.fields[p].system)


def open_day_of(entity: Entity, view: View) -> str | None:
    """The day by which a list of what is open is sorted, soonest first; only a list of some records is one of those."""
    first = view.sort[0] if view.sort else None
    field = entity.fields.get(first.path) if first is not None and not first.descending else None
    if view.type != "list" or view.filter is None or field is None or field.system:
        return None
    return field.key if field.type.name in ("date", "datetime") else None


def read_page(
    store: Store,
    state: ListState,
    grid: Grid,
    *,
    cursor: str | None = None,
    limit: int = PAGE,
    more: Sequence[str] = (),
) -> Page:
    """One page of the list, or of what more conditions leave of it: one statement."""
    return store.list(
        state.entity.key,
        columns=grid.paths,
        where=[*state.formulas(store.principal.reader), *more],
        q=state.q or None,
        sort=state.sorting,
        limit=limit,
        cursor=cursor,
    )
