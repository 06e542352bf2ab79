"""Compiles dashboards: every report, view, role and formula looked up, every widget in its place on the grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from trellis.config.phrase import phrase
from trellis.config.problem import Problem
from trellis.model.compile.context import Context, humanize
from trellis.model.compile.dashboards.draft import WidgetDraft
from trellis.model.compile.dashboards.filters import compile_filters
from trellis.model.compile.dashboards.places import placed
from trellis.model.compile.item import Item
from trellis.model.compile.names import Names
from trellis.model.compile.reports.mailing import compile_mailing
from trellis.model.compile.types import Types
from trellis.model.dashboards.dashboard import Dashboard, DashboardFilter, Widget
from trellis.model.dashboards.kinds import KINDS
from trellis.model.dashboards.reach import reach
from trellis.model.durations import read_duration
from trellis.model.entity import Entity
from trellis.model.reports.report import Report

LEAST_REFRESH = 10  # seconds: more often is of no use to who looks, and dear for the database


def compile_dashboards(
    ctx: Context, types: Types, entities: Mapping[str, Entity], reports: Mapping[str, Report]
) -> dict[str, Dashboard]:
    """Every dashboard of the configuration."""
    found = {}
    for key, document in ctx.configuration.of("dashboard").items():
        item = Item(dict(document.data), document.place, "", document.name)
        found[key] = compile_dashboard(ctx, types, key, item, entities, reports)
    return found


def compile_dashboard(
    ctx: Context,
    types: Types,
    key: str,
    item: Item,
    entities: Mapping[str, Entity],
    reports: Mapping[str, Report],
    *,
    is_own: bool = False,
) -> Dashboard:
    """One dashboard. Of one that somebody has made, a widget that fits no more stays, with why."""
    names = Names(ctx, types)
    names.roles(item.get("roles"))
    filters = compile_filters(ctx, types, names, item)
    widgets: dict[str, Widget] = {}
    drafts: list[WidgetDraft] = []
    written = item.get("widgets")
    for name, each in written.entries() if written is not None else ():
        kind = next((k for k in KINDS if isinstance(each.data, dict) and k in each.data), None)
        if kind is None:  # the check of shapes has said so
            continue
        draft = WidgetDraft(ctx, types, names, each, kind, entities, reports, filters)
        before = len(ctx.problems)
        made = KINDS[kind].compile(draft)
        widgets[name] = draft.widget(name, made)
        if is_own:
            widgets[name] = _kept(widgets[name], draft, [p for p in ctx.problems[before:] if p.is_error])
        drafts.append(draft)
    for name, place in placed(ctx, widgets, {n: d.item for n, d in zip(widgets, drafts, strict=True)}).items():
        widgets[name] = replace(widgets[name], at=place)
    if not is_own:
        _check_reach(ctx, item, filters, widgets, entities, reports)
    return Dashboard(
        key=key,
        label=ctx.text(item, "label", humanize(key)),
        icon=item.word("icon", "layout-dashboard"),
        description=ctx.text(item, "description"),
        roles=item.words("roles"),
        filters=filters,
        widgets=widgets,
        refresh=_refresh(item),
        is_own=is_own,
        mail=compile_mailing(ctx, names, item),
    )


def _kept(widget: Widget, draft: WidgetDraft, problems: Sequence[Problem]) -> Widget:
    """A widget with what is wrong with it; a report that is gone, or not for the reader, is told when it is asked."""
    written = draft.item.get(widget.kind)
    if draft.asks_report and written is not None and written.text not in draft.reports:
        return replace(widget, report=written.text)
    return replace(widget, wrong=problems[0].message) if problems else widget


def _refresh(item: Item) -> int | None:
    length = read_duration(item.word("refresh")) if item.get("refresh") is not None else None
    return None if length is None else max(int(length.total_seconds()), LEAST_REFRESH)


def _check_reach(
    ctx: Context,
    item: Item,
    filters: Mapping[str, DashboardFilter],
    widgets: Mapping[str, Widget],
    entities: Mapping[str, Entity],
    reports: Mapping[str, Report],
) -> None:
    """A filter that changes nothing on the page would only mislead."""
    written = item.get("filters")
    for key, each in written.entries() if written is not None else ():
        narrowed = filters.get(key)
        if narrowed is None or ctx.has_problem_in(item):
            continue
        if not any(reach(narrowed, w, reports, entities) for w in widgets.values()):
            hint = "`date:` in a report is what a date range means; `field:` here says which field is meant"
            message = phrase("no widget can be narrowed by '{name}'", name=key)
            ctx.problem("W630", message, each, hint, at_key=True)
