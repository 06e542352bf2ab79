"""Stages: what follows from a record's stage, when it enters one, and what it then has to keep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trellis.model.conversion import CONVERTED_AT
from trellis.model.pipeline import Pipeline, Stage
from trellis.records.draft import Draft
from trellis.records.pipelines import gate, stays
from trellis.records.refusal import Fault

if TYPE_CHECKING:
    from trellis.formula.types import Value
    from trellis.model.entity import Entity
    from trellis.records.session import Session


BY_HAND = frozenset({"page", "bulk", "api"})  # an import may bring records that were converted elsewhere


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
    def stuck(self) -> str:
        """The field that says whether the record has been there for longer than it should."""
        return f"{self.prefix}is_stuck"

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


def track_of(entity: Entity, field: str) -> Track | None:
    """The track whose stages the field holds."""
    return next((track for track in tracks(entity) if track.field == field), None)


def pipelines_on(entity: Entity, track: Track) -> list[Pipeline]:
    """The pipelines over the track's field, the default one first."""
    found = [p for p in entity.pipelines.values() if p.field == track.field]
    return sorted(found, key=lambda p: not p.default)


def named(entity: Entity, track: Track, key: Value) -> Pipeline | None:
    """The pipeline of that key, else the one that records are in which name none."""
    among = pipelines_on(entity, track)
    return next((p for p in among if p.key == key), among[0] if among else None)


def pipeline_of(draft: Draft, track: Track) -> Pipeline | None:
    """The pipeline the record is in, among those of this field."""
    return named(draft.entity, track, draft.value(track.pipeline) if track.pipeline in draft.entity.fields else None)


def pipeline_before(draft: Draft, track: Track) -> Pipeline | None:
    """The pipeline that the stored record is in; None for a new one."""
    if draft.is_new:
        return None
    return named(draft.entity, track, draft.before(track.pipeline) if track.pipeline in draft.entity.fields else None)


def enters(draft: Draft, track: Track) -> bool:
    """Whether the record comes into a stage with this change: another one, or one of another pipeline."""
    return (
        draft.is_new or draft.has_changed(track.field) or pipeline_of(draft, track) is not pipeline_before(draft, track)
    )


def follow(session: Session, draft: Draft) -> None:
    """Set what follows from the stage: type, since when, probability at entry."""
    for track in tracks(draft.entity):
        pipeline = pipeline_of(draft, track)
        if pipeline is None or not pipeline.stages:
            continue
        stage = _settle(draft, track, pipeline)
        if stage is not None and enters(draft, track):
            before = pipeline_before(draft, track)
            left = before.stages.get(draft.before(track.field) or "") if before is not None else None
            _enter(session, draft, track, stage, left)


def check(session: Session, draft: Draft) -> None:
    """Refuse a move that is not allowed, and a stage that asks for more: of the record as it is about to be."""
    for track in tracks(draft.entity):
        pipeline = pipeline_of(draft, track)
        if pipeline is None or not pipeline.stages:
            continue
        stage = pipeline.stages.get(draft.value(track.field) or "")
        if stage is None:
            _refuse_unknown(draft, track, pipeline)
        elif enters(draft, track):
            before = pipeline_before(draft, track)
            left = before.stages.get(draft.before(track.field) or "") if before is not None else None
            if before is not None and left is not None:
                gate.check_move(session, draft, track, (before, left), (pipeline, stage))
                _refuse_unconverted(session, draft, track, stage)
            gate.check_require(session, draft, track, stage)
        elif set(stage.require) & draft.given.keys():
            gate.check_require(session, draft, track, stage)


def _settle(draft: Draft, track: Track, pipeline: Pipeline) -> Stage | None:
    """The stage the record is in now: the first one where none is named, or none for the pipeline that it goes to."""
    key, first = draft.value(track.field), next(iter(pipeline.stages.values()))
    is_given = draft.given.get(track.field) not in (None, "")
    if draft.is_new and not is_given:
        # what fills the blank is a stage of the default pipeline: another one begins at its own beginning
        is_default = pipeline is pipelines_on(draft.entity, track)[0]
        stage = (pipeline.stages.get(key or "") if is_default else None) or first
    elif key is None or (pipeline is not pipeline_before(draft, track) and not is_given):
        stage = first
    else:
        return pipeline.stages.get(key)
    if stage.key != key:
        draft.set(track.field, stage.key)
    return stage


def _refuse_unknown(draft: Draft, track: Track, pipeline: Pipeline) -> None:
    """A stage that the pipeline does not have; one that the record has been in all along stays."""
    if enters(draft, track):
        message = "There is no stage “{stage}” in the pipeline “{pipeline}”."
        params = {"stage": str(draft.value(track.field)), "pipeline": pipeline.label}
        draft.fault(Fault("move", message, track.field, params))


def _refuse_unconverted(session: Session, draft: Draft, track: Track, stage: Stage) -> None:
    """The stage that a conversion leads to is reached by converting, not by hand."""
    conversion = session.model.conversions.get(draft.entity.key)
    if conversion is None or draft.means not in BY_HAND or draft.before(CONVERTED_AT) is not None:
        return
    filling = conversion.then.get(track.field)
    if filling is not None and filling.formula is None and filling.plain == stage.key:
        message = "A record gets to “{stage}” by being converted: open it and choose Convert."
        draft.fault(Fault("convert", message, track.field, {"stage": stage.label}))


def _enter(session: Session, draft: Draft, track: Track, stage: Stage, left: Stage | None) -> None:
    fields = draft.entity.fields
    if track.type in fields:
        draft.set(track.type, stage.type)
    if track.since in fields and (draft.value(track.since) is None or not draft.is_new):
        draft.set(track.since, session.reader.now)
    if stage.probability is None or track.probability not in fields:
        return
    if not _is_hand_set(session, draft, track, stage, left):
        draft.set(track.probability, stage.probability)


def _is_hand_set(session: Session, draft: Draft, track: Track, stage: Stage, left: Stage | None) -> bool:
    """Whether a person has said how likely it is: with this change, or before it, as long as it stays open."""
    value = draft.value(track.probability)
    if value is None:
        return False
    if draft.is_new or draft.has_changed(track.probability):
        return True
    if left is None or left.type != "open" or stage.type != "open" or value == left.probability:
        return False
    # not what the stage says: set by hand, unless the stage said so when it was entered
    return bool(value != stays.taken(session, draft, track.field))
