"""Dashboards."""

from __future__ import annotations

from trellis.model.compile.context import Context
from trellis.model.compile.item import Item
from trellis.model.compile.names import Names
from trellis.model.compile.types import Types


def check_dashboard(ctx: Context, types: Types, key: str, item: Item) -> None:
    """A dashboard: its reports, views and roles exist; its widgets fit twelve columns."""
    names = Names(ctx, types)
    names.roles(item.get("roles"))
    widgets = item.get("widgets")
    for _, widget in widgets.entries() if widgets is not None else ():
        for word in ("number", "chart", "table", "funnel", "gauge"):
            names.document(widget.get(word), "report")
        entity = _list(names, widget.get("list") or widget.get("calendar"))
        if entity is not None:
            names.conditions(widget, types.scope(entity), "filter")
        at = widget.get("at")
        if (
            at is not None
            and isinstance(at.data, list)
            and len(at.data) == 4
            and all(isinstance(n, int) for n in at.data)
        ):
            x, _, width, height = at.data
            if x < 0 or width < 1 or height < 1 or x + width > 12:
                ctx.problem("E208", "does not fit into 12 columns", at, "[x, y, width, height]")


def _list(names: Names, item: Item | None) -> str | None:
    if item is None or not isinstance(item.data, str):
        return None
    entity, _, view = item.text.partition(".")
    draft = names.ctx.drafts.get(entity)
    if draft is None:
        names.ctx.unknown("entity", item, names.ctx.drafts, name=entity)
        return None
    views = draft.item.get("views")
    known = {"all", *(k for k, _ in (views.entries() if views is not None else ()))}
    if view and view not in known:
        names.ctx.unknown("view", item, known, "E316", name=view)
    return entity
