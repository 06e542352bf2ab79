"""The path of stages above a record, moving along it, and the gate that asks for what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Response, jsonify, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup

from trellis.model.entity import Entity
from trellis.model.form import Form, FormField, Section
from trellis.model.pipeline import Pipeline, Stage
from trellis.records.record import Record
from trellis.records.refusal import Fault, Forbidden, Refused, Stale
from trellis.records.stays import time_in_stages
from trellis.records.store import Store
from trellis.web.cells.markup import badge
from trellis.web.context import current_store
from trellis.web.guard import signed_in
from trellis.web.pages.base import Page
from trellis.web.pages.form import entity_or_404, faults_json, here, submitted
from trellis.web.widgets import widget_of
from trellis.web.widgets.faults import fault_text
from trellis.web.widgets.form import BoundForm
from trellis.web.widgets.lines import lines_of
from trellis.web.widgets.text import UNCHANGED

ENDED = ("won", "lost", "done", "cancelled")


@dataclass(frozen=True)
class Step:
    """A stage as a segment of the path."""

    stage: Stage
    state: str  # done, now, ahead
    spent: str = ""

    @property
    def icon(self) -> str:
        """A tick for what is behind, a sign for an end."""
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
    may_move: bool
    checks: list[tuple[str, Any, bool]]  # key, text, ticked: the checklist of the stage
    checklist_field: str = ""


def pipeline_for(entity: Entity, record: Record) -> Pipeline | None:
    """The pipeline that the record is in."""
    for field in dict.fromkeys(p.field for p in entity.pipelines.values()):
        named = record.get(f"{field}_pipeline", record.get("pipeline"))
        found = entity.pipeline_of(named)
        if found is not None and found.field == field:
            return found
    return None


def path_of(store: Store, entity: Entity, record: Record, *, may_update: bool) -> Path | None:
    """The record's path; None when it has no pipeline, or the person may not see the stage."""
    pipeline = pipeline_for(entity, record)
    if pipeline is None or pipeline.field not in store.readable_fields(entity.key):
        return None
    now = record.get(pipeline.field)
    spent = time_in_stages(store, entity.key, record.id, pipeline.field)
    keys = list(pipeline.stages)
    at = keys.index(now) if now in keys else -1
    ended_badly = at >= 0 and pipeline.stages[now].type in ("lost", "cancelled")
    steps = []
    for index, (key, stage) in enumerate(pipeline.stages.items()):
        # ends that were not reached are offered at the far end; those passed over are not shown as done
        passed = index < at and (stage.type == "open" or key in spent) and not (ended_badly and key not in spent)
        state = "now" if key == now else "done" if passed else "ahead"
        steps.append(Step(stage, state, span_text(spent[key]) if key in spent and state != "ahead" else ""))
    shown = None
    if now in pipeline.stages:
        stage = pipeline.stages[now]
        shown = Markup(badge(stage.label.in_language(store.principal.reader.language), stage.color))
    field = f"{pipeline.field}_checklist" if f"{pipeline.field}_checklist" in entity.fields else "checklist"
    ticked = set(record.get(field) or ())
    checks = [
        (f"{now}.{key}", text, f"{now}.{key}" in ticked)
        for key, text in (pipeline.stages[now].checklist.items() if now in pipeline.stages else ())
    ]
    may_move = may_update and pipeline.field in store.writable_fields(entity.key)
    address = url_for("StagesView.move", entity=entity.key, id=record.id, field=pipeline.field)
    return Path(pipeline, steps, shown, address, may_move and record.deleted_at is None, checks, field)


def span_text(span: timedelta) -> str:
    """A stay for people: 11 d, 5 h."""
    if span.days >= 1:
        return str(ngettext("%(num)s d", "%(num)s d", span.days))
    hours = span.seconds // 3600
    return str(_("%(hours)s h", hours=hours) if hours else _("today"))


class StagesView(Page):
    """Moves: `/e/<entity>/<id>/move/<field>`, for the record page and the board."""

    @expose("/e/<entity>/<uuid:id>/move/<field>", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def move(self, entity: str, id: UUID, field: str) -> Response:
        """Move to the stage `to`; a gate answers 422 with a dialog that asks for exactly what is missing."""
        store = current_store()
        definition = entity_or_404(store, entity)
        record = store.read(entity, id)
        if not store.may("update", entity, record):
            raise Forbidden(entity, "update")
        pipeline = pipeline_for(definition, record)
        to = request.form.get("to", "")
        values: dict[str, Any] = {field: to, **self._answers(definition, record, pipeline)}
        try:
            moved = store.update(entity, id, values, version=request.form.get("version", type=int))
        except Stale as stale:
            return self._refused(stale.faults, store)
        except Refused as refused:
            asked = [f for f in refused.faults if f.code == "gate"]
            answered = values.keys() - {field}
            others = [f for f in refused.faults if f.code != "gate" and f.field not in answered]
            if pipeline is None or others or not (asked or answered):
                return self._refused(others or refused.faults, store)
            return self._gate(store, definition, record, pipeline, to, values, refused.faults)
        stage = pipeline.stages.get(to) if pipeline else None
        label = stage.label.in_language(store.principal.reader.language) if stage else to
        return jsonify({"version": moved.version, "stage": to, "toast": _("Moved to %(stage)s", stage=label)})

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

    def _answers(self, entity: Entity, record: Record, pipeline: Pipeline | None) -> dict[str, Any]:
        """What the gate's dialog was answered with: fields, and ticks of the checklist."""
        sent = submitted()
        values: dict[str, Any] = {}
        for key, field in entity.fields.items():
            if sent.has(key) and field.is_writable:
                raw = widget_of(field).read(sent, field)
                if raw is not UNCHANGED:
                    values[key] = raw
        ticks = sent.texts("_tick")
        if ticks and pipeline is not None:
            name = f"{pipeline.field}_checklist" if f"{pipeline.field}_checklist" in entity.fields else "checklist"
            values[name] = list(dict.fromkeys([*(record.get(name) or ()), *ticks]))
        return values

    def _gate(
        self,
        store: Store,
        entity: Entity,
        record: Record,
        pipeline: Pipeline,
        to: str,
        typed: dict[str, Any],
        faults: Sequence[Fault],
    ) -> Response:
        asked = [f.field for f in faults if f.field in entity.fields and f.field != pipeline.field]
        answered = [key for key in typed if key in entity.fields and key != pipeline.field]
        lists = [f.field for f in faults if f.field and f.field in lines_of(entity, store.tenant.model.entities)]
        names = [k for k in dict.fromkeys([*answered, *asked]) if k and not k.endswith("checklist")]
        form = Form((Section("gate", entity.label, tuple(FormField(k, "full") for k in names), columns=1),))
        known = [f for f in faults if f.code != "gate"]
        bound = BoundForm(
            store,
            entity,
            form,
            record,
            typed={k: v for k, v in typed.items() if k in answered},
            faults=known,
            given={pipeline.field: to},
        )
        for field in bound.bound.values():
            field.required = True
        checks = [
            (str(f.params["key"]), f.params.get("item")) for f in faults if f.code == "gate" and f.params.get("key")
        ]
        return self.draw(
            "_gate.html",
            status=422,
            form=bound,
            entity=entity,
            record=record,
            stage=pipeline.stages[to],
            stage_label=pipeline.stages[to].label.in_language(bound.language),
            to=to,
            action=here(),
            checks=checks,
            lists=[fault_text(f, bound.language) for f in faults if f.field in lists],
            state_address=url_for("FormView.state", entity=entity.key, id=record.id),
        )
