"""`snapshot:` of a report: only of what is the same for everybody who may see all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trellis.model.compile.reports.draft import ReportDraft
    from trellis.model.reports.report import Report

KINDS = ("summary", "funnel", "forecast", "trend", "target")  # numbers of groups, in columns that stay
OF_READER = frozenset({"me", "my_team"})


def check_snapshot(draft: ReportDraft, report: Report) -> None:
    """What cannot be kept is said: records would outlive their erasure, and the system is nobody."""
    item = draft.item.get("snapshot")
    if item is None:
        return
    if report.type not in KINDS:
        draft.ctx.problem("E330", f"a {report.type} report has no snapshots", item, "of " + ", ".join(KINDS))
        return
    parts = [*(k.formula for k in report.groups), *(m.formula for m in report.measures)]
    parts += [report.filter.formula] if report.filter is not None else []
    if asked := sorted({name for formula in parts for name in formula.uses & OF_READER}):
        hint = f"{asked[0]} is another one for each reader"
        draft.ctx.problem("E330", "a snapshot is kept once for all", item, hint)
