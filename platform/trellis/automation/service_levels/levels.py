"""Which service levels there are: found once for each Model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from trellis.model.automation.triggers import OnSla
from trellis.model.automation.workflow import Workflow
from trellis.model.model import Model
from trellis.model.service_level import ServiceLevel
from trellis.records.kept import kept

By = Mapping[str, tuple[ServiceLevel, ...]]


@dataclass(frozen=True)
class Levels:
    """The service levels by the entity that they are for, and the workflows that they set off."""

    of: By
    workflows: Mapping[tuple[str, str], tuple[Workflow, ...]]  # by the service level and its event


def levels(model: Model) -> Levels:
    """The service levels of a Model."""
    found: Levels = kept((model.hash, "service levels"), lambda: Levels(_of(model), _workflows(model)))
    return found


def _of(model: Model) -> By:
    found: dict[str, list[ServiceLevel]] = defaultdict(list)
    for level in model.service_levels.values():
        found[level.entity].append(level)
    return {entity: tuple(each) for entity, each in found.items()}


def _workflows(model: Model) -> Mapping[tuple[str, str], tuple[Workflow, ...]]:
    found: dict[tuple[str, str], list[Workflow]] = defaultdict(list)
    for workflow in model.workflows.values():
        for trigger in workflow.triggers if workflow.active else ():
            if isinstance(trigger, OnSla) and workflow not in found[trigger.sla, trigger.event]:
                found[trigger.sla, trigger.event].append(workflow)
    return {key: tuple(each) for key, each in found.items()}
