"""A workflow: what sets it off, for which entity it means what, whose rights it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from trellis.formula.formula import Formula
from trellis.model.automation.sequence import Sequence
from trellis.model.automation.steps import Steps
from trellis.model.automation.triggers import Trigger
from trellis.model.text import Text


@dataclass(frozen=True, slots=True)
class Body:
    """What a workflow does with records of one entity: names in its formulas mean that entity's fields."""

    when: Formula | None
    steps: Steps


@dataclass(frozen=True)
class Workflow:
    """A workflow. `bodies`: by the entity of the trigger, None without a record."""

    key: str
    label: Text
    triggers: tuple[Trigger, ...]
    bodies: Mapping[str | None, Body]
    digest: str = ""  # of its document: a run goes on with the version that it began with
    run_as: Literal["system", "user"] = "system"
    active: bool = True
    order: int = 100
    once: bool = False  # for one record never again
    module: str = ""
    sequence: Sequence | None = None
