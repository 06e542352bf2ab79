"""The stages of a pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trellis.config.phrase import phrase
from trellis.formula.formula import Formula, compile_formula
from trellis.model.compile.reports.draft import ReportDraft
from trellis.model.compile.reports.kinds.registry import kind
from trellis.model.reports.keys import Key
from trellis.model.text import Text


@dataclass(frozen=True)
class FunnelSpec:
    """A pipeline, how it is looked at, and what each of its records is worth."""

    pipeline: str
    mode: str
    worth: Formula | None = None


@kind("funnel")
def funnel(draft: ReportDraft) -> dict[str, Any]:
    """The stages of a pipeline."""
    key = draft.item.get("pipeline")
    found = next((p for p in draft.ctx.drafts[draft.entity].pipelines if key is None or p[0] == key.text), None)
    if found is None:
        if key is None or key.text in draft.ctx.configuration.of("pipeline"):
            at = key or draft.item
            draft.ctx.problem(
                "E330", phrase("'{name}' has no such pipeline", name=draft.entity), at, at_key=key is None
            )
        return {}
    field = found[1].word("field", "stage")
    stage = Key(field, Text("Stage"), compile_formula(field, draft.scope()))
    spec = FunnelSpec(found[0], draft.item.word("mode", "snapshot"), draft.formula("amount", "money", "number"))
    known = ("stage", "reached", "worth", "step", "overall", "lost", "open", "time")
    return {"groups": (stage,), "measures": draft.measures(), "chart": draft.chart(), "spec": spec, "known": known}
