"""Groups within groups."""

from __future__ import annotations

from typing import Any

from trellis.model.compile.reports.draft import ReportDraft
from trellis.model.compile.reports.kinds.registry import kind


@kind("summary")
def summary(draft: ReportDraft) -> dict[str, Any]:
    """Groups within groups, with measures and totals."""
    return {
        "date": draft.formula("date", "date", "datetime"),
        "groups": draft.keys("group"),
        "measures": draft.measures(),
        "sort": draft.sort(),
        "limit": draft.limit(),
        "rest": draft.item.flag("rest", True),
        "chart": draft.chart(),
    }
