"""Business time: what is added comes back, clocks that change, days that are made up for, and both back ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from trellis.formula.business import OFFICE, Calendar
from trellis.formula.env import Env
from trellis.formula.functions import work
from trellis.formula.reader import Reader
from trellis.formula.sql import business as sqlb
from trellis.formula.sql.scope import SqlScope

BERLIN = ZoneInfo("Europe/Berlin")
HOURS = {
    "office": OFFICE,
    "lunch": (*[((540, 750), (810, 1080))] * 5, (), ()),
    "always": (((0, 1440),),) * 7,
    "nights": (*[((22 * 60, 30 * 60),)] * 5, (), ((23 * 60, 26 * 60),)),
    "small hours": (((60, 150),),) * 7,
}
DAYS = {
    date(2026, 1, 1): (),
    date(2026, 3, 27): (),
    date(2026, 3, 28): ((600, 900),),  # a Saturday that is worked
    date(2026, 4, 3): ((540, 720),),  # half a day
    date(2026, 10, 25): ((0, 1440),),
    date(2026, 12, 25): (),
}
CALENDARS = [Calendar(hours, days, zone) for hours in HOURS.values() for days in ({}, DAYS) for zone in (BERLIN,)]
CALENDARS.append(Calendar(OFFICE, DAYS, ZoneInfo("America/St_Johns")))
calendars = st.sampled_from(CALENDARS)
near_changes = st.sampled_from([datetime(2026, 3, 27), datetime(2026, 10, 23), datetime(2026, 12, 23)])
moments = st.builds(
    lambda day, minutes: (day + timedelta(minutes=minutes)).replace(tzinfo=UTC), near_changes, st.integers(0, 6 * 1440)
)
lengths = st.integers(0, 5000).map(lambda minutes: timedelta(minutes=minutes))


@settings(max_examples=40, deadline=None)
@given(calendars, moments, lengths, lengths)
def test_what_is_added_lies_between_and_may_be_added_in_parts(
    calendar: Calendar, moment: datetime, length: timedelta, more: timedelta
) -> None:
    later = calendar.add(moment, length)
    assert later is not None
    assert calendar.between(moment, later) == length
    assert calendar.between(later, moment) == -length
    assert calendar.add(later, more) == calendar.add(moment, length + more) or not length


@settings(max_examples=40, deadline=None)
@given(calendars, moments, st.integers(0, 4000))
def test_between_is_the_sum_of_the_minutes_that_are_worked(calendar: Calendar, start: datetime, minutes: int) -> None:
    end = start + timedelta(minutes=minutes)
    first = start.astimezone(calendar.zone).date() - timedelta(days=1)
    worked = timedelta()
    for offset in range(minutes // 1440 + 4):
        for begins, ends in calendar.intervals(first + timedelta(days=offset)):
            worked += max(min(ends, end) - max(begins, start), timedelta())
    overlapping = calendar.hours[0] == HOURS["nights"][0] and calendar.days  # a night runs into a day that is worked
    assert overlapping or calendar.between(start, end) == worked


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-03-28T12:00+01:00", 24, "2026-03-29T13:00+02:00"),  # that night has an hour less
        ("2026-10-24T12:00+02:00", 24, "2026-10-25T11:00+01:00"),  # and that one an hour more
    ],
)
def test_hours_are_real_hours_where_clocks_change(start: str, hours: int, end: str) -> None:
    always = Calendar(HOURS["always"], {}, BERLIN)
    assert always.add(datetime.fromisoformat(start), timedelta(hours=hours)) == datetime.fromisoformat(end)


def test_a_made_up_saturday_is_worked_and_a_holiday_is_not() -> None:
    calendar = Calendar(OFFICE, DAYS, BERLIN)
    friday = datetime(2026, 3, 26, 16, 0, tzinfo=BERLIN)  # Thursday, an hour before the day ends
    assert calendar.add(friday, timedelta(hours=3)) == datetime(2026, 3, 28, 12, 0, tzinfo=BERLIN)
    assert [calendar.is_workday(date(2026, 3, day)) for day in (26, 27, 28, 29)] == [True, False, True, False]


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    calendar = Calendar(HOURS["nights"], {date(2026, 1, 1): ()}, BERLIN)
    eve = datetime(2025, 12, 31, 23, 0, tzinfo=BERLIN)  # worked to its end, though the holiday begins at midnight
    assert calendar.between(eve, datetime(2026, 1, 1, 12, 0, tzinfo=BERLIN)) == timedelta(hours=7)
    holiday = datetime(2026, 1, 1, 12, 0, tzinfo=BERLIN)
    assert calendar.between(holiday, datetime(2026, 1, 2, 12, 0, tzinfo=BERLIN)) == timedelta()


def test_a_calendar_that_is_never_worked_again_says_so() -> None:
    never = Calendar((((540, 541),), (), (), (), (), (), ()), {}, BERLIN)
    assert never.add(datetime(2026, 1, 1, tzinfo=UTC), timedelta(days=1000)) is None


# ── formulas: Python and PostgreSQL ──────────────────────────────────────────────────────────────────────────


def scope_of(calendar: Calendar) -> tuple[SqlScope, Env]:
    env = Env(None, Reader(calendar=calendar))
    return cast("SqlScope", SimpleNamespace(is_late=False, env=env, reader=env.reader)), env


def asked(connection: sa.Connection, columns: Sequence[Any]) -> list[Any]:
    return list(connection.execute(sa.select(*[c.label(f"c{i}") for i, c in enumerate(columns)])).one())


@settings(max_examples=6, deadline=None)
@given(st.data(), calendars)
def test_both_back_ends_count_alike(connection: sa.Connection, data: st.DataObject, calendar: Calendar) -> None:
    scope, env = scope_of(calendar)
    whens = data.draw(st.lists(moments, min_size=2, max_size=6))
    days = data.draw(st.lists(st.dates(date(2025, 12, 20), date(2027, 1, 10)), min_size=2, max_size=6))
    counts = data.draw(st.lists(st.integers(-300, 300), min_size=2, max_size=6))
    until = asked(connection, [sqlb.worked_until(scope, sa.literal(w, sa.DateTime(timezone=True))) for w in whens])
    assert until == [Decimal(calendar.until(when)) for when in whens]
    pairs = list(zip(days, reversed(days), strict=True))
    found = asked(connection, [work._workdays_sql(scope, *[sa.literal(d, sa.Date()) for d in pair]) for pair in pairs])
    assert found == [work._workdays(env, *pair) for pair in pairs]
    added = list(zip(days, counts, strict=False))
    literals = [(sa.literal(day, sa.Date()), sa.literal(Decimal(n), sa.Numeric())) for day, n in added]
    found = asked(connection, [work._add_workdays_sql(scope, day, n) for day, n in literals])
    assert found == [work._add_workdays(env, day, Decimal(n)) for day, n in added]


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([c for c in CALENDARS if len(c.workdays.weekdays) < 7]),
    st.dates(date(2025, 12, 20), date(2027, 1, 10)),
    st.integers(1, 300),
)
def test_a_workday_so_many_later_is_as_far_away(calendar: Calendar, day: date, count: int) -> None:
    _, env = scope_of(calendar)
    later = work._add_workdays(env, day, Decimal(count))
    assert isinstance(later, date)
    assert calendar.is_workday(later)
    assert work._workdays(env, day + timedelta(days=1), later) == count
