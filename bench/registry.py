"""The measures by name, in the order in which the table shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.setting import Bench


@dataclass(frozen=True)
class Result:
    """One line of the table. Numbers are in `unit`; `ratio` is the median of the ratios pair by pair."""

    name: str
    trellis: float | None = None
    baseline: float | None = None
    floor: float | None = None
    ratio: float | None = None
    unit: str = "ms"
    statements: int | None = None
    goal: float | None = None  # the largest ratio that is good enough
    note: str = ""

    @property
    def is_missed(self) -> bool:
        """Whether the goal is missed."""
        return self.goal is not None and self.ratio is not None and self.ratio > self.goal


Measure = Callable[["Bench"], Iterator[Result]]
MEASURES: dict[str, Measure] = {}


def measure(name: str) -> Callable[[Measure], Measure]:
    """Register a measure under the name that `--only` takes."""

    def register(function: Measure) -> Measure:
        MEASURES[name] = function
        return function

    return register
