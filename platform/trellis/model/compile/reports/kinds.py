"""What each kind of report is written with; the part that runs has the same name in reports/kinds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trellis.config.phrase import phrase
from trellis.formula.formula import Formula, compile_formula
from trellis.model.compile.formulas import formula
from trellis.model.compile.item import Item
from trellis.model.compile.reports.draft import ReportDraft
from trellis.model.reports.keys import AgeKey, Key, PeriodKey
from trellis.model.reports.report import Chart, Condition, Measure
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
        "date": draft.formula("date", "date", "datetime"),
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


@dataclass(frozen=True)
class ForecastSpec:
    """`roll_up`: people's numbers go up to their managers. `adjust`: what managers add, kept apart."""

    roll_up: bool = False
    adjust: TargetSpec | None = None


def _forecast_spec(draft: ReportDraft, groups: tuple[Key, ...]) -> ForecastSpec:
    roll_up, adjust = draft.item.get("roll_up"), draft.item.get("adjust")
    last = groups[-1].type if groups else None
    if roll_up is not None and roll_up.data is True and (last is None or last.entities != ("user",)):
        draft.ctx.problem("E330", "people are rolled up: the last group is no person", roll_up, "group: [owner]")
        return ForecastSpec()
    matched = _matched(draft, adjust, groups) if adjust is not None else None
    return ForecastSpec(roll_up is not None and roll_up.data is True, matched)


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


@dataclass(frozen=True)
class CohortSpec:
    """What brings a cohort back: records of `entity`, each of somebody, at some time."""

    entity: str
    came: Key
    period: Key
    count: Formula
    periods: int
    filter: Condition | None = None

    def name(self, number: int) -> Text:
        """What a column is called: 0 is the period in which they came."""
        return Text(str(number))


@kind("cohort")
def cohort(draft: ReportDraft) -> dict[str, Any]:
    """Cohorts × periods since."""
    keys = draft.keys("cohort", required=True)
    key, event = (keys[0] if keys else None), draft.item.get("event")
    if event is None:
        draft.ctx.problem("E204", "'event' is missing: what brings somebody back", draft.item, at_key=True)
    if key is None or event is None:
        return {}
    if not isinstance(key, PeriodKey):
        draft.ctx.problem("E405", "a cohort is a period, such as month(created_at)", draft.item.get("cohort") or event)
        return {}
    entity = draft.names.entity(event.get("entity"))
    by = draft.formula("by", "record", entity=entity, item=event) if entity else None
    at = draft.formula("at", "date", "datetime", entity=entity, item=event) if entity else None
    if entity is None or by is None or at is None:
        return {}
    came = draft.over(by, key.formula, entity, event.get("by") or event)
    if came is None:
        return {}
    periods = draft.item.get("periods")
    count = draft.measure_of(f"count_distinct({by.source})", entity)
    spec = CohortSpec(
        entity,
        PeriodKey("came", key.label, came, key.unit),
        PeriodKey("at", key.label, at, key.unit),
        count,
        periods.data if periods is not None and isinstance(periods.data, int) else 12,
        draft.condition("filter", entity=entity, item=event),
    )
    return {"groups": (key,), "measures": (draft.count(),), "spec": spec, "known": ("cohort", "size")}


@dataclass(frozen=True)
class RfmSpec:
    """How customers are told apart."""

    scale: str
    thresholds: Mapping[str, list[Decimal]]


@kind("rfm")
def rfm(draft: ReportDraft) -> dict[str, Any]:
    """Customers by recency, frequency and money."""
    found = {word: draft.item.get(word) for word in ("by", "at", "amount")}
    for word, item in found.items():
        if item is None:
            draft.ctx.problem("E204", phrase("'{name}' is missing", name=word), draft.item, at_key=True)
    by, at = draft.formula("by", "record"), draft.formula("at", "date", "datetime")
    amount = draft.formula("amount", "money", "number")
    if by is None or at is None or amount is None:
        return {}
    measures = {"last": f"max({at.source})", "times": "count()", "worth": f"sum({amount.source})"}
    limits = draft.item.get("thresholds")
    thresholds = {
        key: [Decimal(str(n.data)) for n in each.each() if isinstance(n.data, int | float | Decimal)]
        for key, each in (limits.entries() if limits is not None else ())
    }
    return {
        "groups": (Key("by", Text("by"), by),),
        "measures": tuple(Measure(k, Text(k), draft.measure_of(f, draft.entity)) for k, f in measures.items()),
        "spec": RfmSpec(draft.item.word("scale", "quintiles"), thresholds),
        "known": ("segment", "customers", "share", "recency", "frequency", "mean", "worth"),
    }


@dataclass(frozen=True)
class TargetSpec:
    """Where targets are, and how they meet the report's groups."""

    entity: str
    keys: tuple[Key, ...]
    value: Formula
    filter: Condition | None = None


def _matched(draft: ReportDraft, item: Item, groups: tuple[Key, ...]) -> TargetSpec | None:
    """Records of another entity that meet the report's groups; None (and a problem) where they do not."""
    entity = draft.names.entity(item.get("entity"))
    written = item.get("value")
    if entity is None or written is None:
        return None
    value = formula(draft.ctx, written, draft.measure_scope(entity))
    match = item.get("match")
    keys: list[Key] = []
    given = dict(match.entries()) if match is not None else {}
    for group in groups:
        source = group.formula.source.strip()
        whole = f"{group.period.name}({source})" if group.period is not None else source
        at = given.get(group.key) or given.get(whole) or given.get(source)
        if at is None:
            hint = phrase("match: {{{group}: …}} says which field of {entity} it meets", group=group.key, entity=entity)
            draft.ctx.problem(
                "E330", phrase("'{group}' meets nothing of {entity}", group=group.key, entity=entity), item, hint
            )
            continue
        found = formula(draft.ctx, at, draft.scope(entity))
        if found is None:
            continue
        if group.period is not None and found.type.kind in ("date", "datetime"):
            keys.append(PeriodKey(group.key, group.label, found, group.period))
        else:
            keys.append(Key(group.key, group.label, found))
    if value is None or len(keys) != len(groups):
        return None
    condition = draft.condition("filter", entity=entity, item=item)
    return TargetSpec(entity, tuple(keys), value, condition)


@kind("target")
def target(draft: ReportDraft) -> dict[str, Any]:
    """Groups × reached and wanted."""
    item = draft.item.get("target")
    groups = draft.keys("group", required=True)
    if item is None:
        draft.ctx.problem("E204", "'target' is missing", draft.item, at_key=True)
        return {}
    spec = _matched(draft, item, groups)
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
