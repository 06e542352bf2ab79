"""A board's columns and cards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as dc_field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from markupsafe import Markup, escape

from trellis.formula.types import Money, Ref, Value
from trellis.records.pipelines.pipeline import track_of
from trellis.web.cells.column import Column, column_for, columns_for, kind_of
from trellis.web.cells.markup import avatar, color_of, icon
from trellis.web.cells.options import Option, options_of, options_of_pipeline, stages_of
from trellis.web.cells.times import moment_writer, span_text
from trellis.web.filters.fields import Sight
from trellis.web.filters.source import quoted
from trellis.web.lists.desk import counted
from trellis.web.lists.grid import cell_context, deadlines_of, record_address
from trellis.web.lists.pipelines import Lines, lines_of

if TYPE_CHECKING:
    from trellis.formula.formula import Formula
    from trellis.model.entity import Entity
    from trellis.model.field import Field
    from trellis.model.pipeline import Stage
    from trellis.records.record import Record
    from trellis.web.lists.desk import Desk

CARDS = 30
MOST_LANES = 60
NOBODY = "-"


@dataclass(frozen=True)
class Lane:
    """A column: `key` in the page, `raw` what a card gets that is put here."""

    key: str
    raw: str | None
    label: str
    color: str
    count: int
    total: Markup
    is_shut: bool = False

    @property
    def counted(self) -> str:
        """How many cards, in the reader's numbers."""
        return counted(self.count)


@dataclass
class Board:
    """A board for one person."""

    desk: Desk
    entity: Entity
    field: Field
    lanes: list[Lane]
    columns: tuple[Column, ...]
    who: Column | None
    since: str | None
    stuck: str | None
    deadlines: frozenset[str]
    can_move: bool
    lines: Lines | None = None  # where records may be in several pipelines
    first: dict[str, tuple[list[Markup], str | None]] = dc_field(default_factory=dict)

    @property
    def stages(self) -> Mapping[str, Stage]:
        """The stages that the columns are; empty where they are something else."""
        return self.lines.shown.stages if self.lines else stages_of(self.entity, self.field)

    @property
    def paths(self) -> list[str]:
        """Every path that a card needs."""
        extra = [p for p in (self.field.key, self.since, self.stuck, self.who and self.who.path) if p]
        return list(dict.fromkeys([*(c.path for c in self.columns), *extra]))

    def lane(self, key: str) -> Lane | None:
        """A column by its key."""
        return next((lane for lane in self.lanes if lane.key == key), None)

    def cards(self, lane: Lane, cursor: str | None = None) -> tuple[list[Markup], str | None]:
        """A column's cards after a cursor, and the cursor after them."""
        state, store = self.desk.state, self.desk.store
        where: list[Formula | str] = [*state.formulas(store.principal.reader), self.condition(lane)]
        if self.lines:
            where.append(self.lines.condition)
        page = store.list(
            self.entity.key,
            columns=self.paths,
            where=where,
            q=state.q or None,
            sort=state.sorting,
            limit=CARDS,
            cursor=cursor,
        )
        return [self.card(record) for record in page.rows], page.next

    def preset(self, lane: Lane) -> dict[str, str | None]:
        """What a new record of a column begins with: the column's value, and the pipeline that is shown."""
        start = {self.field.key: lane.raw}
        return start | {self.lines.field: self.lines.shown.key} if self.lines else start

    def condition(self, lane: Lane) -> str:
        """What holds for the records of a column."""
        if lane.raw is None:
            return f"is_blank({self.field.key})"
        if self.field.type.formula_type().kind == "record":
            return f"{self.field.key}.id == {quoted(lane.raw)}"
        return f"{self.field.key} == {quoted(lane.raw)}"

    def card(self, record: Record) -> Markup:
        """One card."""
        title = escape(record.title or "—")
        rows, metas = self._parts(record)
        if self.since and isinstance(since := record[self.since], datetime):
            metas.append(self._age(record, since))
        person = ""
        if self.who and isinstance(ref := record[self.who.path], Ref):
            name = escape(ref.title or "")
            face = avatar(ref.title or "?", str(ref.id)).replace(
                ' aria-hidden="true"', f' role="img" aria-label="{name}" title="{name}"'
            )
            person = face
        move = escape(_("Move %(title)s to…", title=record.title))
        menu = (
            f'<div class="t-card-menu"><button class="btn btn-quiet btn-icon btn-xs" type="button" data-do="card-move"'
            f' aria-haspopup="menu" aria-label="{move}">{icon("arrow-right", "icon-sm")}</button></div>'
            if self.can_move
            else ""
        )
        foot = f'<div class="t-card-foot">{"".join(metas)}{person or "<span></span>"}</div>' if metas or person else ""
        return Markup(
            f'<li class="t-card" data-id="{record.id}" data-v="{record.version}">'
            f'<a class="t-card-title" draggable="false" href="{record_address(self.entity.key, record.id)}">'
            f"<bdi>{title}</bdi></a>{menu}"
            f"{''.join(rows)}{foot}</li>"
        )

    def _parts(self, record: Record) -> tuple[list[str], list[str]]:
        """The rows of a card, and what goes to its foot: dates. Badges stand beside the amount."""
        rows: list[str] = []
        metas: list[str] = []
        beside: list[str] = []
        today = self.desk.store.principal.reader.today()
        for column in self.columns:
            value = record[column.path]
            if value is None or value == () or value == "":
                continue
            kind = kind_of(column)
            html = column.render(value).replace("<a ", "<span ").replace("</a>", "</span>")
            if kind in ("date", "datetime"):
                day = value.date() if isinstance(value, datetime) else value
                late = " t-late" if column.path in self.deadlines and day < today and self._is_open(record) else ""
                metas.append(f'<span class="t-meta{late}">{icon("calendar")}{html}</span>')
            elif kind in ("choice", "boolean", "choices", "tags"):
                beside.append(html)
            elif column.is_numeric:
                rows.append(f'<div class="t-card-row"><span class="t-num t-card-amount">{html}</span>\0</div>')
            else:
                rows.append(f'<div class="t-card-row">{html}</div>')
        joined = "".join(beside)
        at = next((i for i, row in enumerate(rows) if "\0" in row), None)
        if at is not None:
            rows[at] = rows[at].replace("\0", joined, 1)
        elif joined:
            rows.append(f'<div class="t-card-row">{joined}</div>')
        return [row.replace("\0", "") for row in rows], metas

    def _is_open(self, record: Record) -> bool:
        stage = self.stages.get(str(record[self.field.key]))
        return stage is None or stage.type == "open"

    def _age(self, record: Record, since: datetime) -> str:
        reader = self.desk.store.principal.reader
        shown = escape(span_text(reader.now - since))
        if self.stuck and record[self.stuck]:
            day = Markup(moment_writer(reader)(since)).striptags()
            hint = escape(_("Stuck: here since %(day)s, longer than it should be", day=day))
            said = escape(_("stuck"))
            return (
                f'<span class="t-meta is-stuck" title="{hint}">{icon("alert-triangle")}{shown}'
                f'<span class="t-vh"> {said}</span></span>'
            )
        return f'<span class="t-meta">{icon("clock")}{shown}</span>'


def group_field(entity: Entity, group: str | None) -> Field | None:
    """The field that makes the columns: the view's, else the pipeline's, else the first choice."""
    if group and group in entity.fields:
        return entity.fields[group]
    if pipeline := entity.pipeline_of(None):
        return entity.fields.get(pipeline.field)
    return next((f for f in entity.fields.values() if f.type.name == "choice" and not f.system), None)


def make_board(desk: Desk) -> Board | None:
    """The board of a view; None when nothing makes its columns, or the person may not see what does."""
    entity, view, store = desk.entity, desk.state.view, desk.store
    field = group_field(entity, desk.state.grouping)
    readable = frozenset(store.readable_fields(entity.key))
    if field is None or field.key not in readable:
        return None
    context = cell_context(store, entity)
    sight = Sight(store)
    wanted = [p for p in (view.card or view.columns[:4]) if sight.path(entity, p)]
    shown = [p for p in wanted if p not in (entity.title_field, field.key)]
    columns = columns_for(context, shown)
    who = next((c for c in columns if kind_of(c) == "user"), None)
    if who is None and entity.owner_field in readable and entity.owner_field and field.key != entity.owner_field:
        who = column_for(context, entity.owner_field)
    track = track_of(entity, field.key)
    since, stuck = (track.since, track.stuck) if track else (None, None)
    _status, deadlines = deadlines_of(entity)
    lines = lines_of(desk, field)
    return Board(
        desk=desk,
        entity=entity,
        field=field,
        lanes=lanes_of(desk, field, lines),
        lines=lines,
        columns=tuple(c for c in columns if c is not who),
        who=who,
        since=since if since in readable else None,
        stuck=stuck if stuck in readable and since in readable else None,
        deadlines=deadlines,
        can_move=store.may("update", entity.key) and field.key in store.writable_fields(entity.key),
    )


def lanes_of(desk: Desk, field: Field, lines: Lines | None = None) -> list[Lane]:
    """The columns: every stage or choice in order, or whoever has records; what holds no value comes last."""
    store, state, entity = desk.store, desk.state, desk.entity
    readable = frozenset(store.readable_fields(entity.key))
    totals = {path: how for path, how in state.view.totals.items() if path in readable}
    where = [*state.formulas(store.principal.reader), *([lines.condition] if lines else [])]
    groups = store.groups(entity.key, field.key, totals=totals, where=where, q=state.q or None)
    shown = total_writer(desk, totals)
    found = {lane_key(g.value): g for g in groups}
    hidden = set(state.view.hide)

    def lane(key: str, raw: str | None, label: str, color: str) -> Lane:
        group = found.pop(key, None)
        total = shown(group.totals) if group else Markup("")
        return Lane(key, raw, label, color, group.count if group else 0, total, key in hidden)

    options: Mapping[str, Option] = options_of(store.tenant.model, entity, field, store.principal.reader)
    if lines:  # in the pipeline's own order and words
        options = options_of_pipeline(lines.shown, store.principal.reader.language)
    lanes = [lane(o.key, o.key, o.label, o.color) for o in options.values()]
    for group in [g for g in groups if lane_key(g.value) in found and g.value is not None][:MOST_LANES]:
        label = (group.value.title if isinstance(group.value, Ref) else str(group.value)) or "—"
        key = lane_key(group.value)
        lanes.append(lane(key, key, label, color_of(key)))
    if not options or (NOBODY in found and found[NOBODY].count):
        lanes.append(lane(NOBODY, None, _("None"), "gray"))
    return lanes


def lane_key(value: Value) -> str:
    """What names a column in the page."""
    if value is None:
        return NOBODY
    return str(value.id) if isinstance(value, Ref) else str(value)


def total_writer(desk: Desk, totals: Mapping[str, str]) -> Callable[[Mapping[str, Any]], Markup]:
    """Writes a column's totals."""
    context = cell_context(desk.store, desk.entity)
    columns = {path: column for path in totals if (column := column_for(context, path))}

    def write(values: Mapping[str, Any]) -> Markup:
        shown = [
            _named(column, values[path], at)
            for at, (path, column) in enumerate(columns.items())
            if values.get(path) is not None and not _is_nothing(values[path])
        ]
        return Markup("").join(shown)

    return write


def _named(column: Column, value: Value, at: int) -> Markup:
    """The first total stands for itself, every other one says what it is of."""
    html = Markup(column.html(value))
    return Markup("<div>{}</div>").format(html if at == 0 else Markup("{} {}").format(column.label, html))


def _is_nothing(value: Value) -> bool:
    return isinstance(value, Money) and value.amount == 0


__all__ = ["CARDS", "Board", "Lane", "make_board"]
