"""`calendar:` documents, resolved: hours by weekday, holidays and made-up days by date."""

from __future__ import annotations

import hashlib
import re
from calendar import isleap
from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from trellis.config.phrase import phrase
from trellis.config.problem import did_you_mean
from trellis.formula.business import DAY, FIRST_YEAR, LAST_YEAR, Hours
from trellis.model.calendar import BusinessCalendar
from trellis.model.compile.context import Context, humanize
from trellis.model.compile.item import Item
from trellis.model.known import known_choices
from trellis.model.text import Text

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CODE = "E340"
_SPAN = re.compile(r"(\d\d):(\d\d) ?- ?(\d\d):(\d\d)")
_Days = dict[date, tuple[Hours | None, Text]]


def compile_calendars(ctx: Context) -> dict[str, BusinessCalendar]:
    """The calendars by key."""
    found = {}
    for key, document in ctx.configuration.of("calendar").items():
        item = Item(dict(document.data), document.place, "", document.name)
        found[key] = _calendar(ctx, key, item)
    return found


def _calendar(ctx: Context, key: str, item: Item) -> BusinessCalendar:
    zone = item.get("time_zone")
    if zone is not None and not _is_zone(zone.text):
        hint = did_you_mean(zone.text, [c.key for c in known_choices("time_zones")])
        ctx.problem(CODE, phrase("unknown time zone '{name}'", name=zone.text), zone, hint or "such as Europe/Berlin")
    hours = _week(ctx, item)
    usual = next((spans for spans in hours if spans), ())
    names: dict[date, Text] = {}
    days: dict[date, Hours] = {}
    for word in ("holidays", "workdays"):
        for day, (spans, name) in _days(ctx, item, word).items():
            if word == "workdays":
                if day in days and not days[day]:
                    where = item.get(word) or item
                    ctx.problem(
                        CODE,
                        phrase("{day} is both a holiday and a workday", day=day),
                        where,
                        "take it out of one of them",
                    )
                days[day] = (hours[day.weekday()] or usual) if spans is None else spans
            else:
                days[day] = spans or ()
            names[day] = name
    return BusinessCalendar(
        key=key,
        label=ctx.text(item, "label", humanize(key)),
        zone=zone.text if zone is not None and _is_zone(zone.text) else "",
        hours=hours,
        days=days,
        names=names,
        digest=hashlib.sha256(repr(item.data).encode()).hexdigest()[:16],
    )


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return bool(name)


def _week(ctx: Context, item: Item) -> tuple[Hours, ...]:
    """The hours of each weekday; what overlaps is told once."""
    week: list[list[tuple[int, int]]] = [[] for _ in WEEKDAYS]
    places: list[list[Item]] = [[] for _ in WEEKDAYS]
    written = item.get("hours")
    for key, listed in written.entries() if written is not None else ():
        first, _, last = key.partition("-")
        if first not in WEEKDAYS or (last and last not in WEEKDAYS):
            continue  # the check of shapes has said so
        spans = [(span, each) for each in listed.each() if (span := _span(ctx, each)) is not None]
        for day in _from_to(WEEKDAYS.index(first), WEEKDAYS.index(last or first)):
            week[day] += [span for span, _ in spans]
            places[day] += [each for _, each in spans]
    _overlapping(ctx, week, places)
    if written is not None and not any(week) and not ctx.has_problem_in(written):
        ctx.problem(CODE, "no hour of the week is a working hour", written, 'such as {mon-fri: ["09:00-17:00"]}')
    if written is None:
        hint = 'hours: {mon-fri: ["09:00-17:00"]}'
        ctx.problem(CODE, "'hours' is missing", item, hint, at_key=True)
    return tuple(tuple(sorted(spans)) for spans in week)


def _from_to(first: int, last: int) -> Iterator[int]:
    """The days from one to the other, over the end of the week where they are written so (sat-mon)."""
    day = first
    while True:
        yield day
        if day == last:
            return
        day = (day + 1) % 7


def _overlapping(ctx: Context, week: list[list[tuple[int, int]]], places: list[list[Item]]) -> None:
    """Say where two spans are worked at once, also over midnight."""
    every = [
        (day * DAY + start, day * DAY + end, WEEKDAYS[day], place)
        for day, spans in enumerate(week)
        for (start, end), place in zip(spans, places[day], strict=True)
    ]
    every.sort(key=lambda span: span[:2])
    told: set[int] = set()
    for index, (start, _, day, place) in enumerate(every):
        before = every[index - 1] if index else None
        wraps = index == 0 and len(every) > 0 and every[-1][1] - 7 * DAY > start
        if ((before is not None and before[1] > start) or wraps) and id(place.place) not in told:
            told.add(id(place.place))
            ctx.problem(
                CODE,
                phrase("'{place}' overlaps with other hours of {day}", place=place.text, day=day),
                place,
                "an hour counts once",
            )


def _span(ctx: Context, item: Item) -> tuple[int, int] | None:
    match = _SPAN.fullmatch(item.text)
    if match is None:
        return None
    hour, minute, until, past = (int(part) for part in match.groups())
    start, end = hour * 60 + minute, until * 60 + past
    if start >= DAY or end > DAY:
        ctx.problem(CODE, phrase("'{name}' goes beyond the day", name=item.text), item, "a day ends at 24:00")
        return None
    if start == end:
        ctx.problem(CODE, phrase("'{name}' has no length", name=item.text), item, 'a whole day is "00:00-24:00"')
        return None
    return start, end if end > start else end + DAY  # over midnight


def _days(ctx: Context, item: Item, word: str) -> _Days:
    """The days of a list, those of every year for as long as they are kept."""
    found: _Days = {}
    listed = item.get(word)
    for each in listed.each() if listed is not None else ():
        written = each if not isinstance(each.data, dict) else each.get("date")
        if written is None:
            continue
        name = ctx.text(each, "label") if isinstance(each.data, dict) else Text("")
        hours = each.get("hours")
        spans: Hours | None = None
        if hours is not None:
            spans = tuple(sorted(span for one in hours.each() if (span := _span(ctx, one)) is not None))
        for day in _dates(ctx, written, word):
            if day in found:
                ctx.problem(
                    CODE, phrase("{written} stands here twice", written=written.text), written, "a day is said once"
                )
                break
            found[day] = (spans, name)
    return found


def _dates(ctx: Context, item: Item, word: str) -> Iterator[date]:
    parts = item.text.split("-")
    if not all(part.isdigit() for part in parts) or len(parts) not in (2, 3):
        return  # the check of shapes has said so
    *year, month, day = (int(part) for part in parts)
    if word == "workdays" and not year:
        hint = "days are made up for in one year: write it, such as 2026-02-14"
        ctx.problem(CODE, phrase("'{name}' says no year", name=item.text), item, hint)
        return
    if not (1 <= month <= 12 and 1 <= day <= _length(month, year[0] if year else 2024)):
        hint = "months have 28 to 31 days" if not (month == 2 and day == 29) else "that year has no 29 February"
        ctx.problem(CODE, phrase("there is no {name}", name=item.text), item, hint)
        return
    for one in year or range(FIRST_YEAR, LAST_YEAR + 1):
        if (month, day) != (2, 29) or isleap(one):
            yield date(one, month, day)


def _length(month: int, year: int) -> int:
    return 31 if month in (1, 3, 5, 7, 8, 10, 12) else 30 if month != 2 else 29 if isleap(year) else 28
