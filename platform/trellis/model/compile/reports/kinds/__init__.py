"""What each kind of report is written with; the part that runs has the same name in reports/kinds."""

from __future__ import annotations

from trellis.model.compile.reports.kinds import (  # noqa: F401 - each registers itself
    accuracy,
    ageing,
    cohort,
    forecast,
    funnel,
    pivot,
    rfm,
    summary,
    table,
    target,
    trend,
)
from trellis.model.compile.reports.kinds.registry import KINDS

__all__ = ["KINDS"]
