"""Stages: what follows from a record's stage, which moves are allowed, what a stage asks for, and the stage history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from trellis.model.pipeline import Move, Pipeline, Stage
from trellis.records.conditions import holds
from trellis.records.draft import Draft
from trellis.records.refusal import Fault

if TYPE_CHECKING:
    from trellis.model.entity import Entity
    from trellis.records.session import Session


@dataclass(frozen=True, slots=True)
class Track:
    """The fields that pipelines over one `field` give an entity."""

    field: str
    prefix: str

    @property
    def pipeline(self) -> str:
        """The field that says which pipeline the record is in."""
        return f"{self.prefix}pipeline"

    @property
    def type(self) -> str:
        """The field that holds the stage's type."""
        return f"{self.field}_type"

    @property
    def since(self) -> str:
        """The field that holds when the stage was entered."""
        return f"{self.field}_since"

    @property
    def probability(self) -> str:
        """The field that holds the chance, taken at entry."""
        return f"{self.prefix}probability"

    @property
    def checklist(self) -> str:
        """The field that holds what has been ticked, as stage.item."""
        return f"{self.prefix}checklist"


def tracks(entity: Entity) -> Iterator[Track]:
    """The tracks of an entity, one for each stage field."""
    for field in dict.fromkeys(p.field for p in entity.pipelines.values()):
        prefix = f"{field}_" if f"{field}_pipeline" in entity.fields else ""
        yield Track(field, prefix)


def pipeline_of(draft: Draft, track: Track) -> Pipeline | None:
    """The pipeline the record is in, among those of this field."""
    among = [p for p in draft.entity.pipelines.values() if p.field == track.field]
    key = draft.value(track.pipeline) if track.pipeline in draft.entity.fields else None
    return next((p for p in among if p.key == key), next((p for p in among if p.default), among[0] if among else None))


def follow(session: Session, draft: Draft) -> None:
    """Set what follows from the stage: type, since when, probability at entry; refuse a move that is not allowed."""
    for track in tracks(draft.entity):
        pipeline = pipeline_of(draft, track)
        if pipeline is None or not pipeline.stages:
            continue
        moved_over = not draft.is_new and track.pipeline in draft.entity.fields and draft.has_changed(track.pipeline)
        begins = draft.is_new and draft.given.get(track.field) in (None, "")
        stage = pipeline.stages.get(draft.value(track.field) or "")
        if stage is None and (draft.value(track.field) is None or moved_over or begins):
            stage = next(iter(pipeline.stages.values()))
            draft.set(track.field, stage.key)
        if stage is None:
            draft.fault(
                Fault(
                    "move",
                    "There is no stage “{stage}” in this pipeline.",
                    track.field,
                    {"stage": str(draft.value(track.field))},
                )
            )
            continue
        if draft.is_new or draft.has_changed(track.field):
            _enter(session, draft, track, stage)
            if not draft.is_new and not moved_over:
                _check_move(session, draft, track, pipeline, stage)
            _check_require(draft, stage)
        elif set(stage.require) & draft.given.keys():
            _check_require(draft, stage)


def _enter(session: Session, draft: Draft, track: Track, stage: Stage) -> None:
    fields = draft.entity.fields
    if track.type in fields:
        draft.set(track.type, stage.type)
    if track.since in fields and (draft.value(track.since) is None or not draft.is_new):
        draft.set(track.since, session.reader.now)
    hand_set = track.probability in draft.given and draft.given[track.probability] not in (None, "")
    if track.probability in fields and not hand_set and stage.probability is not None:
        draft.set(track.probability, stage.probability)


def _check_require(draft: Draft, stage: Stage) -> None:
    """What the stage asks for, by field: the page's gate asks for exactly these."""
    for name in stage.require:
        value = draft.value(name) if name in draft.entity.fields else draft.record.graph.children(draft.record, name)
        if value is None or value == () or value == [] or value is False:
            label = draft.entity.fields[name].label if name in draft.entity.fields else name
            message = "“{field}” is needed for the stage “{stage}”."
            draft.fault(Fault("gate", message, name, {"field": label, "stage": stage.label}))


def _check_move(session: Session, draft: Draft, track: Track, pipeline: Pipeline, to: Stage) -> None:
    came_from = draft.before(track.field)
    leaving = pipeline.stages.get(came_from or "")
    if leaving is None or leaving.key == to.key:
        return
    keys = list(pipeline.stages)
    forward = keys.index(to.key) > keys.index(leaving.key) and to.type not in ("lost", "cancelled")
    if forward:
        _check_list(draft, track, leaving)
    if pipeline.moves is None:
        return
    moves = [m for m in pipeline.moves if _fits(m.from_, leaving.key) and _fits(m.to, to.key)]
    params = {"from": leaving.label, "to": to.label}
    if not moves:
        draft.fault(Fault("move", "“{from}” cannot be followed by “{to}”.", track.field, params))
        return
    faults = [_obstacle(session, draft, move) for move in moves]
    if None not in faults:
        code, message = next(f for f in faults if f is not None)
        roles = tuple(session.model.roles[r].label for m in moves for r in m.roles if r in session.model.roles)
        draft.fault(Fault(code, message, track.field, {**params, "roles": roles}))


def _obstacle(session: Session, draft: Draft, move: Move) -> tuple[str, str] | None:
    if move.roles and not session.principal.is_system and not session.principal.roles.intersection(move.roles):
        return "forbidden", "Only {roles} may move this from “{from}” to “{to}”."
    if move.when is not None and not holds(move.when, draft.env()):
        return "move", "The condition for moving from “{from}” to “{to}” is not met."
    return None


def _check_list(draft: Draft, track: Track, stage: Stage) -> None:
    """A checklist binds when its stage is left forward."""
    ticked = set(draft.value(track.checklist) or ()) if track.checklist in draft.entity.fields else set()
    for key, label in stage.checklist.items():
        if f"{stage.key}.{key}" not in ticked:
            message = "“{item}” must be ticked before “{stage}” is left."
            params = {"item": label, "stage": stage.label, "key": f"{stage.key}.{key}"}
            draft.fault(Fault("gate", message, track.checklist, params))


def _fits(keys: Sequence[str], key: str) -> bool:
    return "*" in keys or key in keys


def record(session: Session, drafts: Sequence[Draft]) -> None:
    """Write the stage history: the row of the stage that is left is closed, one of the new stage opened."""
    table = session.tables.platform.stage_history
    opened = []
    for draft in drafts:
        for track in tracks(draft.entity):
            if not draft.has_changed(track.field):
                continue
            stage = draft.value(track.field)
            pipeline = pipeline_of(draft, track)
            at = (draft.value(track.since) if track.since in draft.entity.fields else None) or session.reader.now
            if not draft.is_new:
                session.execute(
                    sa.update(table)
                    .where(table.c.entity == draft.entity.key, table.c.record == draft.record.id)
                    .where(table.c.field == track.field, table.c.left_at.is_(None))
                    .values(left_at=at)
                )
            if stage is None or pipeline is None or stage not in pipeline.stages:
                continue
            opened.append(
                {
                    "entity": draft.entity.key,
                    "record": draft.record.id,
                    "field": track.field,
                    "pipeline": pipeline.key,
                    "stage": stage,
                    "stage_type": pipeline.stages[stage].type,
                    "previous": draft.before(track.field),
                    "entered_at": at,
                    "by": session.principal.id,
                }
            )
    if opened:
        session.execute(sa.insert(table), opened)
