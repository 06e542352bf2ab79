"""What a part of a report is called where nothing is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trellis.formula.formula import Formula
from trellis.formula.nodes.paths import Member
from trellis.model.compile.context import humanize
from trellis.model.compile.item import Item
from trellis.model.reports.union import COMMON, KIND
from trellis.model.text import Text

if TYPE_CHECKING:
    from trellis.model.compile.reports.draft import ReportDraft


def label_of_part(draft: ReportDraft, each: Item, name: str | None, value: Formula, entity: str | None) -> Text:
    """What is written, else a translation, else what the field is called."""
    if isinstance(each.data, dict) and each.get("label") is not None:
        return draft.ctx.text(each, "label")
    path = f"{each.full_path}.label"
    if path in draft.ctx.translations:
        return draft.ctx.translated(humanize(name or value.source.strip()), path)
    found = _field_label(draft, value, entity)
    if found is None and value.type.kind == "record" and len(value.type.entities) == 1:
        target = draft.ctx.drafts[value.type.entities[0]]
        found = draft.ctx.text(target.item, "label", humanize(target.key), target.ancestors)
    return found or Text(humanize(name or value.source.strip()))


def _field_label(draft: ReportDraft, value: Formula, entity: str | None) -> Text | None:
    node = value.node
    if not isinstance(node, Member):
        return None
    if draft.union is not None and node.having == (COMMON,):
        if node.name == KIND:
            return draft.ctx.translated("Kind", "system.reports.kind.label")
        return next(
            (_field_label(draft, f[node.name], e) for e, f in draft.union.formulas.items() if node.name in f), None
        )
    owner = (node.having or (entity or draft.entity,))[0]
    found = draft.types.field_at(owner, node.name) if owner in draft.ctx.drafts else None
    if found is None:
        return None
    from trellis.model.compile.fields import label_of

    entity_draft = draft.ctx.drafts[owner]
    return label_of(draft.ctx, entity_draft, found)
