"""What playing a scenario comes to: whether it holds, and if not, what was expected, what was found, and where."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as dc_field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trellis.config.problem import Mark
    from trellis.model.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as the scenario says."""

    mark: Mark | None
    text: str
    expected: str = ""
    found: str = ""

    def __str__(self) -> str:
        where = f"{self.mark}: " if self.mark is not None else ""
        both = f" (expected: {self.expected}; found: {self.found})" if self.expected or self.found else ""
        return f"{where}{self.text}{both}"


class Failed(Exception):
    """A scenario cannot go on."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


@dataclass(frozen=True)
class Played:
    """A scenario that was played."""

    scenario: Scenario
    seconds: float
    findings: tuple[Finding, ...] = dc_field(default=())

    @property
    def holds(self) -> bool:
        """Whether everything was as expected."""
        return not self.findings
