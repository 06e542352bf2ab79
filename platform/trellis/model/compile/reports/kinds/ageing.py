"""How old things are."""

from __future__ import annotations

from typing import Any

from trellis.model.compile.reports.draft import ReportDraft
from trellis.model.compile.reports.kinds.registry import kind
from trellis.model.reports.keys import AgeKey


@kind("ageing")
def ageing(draft: ReportDraft) -> dict[str, Any]:
    """Groups × buckets of days."""
    age = draft.formula("age", "number")
    if draft.item.get("age") is None:
        hint = "a number of days, such as today() - due_date"
        draft.ctx.problem("E204", "'age' is missing", draft.item, hint, at_key=True)
    bounds = draft.bounds("buckets", (0, 30, 60, 90))
    days = (bounds[0], *(b + 1 for b in bounds[1:]))
    label = draft.ctx.translated("Age", "system.reports.age.label")
    return {
        "groups": draft.keys("group"),
        "across": (AgeKey("age", label, age, days),) if age is not None else (),
        "measures": draft.measures(),
        "sort": draft.sort(),
        "chart": draft.chart(),
        "known": ("age",),
    }
