"""The calendar of a view: a month of days with the records that fall on them; and the places of a map view."""

from __future__ import annotations

from calendar import Calendar
from dataclasses import dataclass
from dataclasses import field as dc_field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from babel.dates import format_date, get_day_names
from flask import render_template, request
from markupsafe import Markup, escape

from trellis.formula.types import Location
from trellis.model.view import Sort
from trellis.web.cells.column import column_for, columns_for, kind_of, resolve
from trellis.web.cells.markup import color_of
from trellis.web.cells.numbers import locale_of
from trellis.web.cells.options import options_of
from trellis.web.lists.grid import cell_context, record_address

if TYPE_CHECKING:
    from collections.abc import Callable

    from trellis.records.record import Record
    from trellis.web.lists.desk import Desk

MOST = 600  # records on one sheet
PLACES = 200
STATUS_COLORS = {"open": "blue", "won": "green", "done": "green", "lost": "red", "cancelled": "gray"}


@dataclass
class Day:
    """A day of the sheet."""

    day: date
    is_outside: bool
    is_today: bool
    label: str
    entries: list[Markup] = dc_field(default_factory=list)


def calendar_page(desk: Desk) -> str:
    """A month: `?month=2026-11`, this one unless said."""
    store, entity, view = desk.store, desk.entity, desk.state.view
    reader = store.principal.reader
    start = view.start or next((f.key for f in entity.fields.values() if f.type.name in ("date", "datetime")), None)
    if start is None or start not in store.readable_fields(entity.key):
        return render_template(
            "calendar.html",
            **desk.places,
            counted_short="",
            weeks=[],
            names=[],
            month="",
            before="",
            after="",
            more=0,
        )
    today = reader.today()
    first = _month(request.args.get("month", ""), today)
    locale = locale_of(reader.language)
    sheet = Calendar(locale.first_week_day).monthdatescalendar(first.year, first.month)
    low, high = sheet[0][0], sheet[-1][-1]
    is_moment = entity.fields[start].type.name == "datetime"
    path = f"date({start})" if is_moment else start
    where = [
        *desk.state.formulas(reader),
        f"{path} between (date({low.year}, {low.month}, {low.day}), date({high.year}, {high.month}, {high.day}))",
    ]
    color = view.color if view.color and resolve(store.tenant.model, entity, view.color) else None
    paths = [start, *([color] if color else [])]
    page = store.list(entity.key, columns=paths, where=where, q=desk.state.q or None, sort=(Sort(start),), limit=MOST)
    days = {
        day: Day(day, day.month != first.month, day == today, str(format_date(day, "full", locale=locale)))
        for week in sheet
        for day in week
    }
    entry = _entry_maker(desk, start, color)
    for record in page.rows:
        value = record[start]
        day = value.astimezone(reader.time_zone).date() if isinstance(value, datetime) else value
        if day in days:
            days[day].entries.append(entry(record))
    names = get_day_names("abbreviated", locale=locale)
    return render_template(
        "calendar.html",
        **desk.places,
        counted_short="",
        weeks=[[days[day] for day in week] for week in sheet],
        names=[names[(locale.first_week_day + i) % 7] for i in range(7)],
        month=format_date(first, "LLLL yyyy", locale=locale),
        before=f"{(first - timedelta(days=1)):%Y-%m}",
        after=f"{(first + timedelta(days=32)):%Y-%m}",
        more=page.next is not None,
    )


def _month(text: str, today: date) -> date:
    try:
        month = datetime.strptime(text, "%Y-%m").date()
    except ValueError:
        return today.replace(day=1)
    return month if 1900 <= month.year <= 2200 else today.replace(day=1)


def _entry_maker(desk: Desk, start: str, color: str | None) -> Callable[[Record], Markup]:
    """How a record stands on its day: the hour where there is one, a dot of its colour, the title."""
    store, entity = desk.store, desk.entity
    reader = store.principal.reader
    colors = dict(STATUS_COLORS)
    if color:
        end = resolve(store.tenant.model, entity, color)
        if end:
            colors |= {o.key: o.color for o in options_of(store.tenant.model, end[0], end[1], reader).values()}

    def entry(record: Record) -> Markup:
        shade = "blue"
        if color and (value := record[color]) is not None:
            key = str(getattr(value, "id", value))
            shade = colors.get(key) or color_of(key)
        value = record[start]
        hour = (
            f'<span class="t-num t-3rd">{value.astimezone(reader.time_zone):%H:%M}</span>'
            if isinstance(value, datetime)
            else ""
        )
        title = escape(record.title or "—")
        href = record_address(entity.key, record.id)
        return Markup(
            f'<a class="t-cal-entry c-{shade}" href="{href}" title="{title}"><span class="t-dot"></span>'
            f'{hour}<bdi class="t-cut">{title}</bdi></a>'
        )

    return entry


def map_page(desk: Desk) -> str:
    """The places of a map view: a list, each with a way to an outside map."""
    store, entity, view = desk.store, desk.entity, desk.state.view
    reader = store.principal.reader
    path = view.location or next(
        (f.key for f in entity.fields.values() if f.type.name in ("location", "address")), None
    )
    column = column_for(cell_context(store, entity), path) if path else None
    if path is None or column is None or path.partition(".")[0] not in store.readable_fields(entity.key):
        return render_template("map.html", **desk.places, counted_short="", places=[], more=False)
    extra = columns_for(cell_context(store, entity), [p for p in view.columns if p != path][:3])
    where = [*desk.state.formulas(reader), f"not is_blank({path})"]
    page = store.list(
        entity.key,
        columns=[path, *(c.path for c in extra)],
        where=where,
        q=desk.state.q or None,
        sort=desk.state.sorting,
        limit=PLACES,
    )
    places = [
        {
            "title": record.title,
            "href": record_address(entity.key, record.id),
            "where": column.field.type.display(record[path], reader),
            "map": _map_query(record[path], column.field.type.display(record[path], reader)),
            "cells": [Markup(c.html(record[c.path])) for c in extra if kind_of(c) != "user"],
        }
        for record in page.rows
    ]
    return render_template("map.html", **desk.places, counted_short="", places=places, more=page.next is not None)


def _map_query(value: object, text: str) -> str:
    if isinstance(value, Location):
        return f"{value.latitude},{value.longitude}"
    return ", ".join(line for line in text.splitlines() if line)
