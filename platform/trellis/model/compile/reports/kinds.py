"""What each kind of report is written with; the part that runs has the same name in reports/kinds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trellis.model.compile.reports.draft import ReportDraft

KINDS: dict[str, Callable[[ReportDraft], dict[str, Any]]] = {}
Compile = Callable[[ReportDraft], dict[str, Any]]


def kind(name: str) -> Callable[[Compile], Compile]:
    """Declare how reports of a type are compiled."""

    def register(compile_kind: Compile) -> Compile:
        KINDS[name] = compile_kind
        return compile_kind

    return register


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
