"""Which workflows listen to what: found once for each Model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

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


def listeners(model: Model) -> Listeners:
    """The workflows of a Model that listen to records."""
    found: Listeners = kept(
        (model.hash, "listeners"),
        lambda: Listeners(before=_by_entity(model, Before), after=_by_entity(model, OnRecord)),
    )
    return found


def _by_entity(model: Model, kind: type[T]) -> By[T]:
    found: dict[str, list[tuple[T, Workflow]]] = defaultdict(list)
    for workflow in model.workflows.values():
        for trigger in workflow.triggers:
            if workflow.active and isinstance(trigger, kind) and trigger.entity is not None:
                found[trigger.entity].append((trigger, workflow))
    return {entity: tuple(pairs) for entity, pairs in found.items()}
