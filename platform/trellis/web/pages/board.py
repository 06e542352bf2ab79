"""The board: a column for each stage, choice, person or linked record; cards that can be moved between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import Response, jsonify, make_response, render_template, request
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.records.refusal import Fault, Refused
from trellis.web.faults import fault_text
from trellis.web.guard import signed_in
from trellis.web.lists.board import Board, Lane, make_board
from trellis.web.lists.desk import Desk, open_desk
from trellis.web.pages.base import Page
from trellis.web.widgets.bound import BoundField
from trellis.web.widgets.submitted import Submitted

if TYPE_CHECKING:
    from trellis.model.field import Field

NEEDED = frozenset({"gate", "required"})  # what a dialog can still ask for


def board_page(desk: Desk) -> str:
    """The whole board; each column brings its first cards."""
    board = make_board(desk)
    if board is None:
        return render_template("board_without.html", **desk.places)
    return render_template("board.html", **desk.places, board=board, counted_short="")


class BoardView(Page):
    """The fragments of a board, and moving a card."""

    @expose("/e/<entity>/lane")  # type: ignore[untyped-decorator]
    @signed_in
    def lane(self, entity: str) -> Response | str:
        """The cards of a column after a cursor."""
        desk = open_desk(entity)
        board = make_board(desk)
        lane = board.lane(request.args.get("lane", "")) if board else None
        if board is None or lane is None:
            return make_response("", 404)
        cards, following = board.cards(lane, request.args.get("cursor"))
        return render_template("_lane.html", **desk.places, board=board, lane=lane, cards=cards, following=following)

    @expose("/e/<entity>/heads")  # type: ignore[untyped-decorator]
    @signed_in
    def heads(self, entity: str) -> Response:
        """Count and sum of every column, after something has moved."""
        desk = open_desk(entity)
        board = make_board(desk)
        lanes = board.lanes if board else []
        return jsonify({lane.key: {"count": lane.counted, "sum": str(lane.total)} for lane in lanes})

    @expose("/e/<entity>/<uuid:id>/put", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def move(self, entity: str, id: UUID) -> Response:
        """Moves a card. 200: the card again. 422: why not, or a dialog that asks for what is missing."""
        desk = open_desk(entity)
        board = make_board(desk)
        lane = board.lane(request.form.get("to", "")) if board else None
        if board is None or lane is None:
            return make_response(jsonify({"reason": _("There is no such column.")}), 422)
        sent = Submitted(request.form, request.files)
        values: dict[str, Any] = {
            key: _read(sent, field) for key, field in desk.entity.fields.items() if sent.has(key) and field.is_writable
        }
        values[board.field.key] = lane.raw
        values |= _ticked(desk, id)
        try:
            record = desk.store.update(entity, id, values)
        except Refused as refused:
            return self._refuse(desk, board, lane, id, refused, values, sent)
        card = board.card(desk.store.read(entity, id, fields=board.paths))
        words = _("%(title)s moved to %(column)s", title=record.title, column=lane.label)
        return jsonify({"card": str(card), "toast": words})

    def _refuse(
        self,
        desk: Desk,
        board: Board,
        lane: Lane,
        id: UUID,
        refused: Refused,
        values: Mapping[str, Any],
        sent: Submitted,
    ) -> Response:
        """The answer to a move that was refused: a dialog where answers would help, else the reason."""
        missing = [f for f in refused.faults if f.code in NEEDED and askable(desk, f)]
        if not missing or (len(missing) < len(refused.faults) and not sent.present):
            reason = " ".join(fault_text(f) for f in refused.faults)
            words = _("Put back: %(reason)s", reason=reason)
            return make_response(jsonify({"reason": words}), 422)
        ticks = [f for f in missing if f.params.get("key")]  # of a checklist: boxes, not the field's own editor
        lists = {f.field for f in ticks}
        names = [*(f.field for f in missing if f.field and f.field not in lists), *(k for k in values if sent.has(k))]
        asked = list(dict.fromkeys(names))
        record = desk.store.read(desk.entity.key, id, fields=[*asked, board.field.key])
        faults = {f.field: fault_text(f) for f in refused.faults}
        bound = [
            BoundField(
                store=desk.store,
                entity=desk.entity,
                field=desk.entity.fields[key],
                value=values[key] if key in values else record[key],
                typed=key in values,
                errors=[faults[key]] if key in faults and sent.has(key) else [],
                required=True,
            )
            for key in asked
        ]
        others = [text for key, text in faults.items() if key not in asked and key not in lists]
        if request.form.get("_list"):  # asked before, and left unticked
            others += [fault_text(f) for f in ticks]
        html = render_template(
            "_board_gate.html",
            **desk.places,
            board=board,
            lane=lane,
            record=record,
            fields=bound,
            ticks=ticks,
            others=others,
        )
        return make_response(jsonify({"dialog": html}), 422)


def _ticked(desk: Desk, id: UUID) -> dict[str, Any]:
    """What was ticked in the gate's dialog, with what stood ticked before."""
    ticks, name = request.form.getlist("_tick"), request.form.get("_list", "")
    if not ticks or name not in desk.store.writable_fields(desk.entity.key):
        return {}
    before = desk.store.read(desk.entity.key, id, fields=[name])[name] or ()
    return {name: list(dict.fromkeys([*before, *ticks]))}


def askable(desk: Desk, fault: Fault) -> bool:
    """Whether the fault names a field that a person can fill in here."""
    field = desk.entity.fields.get(fault.field or "")
    return field is not None and field.is_writable and field.key in desk.store.writable_fields(desk.entity.key)


def _read(sent: Submitted, field: Field) -> Any:
    from trellis.web.widgets.base import widget_of

    return widget_of(field).read(sent, field)
