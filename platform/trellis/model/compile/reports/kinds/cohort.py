"""Who comes again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trellis.formula.formula import Formula
from trellis.model.compile.reports.draft import ReportDraft
from trellis.model.compile.reports.kinds.registry import kind
from trellis.model.reports.keys import Key, PeriodKey
from trellis.model.reports.report import Condition
from trellis.model.text import Text


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
