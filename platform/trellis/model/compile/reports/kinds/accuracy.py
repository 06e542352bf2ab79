"""What a forecast said, beside what came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trellis.config.phrase import phrase
from trellis.formula.formula import Formula
from trellis.model.compile.reports.draft import ReportDraft
from trellis.model.compile.reports.kinds.registry import kind
from trellis.model.reports.report import Chart


@dataclass(frozen=True)
class AccuracySpec:
    """A forecast that is kept each night, and how many days before a period's end it is looked at."""

    of: str
    ahead: Formula | None = None


@kind("accuracy")
def accuracy(draft: ReportDraft) -> dict[str, Any]:
    """What a forecast said before, beside what was closed."""
    named = draft.item.get("of")
    if named is None:
        hint = "the key of a forecast with `snapshot: daily`"
        draft.ctx.problem("E204", "'of' is missing", draft.item, hint, at_key=True)
        return {}
    draft.names.document(named, "report")
    document = draft.ctx.configuration.of("report").get(named.text)
    if document is None:
        return {}
    said = document.data
    if said.get("type") != "forecast" or said.get("snapshot") is None or said.get("date") is None:
        hint = "type: forecast, a date, and snapshot: daily"
        draft.ctx.problem(
            "E330", phrase("'{name}' is no forecast that is kept each night", name=named.text), named, hint
        )
        return {}
    if said.get("entity") != draft.entity:
        draft.ctx.problem(
            "E330",
            phrase("'{name}' is about another entity", name=named.text),
            named,
            phrase("entity: {name}", name=said.get("entity")),
        )
        return {}
    return {"spec": AccuracySpec(named.text, draft.formula("ahead", "number")), "chart": draft.chart() or Chart("bar")}
