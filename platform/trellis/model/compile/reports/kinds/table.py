"""Records themselves."""

from __future__ import annotations

from typing import Any

from trellis.model.compile.reports.draft import ReportDraft
from trellis.model.compile.reports.kinds.registry import KINDS, kind


@kind("table")
def table(draft: ReportDraft) -> dict[str, Any]:
    """Columns of the records themselves."""
    columns = draft.columns()
    if not columns and draft.item.get("columns") is None:
        draft.ctx.problem("E204", "'columns' is missing: a table needs columns", draft.item, at_key=True)
    totals = draft.totals(columns)
    return {"columns": columns, "sort": draft.sort(), "limit": draft.limit(), "totals": totals}


KINDS["list"] = table
