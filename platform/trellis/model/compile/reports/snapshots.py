"""`snapshot:` of a report: only of what is the same for everybody who may see all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trellis.config.phrase import phrase

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
        draft.ctx.problem(
            "E330",
            phrase("a {type} report has no snapshots", type=report.type),
            item,
            phrase("one of {names}", names=list(KINDS)),
        )
        return
    parts = [*(k.formula for k in report.groups), *(m.formula for m in report.measures)]
    parts += [report.filter.formula] if report.filter is not None else []
    for branch in report.union:  # of which the whole's formulas say common names only
        parts += [*branch.rows.values(), *branch.measures.values()]
        parts += [branch.filter.formula] if branch.filter is not None else []
    if asked := sorted({name for formula in parts for name in formula.uses & OF_READER}):
        hint = phrase("{name} is another one for each reader", name=asked[0])
        draft.ctx.problem("E330", "a snapshot is kept once for all", item, hint)
