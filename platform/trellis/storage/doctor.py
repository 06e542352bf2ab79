"""What is wrong with an installation, and how to mend it: a registry of checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from trellis.storage.catalogue import Catalogue

Level = Literal["ok", "advice", "wrong"]


@dataclass(frozen=True)
class Finding:
    """What a check has found; `mend` says what to do about it."""

    level: Level
    text: str
    mend: str = ""


@dataclass(frozen=True)
class Patient:
    """The installation that is looked at. `catalogue` is None while the database cannot be used: `trouble` says why.

    `mend`: what a check knows how to put right it does, and says so.
    """

    root: Path
    var: Path
    catalogue: Catalogue | None = None
    trouble: str = "the database cannot be reached"
    mend: bool = False


Check = Callable[[Patient], Iterator[Finding]]
CHECKS: dict[str, Check] = {}


def check(name: str) -> Callable[[Check], Check]:
    """Register a check under the heading that its findings are printed with."""

    def register(function: Check) -> Check:
        CHECKS[name] = function
        return function

    return register


def examine(patient: Patient) -> Iterator[tuple[str, Finding]]:
    """Run every check. One that falls over is a finding itself."""
    from trellis.storage import checks  # noqa: F401 - registers them

    for name, function in CHECKS.items():
        try:
            for finding in function(patient):
                yield name, finding
        except Exception as error:
            yield name, Finding("wrong", f"the check failed: {error}", "Report this with the message above.")
