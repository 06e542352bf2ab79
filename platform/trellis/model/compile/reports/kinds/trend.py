"""Measures over time."""

from __future__ import annotations

from typing import Any

from trellis.model.compile.reports.draft import ReportDraft
from trellis.model.compile.reports.kinds.registry import kind


@kind("trend")
def trend(draft: ReportDraft) -> dict[str, Any]:
    """Measures over time."""
    key = draft.period_key()
    periods = draft.item.get("periods")
    count = periods.data if periods is not None and isinstance(periods.data, int) else None
    compare = draft.item.word("compare") or None
    if compare and count is None:
        count = 12
    return {
        "groups": (key,) if key is not None else (),
        "measures": draft.measures(),
        "chart": draft.chart(),
        "compare": compare,
        "spec": count,
    }
