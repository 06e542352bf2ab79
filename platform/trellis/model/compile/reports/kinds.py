"""What each kind of report is written with; the part that runs has the same name in reports/kinds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from trellis.formula.formula import Formula, compile_formula
from trellis.model.compile.reports.draft import ReportDraft
from trellis.model.reports.keys import AgeKey, Key
from trellis.model.text import Text

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


@kind("table")
def table(draft: ReportDraft) -> dict[str, Any]:
    """Columns of the records themselves."""
    columns = draft.columns()
    if not columns and draft.item.get("columns") is None:
        draft.ctx.problem("E204", "'columns' is missing: a table needs columns", draft.item, at_key=True)
    totals = draft.totals(columns)
    return {"columns": columns, "sort": draft.sort(), "limit": draft.limit(), "totals": totals}


KINDS["list"] = table


@kind("pivot")
def pivot(draft: ReportDraft) -> dict[str, Any]:
    """Rows × columns."""
    return {
        "groups": draft.keys("rows", required=True),
        "across": draft.keys("columns"),
        "measures": draft.measures(),
        "sort": draft.sort(),
        "chart": draft.chart(),
    }


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


@kind("forecast")
def forecast(draft: ReportDraft) -> dict[str, Any]:
    """Periods and groups × forecast categories."""
    name = next((f for f in draft.ctx.drafts[draft.entity].fields if f.endswith("forecast_category")), None)
    if name is None:
        hint = "give the stages of its pipeline `forecast:`"
        draft.ctx.problem("E330", f"'{draft.entity}' has no forecast categories", draft.item, hint, at_key=True)
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
        "chart": draft.chart(),
        "known": ("category", "closed", "commit", "best_case", "pipeline"),
    }


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
            draft.ctx.problem("E330", f"'{draft.entity}' has no such pipeline", at, at_key=key is None)
        return {}
    field = found[1].word("field", "stage")
    stage = Key(field, Text("Stage"), compile_formula(field, draft.scope()))
    spec = FunnelSpec(found[0], draft.item.word("mode", "snapshot"), draft.formula("amount", "money", "number"))
    known = ("stage", "reached", "worth", "step", "overall", "lost", "open", "time")
    return {"groups": (stage,), "measures": draft.measures(), "chart": draft.chart(), "spec": spec, "known": known}
