"""What is expected, by forecast category."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trellis.config.phrase import phrase
from trellis.formula.formula import compile_formula
from trellis.model.compile.reports.draft import ReportDraft
from trellis.model.compile.reports.kinds.matched import TargetSpec, matched
from trellis.model.compile.reports.kinds.registry import kind
from trellis.model.reports.keys import Key
from trellis.model.reports.report import Chart


@dataclass(frozen=True)
class ForecastSpec:
    """`roll_up`: people's numbers go up to their managers. `adjust`: what managers add, kept apart."""

    roll_up: bool = False
    adjust: TargetSpec | None = None


@kind("forecast")
def forecast(draft: ReportDraft) -> dict[str, Any]:
    """Periods and groups × forecast categories."""
    name = next((f for f in draft.ctx.drafts[draft.entity].fields if f.endswith("forecast_category")), None)
    if name is None:
        hint = "give the stages of its pipeline `forecast:`"
        draft.ctx.problem(
            "E330", phrase("'{name}' has no forecast categories", name=draft.entity), draft.item, hint, at_key=True
        )
        return {}
    label = draft.ctx.translated("Forecast category", "system.reports.category.label")
    category = Key("category", label, compile_formula(name, draft.scope()))
    key = draft.period_key()
    groups = draft.keys("group")
    return {
        "groups": (*([key] if key is not None else []), *groups),
        "across": (category,),
        "measures": draft.measures(),
        "sort": draft.sort(),
        "chart": draft.chart() or Chart("bar"),
        "spec": _forecast_spec(draft, (*([key] if key is not None else []), *groups)),
        "known": ("category", "closed", "commit", "best_case", "pipeline"),
    }


def _forecast_spec(draft: ReportDraft, groups: tuple[Key, ...]) -> ForecastSpec:
    roll_up, adjust = draft.item.get("roll_up"), draft.item.get("adjust")
    last = groups[-1].type if groups else None
    if roll_up is not None and roll_up.data is True and (last is None or last.entities != ("user",)):
        draft.ctx.problem("E330", "people are rolled up: the last group is no person", roll_up, "group: [owner]")
        return ForecastSpec()
    found = matched(draft, adjust, groups) if adjust is not None else None
    return ForecastSpec(roll_up is not None and roll_up.data is True, found)
