"""The path of stages above a record, how long it was in each, and moving along it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Response, abort, jsonify, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _
from markupsafe import Markup

from trellis.formula.types import Value
from trellis.model.entity import Entity
from trellis.model.pipeline import Pipeline, Stage
from trellis.records.pipelines.pipeline import Track, named, pipelines_on, track_of, tracks
from trellis.records.pipelines.stays import Stay, read_stays, time_in_stages
from trellis.records.record import Record
from trellis.records.refusal import Fault, Refused
from trellis.records.store import Store
from trellis.web.cells.markup import avatar, badge
from trellis.web.cells.times import moment_writer, span_text
from trellis.web.context import current_store
from trellis.web.guard import signed_in
from trellis.web.pages.base import Page
from trellis.web.pages.form import entity_or_404, faults_json
from trellis.web.pages.gate import Gate, Goal

MOST_PEOPLE = 50


@dataclass(frozen=True)
class Step:
    """A stage as a segment of the path."""

    stage: Stage
    state: str  # done, now, ahead
    spent: str = ""
    is_stuck: bool = False

    @property
    def icon(self) -> str:
        """A tick for what is behind, a sign for an end, a warning where it takes too long."""
        if self.is_stuck:
            return "alert-triangle"
        if self.state == "done":
            return "check"
        return {"won": "trophy", "lost": "circle-x", "cancelled": "ban", "done": "circle-check"}.get(
            self.stage.type if self.state == "now" else "", ""
        )


@dataclass(frozen=True)
class Path:
    """The pipeline that a record is in, as its page shows it."""

    pipeline: Pipeline
    steps: list[Step]
    badge: Markup | None
    address: str
    stays_address: str
    may_move: bool
    checks: list[tuple[str, Any, bool]]  # key, text, ticked: the checklist of the stage
    now: str = ""
    checklist_field: str = ""
    stuck: Markup | None = None  # since when it is in its stage, where that is too long
    others: tuple[Pipeline, ...] = ()  # that the record may go to
    several: bool = False


def path_of(store: Store, entity: Entity, record: Record, *, may_update: bool) -> Path | None:
    """The record's path; None when it has no pipeline, or the person may not see the stage."""
    track = next(tracks(entity), None)
    if track is None:
        return None
    pipeline = named(entity, track, record.get(track.pipeline))
    readable, reader = store.readable_fields(entity.key), store.principal.reader
    if pipeline is None or track.field not in readable:
        return None
    now = record.get(track.field)
    is_stuck = track.stuck in readable and record.get(track.stuck) is True
    spent = time_in_stages(read_stays(store, entity.key, record.id, track.field), pipeline.key, reader.now)
    shown, stuck = None, None
    if now in pipeline.stages:
        stage = pipeline.stages[now]
        shown = Markup(badge(stage.label.in_language(reader.language), stage.color))
        if is_stuck and record.get(track.since) is not None:
            stuck = Markup(moment_writer(reader)(record.get(track.since)))
    ticked = set(record.get(track.checklist) or ())
    checks = [
        (f"{now}.{key}", text, f"{now}.{key}" in ticked)
        for key, text in (pipeline.stages[now].checklist.items() if now in pipeline.stages else ())
    ]
    writable = store.writable_fields(entity.key)
    may_move = may_update and track.field in writable and record.deleted_at is None
    among = pipelines_on(entity, track)
    return Path(
        pipeline=pipeline,
        steps=_steps(pipeline, now, spent, is_stuck=is_stuck),
        badge=shown,
        address=url_for("StagesView.move", entity=entity.key, id=record.id, field=track.field),
        stays_address=url_for("StagesView.stays", entity=entity.key, id=record.id, field=track.field),
        may_move=may_move,
        checks=checks,
        now=str(now or ""),
        checklist_field=track.checklist,
        stuck=stuck,
        others=tuple(p for p in among if p is not pipeline) if may_move and track.pipeline in writable else (),
        several=len(among) > 1,
    )


def _steps(pipeline: Pipeline, now: Value, spent: dict[str, Any], *, is_stuck: bool) -> list[Step]:
    keys = list(pipeline.stages)
    at = keys.index(now) if now in keys else -1
    ended_badly = at >= 0 and pipeline.stages[now].type in ("lost", "cancelled")
    steps = []
    for index, (key, stage) in enumerate(pipeline.stages.items()):
        # ends that were not reached are offered at the far end; those passed over are not shown as done
        passed = index < at and (stage.type == "open" or key in spent) and not (ended_badly and key not in spent)
        state = "now" if key == now else "done" if passed else "ahead"
        text = span_text(spent[key]) if key in spent and state != "ahead" else ""
        steps.append(Step(stage, state, text, is_stuck and state == "now"))
    return steps


@dataclass(frozen=True)
class StayRow:
    """One line of the stage history."""

    stage: Markup
    pipeline: str
    entered: Markup
    left: Markup | None
    lasted: str
    by: Markup


def stay_rows(store: Store, entity: Entity, track: Track, stays: Sequence[Stay]) -> list[StayRow]:
    """The stage history in words, the latest first. What is gone from the configuration keeps its key."""
    reader, write = store.principal.reader, moment_writer(store.principal.reader)
    among = {p.key: p for p in pipelines_on(entity, track)}
    names = _names(store, {stay.by for stay in stays if stay.by is not None})
    rows = []
    for stay in reversed(stays):
        pipeline = among.get(stay.pipeline)
        stage = pipeline.stages.get(stay.stage) if pipeline is not None else None
        label = stage.label.in_language(reader.language) if stage is not None else stay.stage
        name = names.get(stay.by) if stay.by is not None else None
        face = Markup('<span class="t-cell">{} <bdi>{}</bdi></span>')
        rows.append(
            StayRow(
                stage=Markup(badge(label, stage.color if stage is not None else "gray")),
                pipeline=pipeline.label.in_language(reader.language) if pipeline is not None else stay.pipeline,
                entered=Markup(write(stay.entered)),
                left=Markup(write(stay.left)) if stay.left is not None else None,
                lasted=span_text(stay.lasted(reader.now)),
                by=face.format(Markup(avatar(name, str(stay.by))), name) if name else Markup(""),
            )
        )
    return rows


def _names(store: Store, people: Collection[UUID]) -> dict[UUID, str]:
    """What people are called, as far as this person may know them."""
    if not people or not store.may("read", "user"):
        return {}
    where = " or ".join(f'id == "{id}"' for id in list(people)[:MOST_PEOPLE])
    return {user.id: user.title or "" for user in store.list("user", columns=("id",), where=[where], limit=50).rows}


class StagesView(Page):
    """Moves and stays of a record: `/e/<entity>/<id>/move/<field>`, …"""

    @expose("/e/<entity>/<uuid:id>/move/<field>", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def move(self, entity: str, id: UUID, field: str) -> Response:
        """Move to the stage `to`, of another `pipeline` if one is named. 422: the gate's dialog. 409: why not."""
        store = current_store()
        definition = entity_or_404(store, entity)
        track = track_of(definition, field)
        if track is None:
            abort(404)
        record = store.read(entity, id)
        own = named(definition, track, record.get(track.pipeline))
        pipeline = named(definition, track, request.form.get("pipeline") or (own.key if own else None))
        to = request.form.get("to", "")
        stage = pipeline.stages.get(to) if pipeline is not None else None
        language = store.principal.reader.language
        label = stage.label.in_language(language) if stage is not None else to
        values = {field: to}
        if pipeline is not None and pipeline is not own:
            values[track.pipeline] = pipeline.key
            label = f"{pipeline.label.in_language(language)} · {label}"
        outcome = Gate(store, definition, id, Goal(field, values, label, track, stage)).go()
        if outcome.refused is not None:
            return outcome.refused
        if outcome.moved is None:
            response = jsonify({"message": outcome.words, "now": str(record.get(field) or "")})
            response.status_code = 409
            return response
        said = _("Moved to %(stage)s", stage=label)
        return jsonify({"version": outcome.moved.version, "stage": to, "toast": said})

    @expose("/e/<entity>/<uuid:id>/stays/<field>")  # type: ignore[untyped-decorator]
    @signed_in
    def stays(self, entity: str, id: UUID, field: str) -> Response:
        """The dialog that tells when the record came into each stage, and how long it stayed."""
        store = current_store()
        definition = entity_or_404(store, entity)
        track = track_of(definition, field)
        if track is None or field not in store.readable_fields(entity):
            abort(404)
        record = store.read(entity, id, deleted=True)
        rows = stay_rows(store, definition, track, read_stays(store, entity, id, field))
        several = len(pipelines_on(definition, track)) > 1
        return self.draw("_stays.html", rows=rows, record=record, entity=definition, several=several)

    @expose("/e/<entity>/<uuid:id>/check/<field>", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def check(self, entity: str, id: UUID, field: str) -> Response:
        """Tick or untick an item of the stage's checklist."""
        store = current_store()
        entity_or_404(store, entity)
        record = store.read(entity, id)
        item = request.form.get("item", "")
        ticked = [key for key in record.get(field) or () if key != item]
        if len(ticked) == len(record.get(field) or ()):
            ticked.append(item)
        try:
            store.update(entity, id, {field: ticked})
        except Refused as refused:
            return self._refused(refused.faults, store)
        return jsonify({"ticked": item in ticked})

    def _refused(self, faults: Sequence[Fault], store: Store) -> Response:
        response = jsonify(faults_json(tuple(faults), store.principal.reader.language))
        response.status_code = 409
        return response
