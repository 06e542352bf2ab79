"""The pieces of a preview: form, record, lists, boards and menu of the draft, as the real pages draw them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from trellis.model.text import Text
from trellis.model.view import View
from trellis.records.pipelines.pipeline import tracks
from trellis.studio.preview.changed import same
from trellis.studio.preview.samples import live_entity
from trellis.web.cells.registry import renderer
from trellis.web.lists.board import Board, Lane, lane_key, make_board
from trellis.web.lists.desk import ICONS, Desk
from trellis.web.lists.grid import cell_context, make_grid
from trellis.web.lists.pipelines import pipelines_over
from trellis.web.lists.state import ListState, default_columns, every_view
from trellis.web.pages.props import Prop, PropSection, shown_value
from trellis.web.widgets.form import BoundForm, form_of, with_stage

if TYPE_CHECKING:
    from trellis.model.entity import Entity
    from trellis.model.model import Model
    from trellis.records.record import Record
    from trellis.studio.preview.store import SampleStore

LISTED = 8
FILES = frozenset({"file", "image", "signature"})


@dataclass(frozen=True)
class Piece:
    """One thing to look at; `is_changed` says that it is not as it is live."""

    key: str
    label: Any
    icon: str
    is_changed: bool = False


@dataclass(frozen=True)
class FieldChange:
    """A field that the draft adds, changes or takes away; `is_placed`: the form has a place for it."""

    label: str
    what: str  # new, changed, gone
    is_placed: bool = True


def field_changes(live: Model, store: SampleStore, entity: Entity) -> list[FieldChange]:
    """The fields that are not as they are live, as far as the person may see them."""
    now, language = live_entity(live, entity), store.principal.reader.language
    if now is None:
        return []
    form = with_stage(entity, form_of(entity, store.principal.roles), ())
    placed = {place.field for section in form.sections for place in section.fields}
    found = []
    for key in store.readable_fields(entity.key):
        field, old = entity.fields[key], now.fields.get(key) or now.fields.get(entity.fields[key].was or "")
        if not field.system and (old is None or not same(old, field)):
            label = field.label.in_language(language)
            found.append(FieldChange(label, "changed" if old else "new", key in placed))
    renamed = {field.was for field in entity.fields.values()}
    gone = [key for key in store.live.readable_fields(now.key) if key not in entity.fields and key not in renamed]
    return found + [FieldChange(now.fields[key].label.in_language(language), "gone") for key in gone]


def pieces_of(live: Model, entity: Entity, roles: frozenset[str]) -> list[Piece]:
    """The views of an entity, with a board for each pipeline."""
    now = live_entity(live, entity)
    before = every_view(now, roles) if now is not None else {}
    found = []
    for key, view in views_of(entity, roles).items():
        is_new = key not in before if key in every_view(entity, roles) else False
        changed = is_new or (key in before and not same(before[key], view))
        found.append(Piece(f"view.{key}", view.label, view.icon or ICONS[view.type], now is not None and changed))
    return found


def views_of(entity: Entity, roles: frozenset[str]) -> dict[str, View]:
    """The entity's views; a pipeline that no board shows gets one here, so that its stages are seen."""
    views = every_view(entity, roles)
    if not any(view.type == "kanban" for view in views.values()):
        for pipeline in entity.pipelines.values():
            card = default_columns(entity)[:4]
            label = pipeline.label or Text(pipeline.key)
            views[f"stages-{pipeline.key}"] = View("stages", "kanban", label, group=pipeline.field, card=card)
    return views


def form_piece(store: SampleStore, entity: Entity) -> BoundForm:
    """The form of a new record."""
    form = with_stage(entity, form_of(entity, store.principal.roles), ())
    return BoundForm(store, entity, form)


@dataclass(frozen=True)
class RecordPiece:
    """The properties of a record, in the shape that its page has."""

    record: Record
    high: list[Prop]
    sections: list[PropSection]
    became: tuple[()] = ()
    came: tuple[()] = ()
    service_levels: tuple[()] = ()


def record_piece(store: SampleStore, entity: Entity) -> RecordPiece:
    """The first sample record as its page shows it, without anything to press."""
    context, language = cell_context(store, entity), store.principal.reader.language
    readable = [key for key in store.readable_fields(entity.key) if "form" not in entity.fields[key].hidden]
    record = store.list(entity.key, columns=readable, limit=1).rows[0]

    def prop(key: str) -> Prop:
        field, value = entity.fields[key], record[key]
        is_empty = value is None or value in ((), "")
        html = Markup()
        if not is_empty:
            longer = None if field.type.widget in FILES else shown_value(entity, record, field, value)
            html = longer or Markup(renderer(field, context)(value))
        return Prop(field, html, "", is_empty, field.label.in_language(language))

    sections = []
    for section in form_of(entity, store.principal.roles).sections:
        listed = [prop(place.field) for place in section.fields if place.field in readable]
        if listed:
            sections.append(PropSection(section.key, section.label, listed, ""))
    return RecordPiece(record, [prop(key) for key in entity.highlights if key in readable], sections)


@dataclass(frozen=True)
class ListPiece:
    """A list with sample rows."""

    desk: Desk
    grid: Any
    rows: Markup


def desk_of(store: SampleStore, entity: Entity, view: View, pipeline: str = "") -> Desk:
    """The desk in front of a view of the draft."""
    return Desk(store, entity, ListState(store.tenant.model, entity, view, pipeline=pipeline), ())


def list_piece(store: SampleStore, entity: Entity, view: View) -> ListPiece:
    """A list: the view's columns over sample rows."""
    desk = desk_of(store, entity, view)
    grid = replace(make_grid(store, desk.state, can_edit=False), can_pick=False)
    return ListPiece(desk, grid, grid.rows(store.list(entity.key, columns=grid.paths, limit=LISTED).rows))


@dataclass(frozen=True)
class BoardPiece:
    """A board with the cards of sample records in their columns."""

    board: Board
    label: Any
    lanes: list[tuple[Lane, list[Markup]]]


def board_pieces(store: SampleStore, entity: Entity, view: View) -> list[BoardPiece]:
    """The board of a view, one for each pipeline where there are several; none when nothing makes its columns."""
    board = make_board(desk_of(store, entity, view))
    if board is None:
        return []
    over = pipelines_over(entity, board.field.key) if board.lines else []
    if not over:
        return [_board_piece(store, board, view.label)]
    live = store.live.tenant.model.pipelines
    over = sorted(over, key=lambda one: one.key in live and same(live[one.key], one))  # what is changed comes first
    boards = [(one, make_board(desk_of(store, entity, view, one.key))) for one in over]
    return [_board_piece(store, made, one.label) for one, made in boards if made is not None]


def _board_piece(store: SampleStore, board: Board, label: Any) -> BoardPiece:
    in_pipeline = next((t.pipeline for t in tracks(board.entity) if t.field == board.field.key), None)
    paths = [*board.paths, *([in_pipeline] if board.lines and in_pipeline else [])]
    records = store.list(board.entity.key, columns=paths).rows
    if board.lines and in_pipeline:
        shown = board.lines.shown
        if _is_told_live(store, board.entity, shown.key, in_pipeline):
            records = store.samples_within(board.entity.key, board.lines.condition, paths)
        records = [r for r in records if r[in_pipeline] == shown.key or (r[in_pipeline] is None and shown.default)]
    placed: dict[str, list[Markup]] = {}
    for record in records:
        placed.setdefault(lane_key(record[board.field.key]), []).append(board.card(record))
    lanes = [(replace(lane, count=len(cards)), cards) for lane in board.lanes for cards in [placed.get(lane.key, [])]]
    return BoardPiece(board, label, lanes)


def _is_told_live(store: SampleStore, entity: Entity, pipeline: str, field: str) -> bool:
    """Whether the same field says today which records are in a pipeline, and the person may see it."""
    now = live_entity(store.live.tenant.model, entity)
    one = now.pipelines.get(pipeline) if now is not None else None
    if now is None or one is None or field not in store.live.readable_fields(now.key):
        return False
    return any(track.field == one.field and track.pipeline == field for track in tracks(now))
