"""Records of another entity that meet the groups of a report: targets, adjustments."""

from __future__ import annotations

from dataclasses import dataclass

from trellis.config.phrase import phrase
from trellis.formula.formula import Formula
from trellis.model.compile.formulas import formula
from trellis.model.compile.item import Item
from trellis.model.compile.reports.draft import ReportDraft
from trellis.model.reports.keys import Key, PeriodKey
from trellis.model.reports.report import Condition


@dataclass(frozen=True)
class TargetSpec:
    """Where targets are, and how they meet the report's groups."""

    entity: str
    keys: tuple[Key, ...]
    value: Formula
    filter: Condition | None = None


def matched(draft: ReportDraft, item: Item, groups: tuple[Key, ...]) -> TargetSpec | None:
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
