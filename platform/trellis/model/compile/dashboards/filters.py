"""What a reader may narrow a dashboard by."""

from __future__ import annotations

from datetime import date

from trellis.model.compile.context import Context, humanize
from trellis.model.compile.item import Item
from trellis.model.compile.names import Names
from trellis.model.compile.reports.draft import ReportDraft
from trellis.model.compile.types import Types
from trellis.model.dashboards.dashboard import DashboardFilter
from trellis.model.dashboards.reach import RANGE
from trellis.model.dashboards.spans import NAMES, read_span
from trellis.model.field import Field
from trellis.model.reports.report import Param


def compile_filters(ctx: Context, types: Types, names: Names, item: Item) -> dict[str, DashboardFilter]:
    """The filters of a dashboard."""
    found: dict[str, DashboardFilter] = {}
    written = item.get("filters")
    for key, each in written.entries() if written is not None else ():
        if not isinstance(each.data, dict):
            continue
        type_ = each.word("type")
        label = ctx.text(each, "label", humanize(key))
        fields = _fields(names, each)
        if type_ == RANGE:
            found[key] = DashboardFilter(key, type_, label, None, _default(ctx, each), fields)
            continue
        made = types.make(each, "", key)
        if made is None:
            continue
        default = ReportDraft(ctx, types, item, "", names).default(each.get("default"), made)
        found[key] = DashboardFilter(
            key, type_, label, Param(key, Field(key, made, label, default=default)), None, fields
        )
    return found


def _default(ctx: Context, each: Item) -> str | None:
    """The name of a period, or its days."""
    written = each.get("default")
    if written is None:
        return None
    if read_span(written.text, date(2000, 1, 1)) is None:
        ctx.unknown("period", written, NAMES)
    return written.text


def _fields(names: Names, each: Item) -> dict[str, str]:
    """By entity, the field that is meant: one for all, or a mapping."""
    written = each.get("field")
    if written is None:
        return {}
    if not isinstance(written.data, dict):
        return {"": written.text}
    found = {}
    for entity, path in written.entries():
        if names.entity(path.key(entity)) is not None:
            names.fields(path, entity)
            found[entity] = path.text
    return found
