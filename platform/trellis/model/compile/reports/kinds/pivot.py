"""Rows and columns."""

from __future__ import annotations

from typing import Any

from trellis.model.compile.reports.draft import ReportDraft
from trellis.model.compile.reports.kinds.registry import kind


@kind("pivot")
def pivot(draft: ReportDraft) -> dict[str, Any]:
    """Rows × columns."""
    return {
        "date": draft.formula("date", "date", "datetime"),
        "groups": draft.keys("rows", required=True),
        "across": draft.keys("columns"),
        "measures": draft.measures(),
        "sort": draft.sort(),
        "chart": draft.chart(),
    }
