"""Reports and dashboards."""

from __future__ import annotations

import re

from trellis.formula.types import ANY, Type
from trellis.model.compile.names import Names
from trellis.model.compile.context import Context
from trellis.model.compile.formulas import formula, part
from trellis.model.compile.item import Item
from trellis.model.compile.scope import EntityScope
from trellis.model.compile.types import Types

_MEASURE = re.compile(r"\s*=?\s*(count|sum|avg|min|max|count_distinct|first|last|any|all)\((.*)\)\s*\Z", re.DOTALL)


def check_report(ctx: Context, types: Types, key: str, item: Item) -> None:
    """A report: what it groups, measures and filters exists on its entity."""
    names = Names(ctx, types)
    pipeline = item.get("pipeline")
    names.document(pipeline, "pipeline")
    names.roles(item.get("roles"))
    written = item.get("entity")
    entity = names.entity(written)
    if written is None and pipeline is not None:
        document = ctx.configuration.of("pipeline").get(pipeline.text)
        entity = str(document.data.get("entity")) if document is not None else None
    if written is None and pipeline is None:
        ctx.problem("E204", "'entity' is missing", item, at_key=True)
    if entity not in ctx.drafts:
        return
    scope = types.scope(entity, **_params(names, item.get("params"), entity))
    names.conditions(item, scope, "filter")
    for word in ("date", "cohort", "age", "by", "at", "amount"):
        formula(ctx, item.get(word), scope)
    for word in ("group", "rows", "columns"):
        _groups(ctx, item.get(word), scope)
    _measures(ctx, item.get("measures"), scope)
    _names_of_result(ctx, item, entity)


def _params(names: Names, params: Item | None, entity: str | None) -> dict[str, Type]:
    found: dict[str, Type] = {}
    for key, each in params.entries() if params is not None else ():
        made = (
            names.types.make(each, entity or "", key)
            if isinstance(each.data, dict) and each.word("type") != "date_range"
            else None
        )
        found[f"param.{key}"] = made.formula_type() if made is not None else ANY
    return found


def _groups(ctx: Context, item: Item | None, scope: EntityScope) -> None:
    if item is None:
        return
    entries = [i for _, i in item.entries()] if isinstance(item.data, dict) else list(item.each())
    for each in entries:
        formula(ctx, each.get("formula") if isinstance(each.data, dict) else each, scope)


def _measures(ctx: Context, item: Item | None, scope: EntityScope) -> None:
    for _, each in item.entries() if item is not None else ():
        written = each.get("formula") if isinstance(each.data, dict) else each
        match = _MEASURE.match(written.text) if written is not None else None
        if written is None or match is None or not match.group(2).strip():
            continue
        inner = match.group(2)
        if "," not in inner and inner.count("(") == inner.count(")"):
            part(ctx, written, match.start(2), match.end(2), scope)


def _names_of_result(ctx: Context, item: Item, entity: str) -> None:
    """`sort` and `chart` name columns of the result."""
    if (
        item.get("columns") is not None
        or item.get("rows") is not None
        or item.word("type") in ("cohort", "rfm", "funnel")
    ):
        return
    known = {k for word in ("group", "measures") if (found := item.get(word)) is not None for k, _ in found.entries()}
    group = item.get("group")
    if group is not None and not isinstance(group.data, dict):
        known |= {i.text for i in group.each()}
    chart, sort = item.get("chart"), item.get("sort")
    wanted = list(sort.each()) if sort is not None else []
    for word in ("x", "y", "stack", "color"):
        if chart is not None and (found := chart.get(word)) is not None:
            wanted += list(found.each())
    for each in wanted:
        name = each.text.removeprefix("-")
        if known and name not in known and "(" not in name:
            ctx.unknown("column of the report", each, known, "E319", name=name)


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
