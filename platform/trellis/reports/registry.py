"""The kinds of reports that can run: one class each, in a file of its own."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

if TYPE_CHECKING:
    from trellis.reports.asking import Asking
    from trellis.reports.counted import Counted
    from trellis.reports.result import Answer

MODULES = ("summary", "table", "pivot", "trend", "ageing", "forecast", "accuracy", "funnel", "cohort", "rfm", "target")
"""The modules of the kinds, which register themselves when they are imported."""


class ReportKind(Protocol):
    """How reports of a type are answered."""

    charts: ClassVar[tuple[str, ...]]

    def answer(self, asking: Asking) -> Answer:
        """The answer, with one statement. Raises Refused."""


@runtime_checkable
class CountsApart(Protocol):
    """A kind with numbers whose records no plain filter tells apart."""

    def counted(self, asking: Asking, number: str) -> Counted | None:
        """The records behind a number by its name; None where there is none such. Raises Refused."""


KINDS: dict[str, ReportKind] = {}


def report_kind(name: str) -> Callable[[type[ReportKind]], type[ReportKind]]:
    """Declare the kind of a type."""

    def register(cls: type[ReportKind]) -> type[ReportKind]:
        KINDS[name] = cls()
        return cls

    return register


def kind_of(name: str) -> ReportKind:
    """The kind of a report's type."""
    for module in MODULES:
        import_module(f"trellis.reports.kinds.{module}")
    return KINDS[name]
