"""Which workflows listen to what: found once for each Model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from trellis.model.automation.steps import Wait, every_step
from trellis.model.automation.triggers import Before, OnRecord, Trigger
from trellis.model.automation.workflow import Workflow
from trellis.model.model import Model
from trellis.records.kept import kept

T = TypeVar("T", bound=Trigger)
By = Mapping[str, tuple[tuple[T, Workflow], ...]]


@dataclass(frozen=True)
class Listeners:
    """The active workflows by the entity that they listen to, in the order in which they run."""

    before: By[Before]
    after: By[OnRecord]
    awaited: frozenset[str]  # whose records a wait may look at
    stages: Mapping[str, frozenset[str]]  # the fields that hold stages, by entity


def listeners(model: Model) -> Listeners:
    """The workflows of a Model that listen to records."""
    found: Listeners = kept(
        (model.hash, "listeners"),
        lambda: Listeners(_by_entity(model, Before), _by_entity(model, OnRecord), _awaited(model), _stages(model)),
    )
    return found


def _by_entity(model: Model, kind: type[T]) -> By[T]:
    found: dict[str, list[tuple[T, Workflow]]] = defaultdict(list)
    for workflow in model.workflows.values():
        for trigger in workflow.triggers:
            if workflow.active and isinstance(trigger, kind) and trigger.entity is not None:
                found[trigger.entity].append((trigger, workflow))
    return {entity: tuple(pairs) for entity, pairs in found.items()}


def _stages(model: Model) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for pipeline in model.pipelines.values():
        found[pipeline.entity].add(pipeline.field)
    return {entity: frozenset(fields) for entity, fields in found.items()}


def _awaited(model: Model) -> frozenset[str]:
    """The entities that waits of active workflows read; also of paused ones, whose runs go on."""
    bodies = (body for workflow in model.workflows.values() for body in workflow.bodies.values())
    waits = (step for body in bodies for step in every_step(body.steps) if isinstance(step, Wait))
    sequences = frozenset(w.sequence.entity for w in model.workflows.values() if w.sequence is not None)
    return sequences.union(*(wait.reads for wait in waits))
