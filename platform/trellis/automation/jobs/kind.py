"""The registry of what jobs do: one function for each kind, in a module of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trellis.automation.jobs.retry import Backoff

if TYPE_CHECKING:
    from trellis.automation.jobs.work import Work

Do = Callable[["Work"], None]


@dataclass(frozen=True)
class Kind:
    """What a worker does for jobs of one name.

    `ordered`: jobs with the same lock also wait for one that is being tried again. Without it a failed job steps out
    of the line and the next one goes ahead.
    `on_death` is called with the work and the reason before a job is buried; killed in between, it is called again.
    """

    name: str
    do: Do
    retry: Backoff = field(default_factory=Backoff)
    ordered: bool = False
    priority: int = 0
    on_death: Callable[[Work, str], None] | None = None


KINDS: dict[str, Kind] = {}


def kind(
    name: str,
    *,
    retry: Backoff | None = None,
    ordered: bool = False,
    priority: int = 0,
    on_death: Callable[[Work, str], None] | None = None,
) -> Callable[[Do], Kind]:
    """Register a function as what jobs of that name do. Higher priorities go first within a tenant."""

    def register(do: Do) -> Kind:
        if name in KINDS and KINDS[name].do.__module__ != do.__module__:
            raise ValueError(f"there is a kind of job {name} already, in {KINDS[name].do.__module__}")
        KINDS[name] = Kind(name, do, retry or Backoff(), ordered, priority, on_death)
        return KINDS[name]

    return register
