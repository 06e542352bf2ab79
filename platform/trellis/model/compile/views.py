"""Views and named filters of an entity; `all` is there without being written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trellis.model.compile.context import Context, humanize
from trellis.model.compile.drafts import EntityDraft
from trellis.model.compile.formulas import condition
from trellis.model.compile.item import Item
from trellis.model.compile.paths import check_path
from trellis.model.compile.types import Types
from trellis.model.entity import Filter
from trellis.model.field import Field
from trellis.model.text import Text
from trellis.model.view import Sort, View

TOTALS = ("sum", "avg", "min", "max", "count")
DEFAULT_COLUMNS = 7
_NOT_COLUMNS = {"long_text", "rich_text", "json", "code", "links", "secret", "file", "signature", "reminders"}


def compile_filters(ctx: Context, types: Types, draft: EntityDraft) -> dict[str, Filter]:
    """The named filters."""
    found: dict[str, Filter] = {}
    filters = draft.item.get("filters")
    for key, item in filters.entries() if filters is not None else ():
        compiled = condition(ctx, item.get("filter"), types.scope(draft.key))
        if compiled is not None:
            found[key] = Filter(key, ctx.text(item, "label", humanize(key), draft.ancestors), compiled)
    return found


def compile_views(
    ctx: Context, types: Types, draft: EntityDraft, fields: Mapping[str, Field], title: str | None
) -> dict[str, View]:
    """The views in order; the first is the default."""
    found: dict[str, View] = {}
    columns = default_columns(draft, fields, title)
    views = draft.item.get("views")
    for key, item in views.entries() if views is not None else ():
        if isinstance(item.data, dict):
            found[key] = _view(ctx, types, draft, key, item, columns)
    if "all" not in found:
        label = ctx.translated("All", f"{draft.item.root}.views.all.label", "system.views.all.label")
        sort = (Sort("created_at", descending=True),)
        found["all"] = View("all", "list", label, columns=columns, sort=sort)
    return found


def _view(ctx: Context, types: Types, draft: EntityDraft, key: str, item: Item, default: tuple[str, ...]) -> View:
    kind: Any = item.word("type", "list")
    columns = _paths(ctx, types, draft, item, "columns", what="column")
    if kind == "list" and not columns:
        columns = default
    for word in ("group", "start", "end", "all_day", "color", "location"):
        if (path := item.get(word)) is not None:
            check_path(ctx, types, draft, path, path.text)
    if kind == "kanban" and item.get("group") is None:
        ctx.problem("E204", "'group' is missing: a board needs a field to group by", item, at_key=True)
    if kind == "calendar" and item.get("start") is None:
        ctx.problem("E204", "'start' is missing: a calendar needs a date", item, at_key=True)
    if kind == "map" and item.get("location") is None:
        ctx.problem("E204", "'location' is missing: a map needs an address or location", item, at_key=True)
    _check_roles(ctx, item.get("roles"))
    return View(
        key=key,
        type=kind,
        label=ctx.text(item, "label", humanize(key), draft.ancestors) or Text(humanize(key)),
        filter=condition(ctx, item.get("filter"), types.scope(draft.key)),
        sort=sorts(ctx, types, draft, item.get("sort")),
        columns=_with_placed(draft, key, columns),
        totals=_totals(ctx, types, draft, item.get("totals")),
        group=item.word("group") or None,
        card=_paths(ctx, types, draft, item, "card", "field"),
        hide=item.words("hide"),
        start=item.word("start") or None,
        end=item.word("end") or None,
        all_day=item.word("all_day") or None,
        color=item.word("color") or None,
        location=item.word("location") or None,
        roles=item.words("roles"),
        icon=item.word("icon") or None,
    )


def _paths(ctx: Context, types: Types, draft: EntityDraft, item: Item, key: str, what: str) -> tuple[str, ...]:
    listed = item.get(key)
    if listed is None:
        return ()
    return tuple(i.text for i in listed.each() if i.text and check_path(ctx, types, draft, i, i.text, what=what))


def _with_placed(draft: EntityDraft, view: str, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Columns that fields of later layers put into the views: `place: {column: {after: amount}}`."""
    listed = list(columns)
    for field in draft.fields.values():
        place = field.item.get("place")
        column = place.get("column") if place is not None else None
        if column is None or field.key in listed or not listed:
            continue
        views = column.words("views")
        if views and view not in views:
            continue
        after, before = column.word("after"), column.word("before")
        if after in listed:
            listed.insert(listed.index(after) + 1, field.key)
        elif before in listed:
            listed.insert(listed.index(before), field.key)
        elif view in views:
            listed.append(field.key)
    return tuple(listed)


def sorts(ctx: Context, types: Types, draft: EntityDraft, item: Item | None) -> tuple[Sort, ...]:
    """Sort keys: `[close_date, -amount]`."""
    found = []
    for each in item.each() if item is not None else ():
        path = each.text.removeprefix("-")
        if path and check_path(ctx, types, draft, each, path):
            found.append(Sort(path, each.text.startswith("-")))
    return tuple(found)


def _totals(ctx: Context, types: Types, draft: EntityDraft, item: Item | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in item.entries() if item is not None else ():
        if not check_path(ctx, types, draft, value.key(key), key):
            continue
        if value.text in TOTALS:  # of another word the check of shapes has told
            found[key] = value.text
    return found


def _check_roles(ctx: Context, item: Item | None) -> None:
    for role in item.each() if item is not None else ():
        if role.text not in ctx.roles:
            ctx.unknown("role", role, ctx.roles, "E313")


def default_columns(draft: EntityDraft, fields: Mapping[str, Field], title: str | None) -> tuple[str, ...]:
    """Columns for a list that names none: the title, then the first fields that show well in a list."""
    names = [title] if title else []
    for key, field in fields.items():
        if key == title or field.system or "list" in field.hidden or field.type.name in _NOT_COLUMNS:
            continue
        if key in ("checklist", "probability", "is_stuck", "pipeline"):
            continue
        names.append(key)
    return tuple(names[:DEFAULT_COLUMNS]) or ("id",)
