"""Timing two or three ways of doing the same, by turns, so that a busy machine disturbs all of them alike."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

Work = Callable[[], object]
WARM_UP = 5
OURS, THEIRS, FLOOR = "trellis", "baseline", "floor"


@dataclass(frozen=True)
class Timed:
    """Medians in milliseconds, and the median of the ratios of neighbours."""

    medians: Mapping[str, float]
    ratio: float | None


def compare(works: Mapping[str, Work], seconds: float, *, least: int = 9, most: int = 400) -> Timed:
    """Run the works by turns for about so many seconds; the first turn of each round changes."""
    for work in works.values():
        for _ in range(WARM_UP):
            work()
    times: dict[str, list[float]] = {name: [] for name in works}
    names = list(works)
    ends = time.perf_counter() + seconds
    gc.collect()
    while len(times[names[0]]) < most and (len(times[names[0]]) < least or time.perf_counter() < ends):
        names.append(names.pop(0))
        for name in names:
            work = works[name]
            began = time.perf_counter()
            work()
            times[name].append((time.perf_counter() - began) * 1000)
    ratio = None
    if THEIRS in times:
        ratio = median(a / b for a, b in zip(times[OURS], times[THEIRS], strict=True))
    return Timed({name: median(found) for name, found in times.items()}, ratio)


def seconds_of(work: Work) -> float:
    """How long one piece of work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """The statements that go to the database meanwhile, without those that only say whose transaction it is."""
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "set_config(" not in statement:
            seen.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
