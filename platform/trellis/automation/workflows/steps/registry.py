"""The registry of steps, and what a step may come to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from trellis.formula.types import Ref, Value
from trellis.model.automation.steps import Step

if TYPE_CHECKING:
    from trellis.automation.workflows.context import StepContext

S = TypeVar("S", bound=Step)


@dataclass(frozen=True)
class Done:
    """The step is done; `result` has its name from now on, `told` stands in the log."""

    result: Value = None
    told: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Push:
    """A block of steps comes next; for an `each`, once for each of the items."""

    block: str
    items: Sequence[Ref] | None = None
    told: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Suspended:
    """The run waits. The step is asked again at `wake_at`, when a watched record changes, or when somebody wakes it.

    `kept` is given to the step when it is asked again.
    """

    kept: Mapping[str, Any] = field(default_factory=dict)
    wake_at: datetime | None = None
    watched: frozenset[Ref] = frozenset()
    told: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Stopped:
    """The run ends here."""

    reason: str = ""


Outcome = Done | Push | Suspended | Stopped
Does = Callable[["StepContext", Any], Outcome]
DOES: dict[type[Step], Does] = {}


def does(kind: type[S]) -> Callable[[Callable[[StepContext, S], Outcome]], Callable[[StepContext, S], Outcome]]:
    """Register what steps of a kind do. An error that is raised is the step's, and undoes what it wrote."""

    def register(do: Callable[[StepContext, S], Outcome]) -> Callable[[StepContext, S], Outcome]:
        DOES[kind] = do
        return do

    return register
