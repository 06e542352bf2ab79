"""The board: a column for each stage, choice, person or linked record; cards that can be moved between them."""

from __future__ import annotations

from uuid import UUID

from flask import Response, jsonify, make_response, render_template, request
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.records.pipelines.pipeline import track_of
from trellis.web.guard import signed_in
from trellis.web.lists.board import lane_key, make_board
from trellis.web.lists.desk import Desk, open_desk
from trellis.web.pages.base import Page
from trellis.web.pages.gate import Gate, Goal


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
        """Moves a card. 200: the card again. 422: the gate's dialog. 409: why not, or where the card is by now."""
        desk = open_desk(entity)
        board = make_board(desk)
        lane = board.lane(request.form.get("to", "")) if board else None
        if board is None or lane is None:
            return make_response(jsonify({"message": _("There is no such column.")}), 409)
        track = track_of(desk.entity, board.field.key)
        stage = board.stages.get(lane.key) if track else None
        goal = Goal(board.field.key, {board.field.key: lane.raw}, lane.label, track, stage)
        outcome = Gate(desk.store, desk.entity, id, goal).go()
        if outcome.refused is not None:
            return outcome.refused
        found = outcome.moved or outcome.elsewhere
        assert found is not None
        card = board.card(desk.store.read(entity, id, fields=board.paths))
        if outcome.elsewhere is not None:
            said = {"message": outcome.words, "card": str(card), "now": lane_key(found.get(board.field.key))}
            return make_response(jsonify(said), 409)
        words = _("%(title)s moved to %(column)s", title=found.title, column=lane.label)
        return jsonify({"card": str(card), "toast": words, "version": found.version})
