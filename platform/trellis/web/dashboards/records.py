"""Records on dashboards: lists, the next days, what is new."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from babel.dates import format_date
from flask_babel import gettext as _
from markupsafe import Markup

from trellis.formula.types import Ref
from trellis.model.view import Sort
from trellis.records.refusal import Missing
from trellis.reports.dashboards.seen import is_on
from trellis.web.cells.column import column_for, kind_of, reads_of
from trellis.web.cells.numbers import locale_of
from trellis.web.dashboards.looking import Looking, Values, drawer
from trellis.web.filters.fields import Sight
from trellis.web.lists.grid import cell_context, record_address
from trellis.web.navigation import entity_address

if TYPE_CHECKING:
    from trellis.formula.formula import Formula
    from trellis.model.entity import Entity
    from trellis.model.view import View
    from trellis.web.cells.column import Column

ROWS = 20
COLUMNS = 4
DAYS = 14
NEWS = 12
NARROW = 2  # columns that a narrow widget shows
TELLING = ("money", "date", "datetime", "integer", "decimal", "percent")


@drawer("list")
def records(looking: Looking) -> Values:
    """Records with some columns of the view."""
    store, entity, widget = looking.store, looking.entity, looking.widget
    view = entity.views.get(widget.view or "")
    sight = Sight(store)
    context = cell_context(store, entity)
    columns = tuple(c for path in _paths(looking, entity, view, sight) if (c := column_for(context, path)) is not None)
    read = list(dict.fromkeys(reads_of(columns, partial(sight.path, entity))))
    where = _where(looking, view)
    sort = _sort(looking, entity, view, sight)
    page = store.list(entity.key, columns=read, where=where, sort=sort, limit=widget.limit or ROWS)
    rows = [
        {"href": record_address(entity.key, r.id), "title": r.title or "—", "cells": [Markup(c.of(r)) for c in columns]}
        for r in page.rows
    ]
    return {
        "entity": entity,
        "columns": _heads(columns),
        "rows": rows,
        "told": {entity.key: len(rows)},
        "all": list_address(looking, view) if page.next is not None else "",
    }


def _heads(columns: Sequence[Column]) -> list[dict[str, Any]]:
    """The heads; where there is no room, amounts and days stay, and others give way."""
    kinds = [kind_of(c) for c in columns]
    telling = [n for n, kind in enumerate(kinds) if kind in TELLING] + [
        n for n, k in enumerate(kinds) if k not in TELLING
    ]
    kept = set(telling[:NARROW])
    return [
        {"label": c.label, "is_num": c.is_numeric, "kind": kinds[n], "is_2nd": n not in kept}
        for n, c in enumerate(columns)
    ]


def list_address(looking: Looking, view: View | None) -> str:
    """The list that shows the same records."""
    conditions = " and ".join(f"({f})" for f in looking.narrowed.filters)
    parts = {"view": view.key if view is not None else "all", "where": conditions}
    return entity_address(looking.entity.key) + "?" + urlencode({k: v for k, v in parts.items() if v})


def _where(looking: Looking, view: View | None) -> list[Formula | str]:
    return [*([view.filter] if view is not None and view.filter is not None else []), *looking.narrowed.filters]


def _paths(looking: Looking, entity: Entity, view: View | None, sight: Sight) -> list[str]:
    """The widget's columns, else a few of the view's, without what the title says anyway."""
    wanted = looking.widget.columns
    said = {path[0] for path in entity.title.reads} if entity.title is not None else set()
    said |= {entity.title_field} if entity.title_field else set()
    if not wanted:
        shown = view.columns if view is not None and view.columns else entity.highlights
        wanted = tuple(p for p in shown if p not in said)
    return [p for p in wanted if p not in said and sight.path(entity, p)][: len(looking.widget.columns) or COLUMNS]


def _sort(looking: Looking, entity: Entity, view: View | None, sight: Sight) -> list[Sort]:
    written = [Sort(p.removeprefix("-"), p.startswith("-")) for p in looking.widget.sort]
    return [s for s in written or (view.sort if view is not None else ()) if sight.path(entity, s.path)]


# ── the next days ────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Day:
    """A day with what falls on it."""

    label: str
    is_today: bool
    entries: list[dict[str, Any]]


@drawer("calendar")
def calendar(looking: Looking) -> Values:
    """What falls on the next days, day by day."""
    store, entity = looking.store, looking.entity
    view = entity.views[looking.widget.view or ""]
    start, reader = view.start or "", store.principal.reader
    if not Sight(store).path(entity, start):
        raise Missing(f"field {start}")
    today = reader.today()
    last = today + timedelta(days=(looking.widget.limit or DAYS) - 1)
    path = f"date({start})" if entity.fields[start].type.name == "datetime" else start
    days = (
        f"{path} between (date({today.year}, {today.month}, {today.day}), date({last.year}, {last.month}, {last.day}))"
    )
    page = store.list(entity.key, columns=[start], where=[*_where(looking, view), days], sort=[Sort(start)], limit=60)
    found: dict[date, Day] = {}
    for record in page.rows:
        value = record[start]
        moment = value.astimezone(reader.time_zone) if isinstance(value, datetime) else None
        day = moment.date() if moment is not None else value
        at = found.setdefault(day, Day(day_label(day, today, reader.language), day == today, []))
        time = f"{moment:%H:%M}" if moment is not None else ""
        at.entries.append({"href": record_address(entity.key, record.id), "title": record.title or "—", "time": time})
    told = {entity.key: len(page.rows)}
    return {
        "days": list(found.values()),
        "told": told,
        "entity": entity,
        "all": f"{entity_address(entity.key)}?view={view.key}",
    }


def day_label(day: date, today: date, language: str) -> str:
    """Today, tomorrow, or the day of the week."""
    if day == today:
        return str(_("Today"))
    if day == today + timedelta(days=1):
        return str(_("Tomorrow"))
    return str(
        format_date(day, "EEE d MMM" if not language.startswith("zh") else "M月d日 EEE", locale=locale_of(language))
    )


# ── what is new ──────────────────────────────────────────────────────────────────────────────────────────────


@drawer("feed")
def feed(looking: Looking) -> Values:
    """The newest records of some entities, with who made them."""
    store, widget = looking.store, looking.widget
    model = store.tenant.model
    most = widget.limit or NEWS
    keys = [key for key in widget.entities if store.may("read", key) and is_on(store, key)]
    if not keys:
        raise Missing("feed")
    found = []
    for key in keys:
        entity = model.entities[key]
        sight = Sight(store)
        columns = [p for p in ("created_at", "created_by") if sight.path(entity, p)]
        if "created_at" not in columns:
            continue
        page = store.list(key, columns=columns, sort=[Sort("created_at", descending=True)], limit=most)
        column = column_for(cell_context(store, entity), "created_at")
        for record in page.rows:
            who = record["created_by"] if "created_by" in columns else None
            found.append(
                {
                    "at": record["created_at"],
                    "when": Markup(column.html(record["created_at"])) if column is not None else "",
                    "entity": entity,
                    "title": record.title or "—",
                    "href": record_address(key, record.id),
                    "who": who.title if isinstance(who, Ref) else "",
                    "who_id": str(who.id) if isinstance(who, Ref) else "",
                }
            )
    found.sort(key=lambda one: one["at"], reverse=True)
    shown = found[:most]
    return {"news": shown, "told": Counter(one["entity"].key for one in shown)}
