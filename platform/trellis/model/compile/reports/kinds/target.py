"""What was wanted, beside what was reached."""

from __future__ import annotations

from typing import Any

from trellis.model.compile.reports.draft import ReportDraft
from trellis.model.compile.reports.kinds.matched import matched
from trellis.model.compile.reports.kinds.registry import kind


@kind("target")
def target(draft: ReportDraft) -> dict[str, Any]:
    """Groups × reached and wanted."""
    item = draft.item.get("target")
    groups = draft.keys("group", required=True)
    if item is None:
        draft.ctx.problem("E204", "'target' is missing", draft.item, at_key=True)
        return {}
    spec = matched(draft, item, groups)
    if spec is None:
        return {}
    return {
        "date": draft.formula("date", "date", "datetime"),
        "groups": groups,
        "measures": draft.measures(),
        "sort": draft.sort(),
        "chart": draft.chart(),
        "spec": spec,
        "known": ("target", "achievement"),
    }
