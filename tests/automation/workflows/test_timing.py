"""Schedules, dates and stages that take too long: what time sets off, once each."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trellis.automation.workflows.due import anniversaries, due_days
from trellis.automation.workflows.timing import Timer
from trellis.model.automation.triggers import OnDate, OnSchedule
from trellis.model.automation.workflow import Workflow
from trellis.model.compile.automation.triggers import cron_of
from trellis.model.spans import Span, read_span
from trellis.model.text import Text

BERLIN = ZoneInfo("Europe/Berlin")


def timer(cron: str) -> Timer:
    trigger = OnSchedule(cron=cron_of(cron))
    return Timer("w#0", Workflow("w", Text("W"), (trigger,), {}), trigger)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "after", "expected"),
    [
        ("0 8 * * mon-fri", "2026-03-27T08:00", "2026-03-30T06:00"),  # Friday to Monday, summer time has begun
        ("0 8 * * *", "2026-10-24T06:30", "2026-10-25T07:00"),  # winter time has begun
        ("30 2 * * *", "2026-03-28T12:00", "2026-03-29T01:30"),  # half past two is left out that night
        ("0 9 * * 0", "2026-03-02T00:00", "2026-03-08T08:00"),  # 0 is Sunday
        ("0 9 * * 1-5", "2026-03-07T00:00", "2026-03-09T08:00"),
    ],
)
def test_a_schedule_is_kept_in_the_tenants_time_zone(cron: str, after: str, expected: str) -> None:
    assert timer(cron).next_after(utc(after), BERLIN).astimezone(UTC) == utc(expected)


@pytest.mark.parametrize(
    ("begin", "moments"),
    [
        # half past two is left out on 29 March: that day at half past three
        ("2026-03-27T12:00", ["2026-03-28T01:30", "2026-03-29T01:30", "2026-03-30T00:30"]),
        # and comes twice on 25 October: only the first counts
        ("2026-10-23T12:00", ["2026-10-24T00:30", "2026-10-25T00:30", "2026-10-26T01:30"]),
    ],
)
def test_half_past_two_comes_once_on_the_days_on_which_the_time_changes(begin: str, moments: list[str]) -> None:
    at, found = utc(begin), []
    for _ in moments:
        at = timer("30 2 * * *").next_after(at, BERLIN).astimezone(UTC)
        found.append(at)
    assert found == [utc(moment) for moment in moments]


def test_what_goes_by_every_hour_goes_by_those_that_come_twice_too() -> None:
    at, found = utc("2026-10-24T23:45"), []
    for _ in range(3):
        at = timer("30 * * * *").next_after(at, BERLIN).astimezone(UTC)
        found.append(at.hour)
    assert found == [0, 1, 2]


@pytest.mark.parametrize(
    ("begin", "moments"),
    [
        ("2026-03-28T00:00", ["2026-03-28T01:30", "2026-03-29T01:30", "2026-03-30T00:30"]),
        ("2026-10-23T23:00", ["2026-10-24T00:30", "2026-10-25T00:30", "2026-10-26T01:30"]),
    ],
)
def test_a_dates_half_past_two_comes_once_on_those_days_too(begin: str, moments: list[str]) -> None:
    trigger = OnDate(entity="x", field="d", offset=read_span("0 days") or Span(), at=time(2, 30))
    looks = [utc(begin), *(utc(moment) for moment in moments)]
    parts = [due_days(trigger, a, b, BERLIN) for a, b in pairwise(looks)]
    assert [len(part) for part in parts] == [1, 1, 1]


@pytest.mark.parametrize(
    ("offset", "after", "until", "days"),
    [
        ("-30 days", "2026-03-01T08:30", "2026-03-02T08:30", [date(2026, 4, 1)]),
        ("1 month", "2026-02-27T12:00", "2026-02-28T12:00", [date(2026, 1, d) for d in (28, 29, 30, 31)]),
        ("0 days", "2026-03-01T08:30", "2026-03-01T20:00", []),
    ],
)
def test_a_date_comes_due_so_long_before_or_after(offset: str, after: str, until: str, days: list[date]) -> None:
    trigger = OnDate(entity="x", field="d", offset=read_span(offset) or Span(), at=time(9))
    assert due_days(trigger, utc(after), utc(until), BERLIN) == days


@given(
    st.lists(st.datetimes(datetime(2024, 1, 1), datetime(2024, 4, 1)), min_size=2, max_size=8),
    st.sampled_from(["-30 days", "0 days", "1 month", "-1 year", "2 weeks"]),
)
def test_every_day_comes_due_once_however_often_one_looks(looks: list[datetime], offset: str) -> None:
    trigger = OnDate(entity="x", field="d", offset=read_span(offset) or Span(), at=time(9))
    moments = sorted({utc(moment.isoformat()) for moment in looks})
    parts = [due_days(trigger, a, b, BERLIN) for a, b in pairwise(moments)]
    assert [day for part in parts for day in part] == due_days(trigger, moments[0], moments[-1], BERLIN)


def test_the_29th_of_february_is_kept_on_the_28th_where_there_is_none() -> None:
    assert anniversaries([date(2026, 2, 28)]) == {"02-28", "02-29"}
    assert anniversaries([date(2028, 2, 28)]) == {"02-28"}
    assert anniversaries([date(2028, 2, 29)]) == {"02-29"}
    assert anniversaries([date(2100, 2, 28)]) == {"02-28", "02-29"}  # every fourth year, but not that one
    assert anniversaries([date(2027, 2, 27), date(2027, 3, 1)]) == {"02-27", "03-01"}


@pytest.mark.parametrize(
    ("text", "months", "days"),
    [("1 month 3 days", 1, 3), ("-2 years", -24, 0), ("30 days", 0, 30), ("-4 hours", 0, None)],
)
def test_a_span_may_be_months(text: str, months: int, days: int | None) -> None:
    span = read_span(text)
    assert span is not None
    assert span.months == months
    if days is not None:
        assert span.rest.days == days
