"""The pipelines of a stage field: a board shows one of them; stages are named with theirs where there are several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trellis.records.pipelines.pipeline import tracks
from trellis.web.filters.source import quoted
from trellis.web.lists.desk import counted

if TYPE_CHECKING:
    from trellis.model.entity import Entity
    from trellis.model.field import Field
    from trellis.model.pipeline import Pipeline
    from trellis.web.lists.desk import Desk


@dataclass(frozen=True)
class Lines:
    """The pipelines of a board: the one that is shown, and the others with their counts."""

    field: str  # which pipeline a record is in
    shown: Pipeline
    counts: dict[str, int]
    offered: Sequence[Pipeline]

    def counted(self, pipeline: Pipeline) -> str:
        """How many records a pipeline holds, in the reader's numbers."""
        return counted(self.counts[pipeline.key])

    @property
    def condition(self) -> str:
        """What holds for the records of the pipeline that is shown; those that name none are in the default one."""
        own = f"{self.field} == {quoted(self.shown.key)}"
        return f"({own} or is_blank({self.field}))" if self.shown.default else own


def pipelines_over(entity: Entity, field: str) -> list[Pipeline]:
    """The pipelines that keep their stage in the field, the default one first."""
    found = [p for p in entity.pipelines.values() if p.field == field]
    return sorted(found, key=lambda p: not p.default)


def lines_of(desk: Desk, field: Field) -> Lines | None:
    """The pipelines that a board over a stage field chooses from; None when there is nothing to choose."""
    store, state, entity = desk.store, desk.state, desk.entity
    among = pipelines_over(entity, field.key)
    track = next((t for t in tracks(entity) if t.field == field.key), None)
    if len(among) < 2 or track is None or track.pipeline not in store.readable_fields(entity.key):
        return None
    groups = store.groups(entity.key, track.pipeline, where=state.formulas(store.principal.reader), q=state.q or None)
    default = next((p for p in among if p.default), among[0])
    counts = dict.fromkeys((p.key for p in among), 0)
    for group in groups:
        key = str(group.value) if group.value in counts else default.key
        counts[key] += group.count
    asked = next((p for p in among if p.key == state.pipeline), None)
    # a view that is about one pipeline opens with it
    filled = next((p for p in among if counts[p.key]), default)
    shown = asked or (default if counts[default.key] else filled)
    is_narrow = state.view.filter is not None and any(track.pipeline in path for path in state.view.filter.reads)
    offered = [p for p in among if p is shown or counts[p.key] or not is_narrow]
    return Lines(track.pipeline, shown, counts, offered)


def stage_places(entity: Entity, field: Field, language: str) -> dict[str, str]:
    """The pipelines that each stage belongs to, in words; empty when the entity has but one."""
    among = pipelines_over(entity, field.key)
    if len(among) < 2:
        return {}
    found: dict[str, list[str]] = {}
    for pipeline in among:
        for key in pipeline.stages:
            found.setdefault(key, []).append(pipeline.label.in_language(language))
    return {key: ", ".join(labels) for key, labels in found.items()}
