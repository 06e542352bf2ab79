"""What a report groups by, as it is written: a field, a part of a date, ranges, a level of a tree."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from trellis.config.phrase import phrase
from trellis.formula.formula import Formula
from trellis.model.compile.formulas import formula, part
from trellis.model.compile.item import Item
from trellis.model.compile.reports.labels import label_of_part
from trellis.model.compile.reports.sources import call_of, source_of
from trellis.model.reports.keys import GROUPED, BandKey, Key, LevelKey, PeriodKey
from trellis.model.reports.periods import PERIODS
from trellis.model.text import Text

if TYPE_CHECKING:
    from trellis.model.compile.reports.draft import ReportDraft


def key_of(draft: ReportDraft, name: str | None, each: Item, entity: str | None) -> Key | None:
    """What is grouped by; None (and a problem) where that cannot be."""
    written = each.get("formula") if isinstance(each.data, dict) else each
    if written is None:
        return None
    source, start = source_of(written)
    call = call_of(source)
    unit = PERIODS.get(call.name) if call is not None and len(call.args) == 1 else None
    if unit is not None and call is not None:
        inner = call.args[0]
        value = part(draft.ctx, written, start + inner.start, start + inner.end, draft.scope(entity))
        if value is None or value.type.kind not in ("date", "datetime"):
            if value is not None:
                message = phrase(
                    "{unit}(…) groups by a date or a moment, not by a {type}", unit=unit.name, type=value.type
                )
                draft.ctx.problem("E405", message, written)
            return None
        key = name or source.strip()
        return PeriodKey(key, label_of_part(draft, each, name, value, entity), value, unit)
    value = formula(draft.ctx, written, draft.scope(entity))
    if value is None:
        return None
    if value.type.kind not in (*GROUPED, "any"):
        hint = "group by a part of it, or by a field of what it points to"
        draft.ctx.problem("E405", phrase("cannot group by a {type}", type=value.type), written, hint)
        return None
    key, label = name or source.strip(), label_of_part(draft, each, name, value, entity)
    if isinstance(each.data, dict) and (bands := each.get("bands")) is not None:
        return _bands(draft, key, label, value, bands)
    if isinstance(each.data, dict) and (level := each.get("level")) is not None:
        return _level(draft, key, label, value, level)
    if value.type.kind == "datetime":
        return PeriodKey(key, label, value, PERIODS["day"])
    return Key(key, label, value)


def _bands(draft: ReportDraft, key: str, label: Text, value: Formula, item: Item) -> Key | None:
    if value.type.kind not in ("number", "money"):
        draft.ctx.problem("E405", phrase("ranges are of numbers or money, not of a {type}", type=value.type), item)
        return None
    bounds = [Decimal(str(n.data)) for n in item.each() if isinstance(n.data, int | float | Decimal)]
    if bounds != sorted(set(bounds)):
        draft.ctx.problem("E214", "the bounds of ranges go upwards", item)
    return BandKey(key, label, value, tuple(bounds))


def _level(draft: ReportDraft, key: str, label: Text, value: Formula, item: Item) -> Key | None:
    entities = value.type.entities
    parent = draft.scope().tree(entities[0]) if value.type.kind == "record" and len(entities) == 1 else None
    if parent is None:
        hint = "a link to an entity with a link `tree: true`"
        draft.ctx.problem("E405", phrase("a level is of a tree, not of a {type}", type=value.type), item, hint)
        return None
    return LevelKey(key, label, value, int(item.data) if isinstance(item.data, int) else 1, parent)
