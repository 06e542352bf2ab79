"""Periods with names, and those that they are compared with."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trellis.model.dashboards.spans import NAMES, before, read_span

DAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("this_quarter", date(2026, 10, 1), date(2026, 12, 31)),
        ("previous_quarter", date(2026, 7, 1), date(2026, 9, 30)),
        ("previous_month", date(2026, 10, 1), date(2026, 10, 31)),
        ("this_week", date(2026, 11, 16), date(2026, 11, 22)),
        ("last_30_days", date(2026, 10, 24), DAY),
        ("yesterday", date(2026, 11, 21), date(2026, 11, 21)),
        ("2026-03-01..2026-03-31", date(2026, 3, 1), date(2026, 3, 31)),
        ("2026-03-31..2026-03-01", date(2026, 3, 1), date(2026, 3, 31)),
        ("2026-03-01..", date(2026, 3, 1), None),
        ("..2026-03-01", None, date(2026, 3, 1)),
    ],
)
def test_a_period_is_days(text: str, first: date | None, last: date | None) -> None:
    span = read_span(text, DAY)
    assert span is not None
    assert (span.first, span.last) == (first, last)


@pytest.mark.parametrize("text", ["", "..", "next_century", "2026-13-01..", "this_fortnight", "2026-01-01", "a..b"])
def test_other_words_are_no_period(text: str) -> None:
    assert read_span(text, DAY) is None


def test_a_fiscal_year_begins_with_its_month() -> None:
    span = read_span("this_fiscal_year", DAY, 4)
    assert span is not None
    assert (span.first, span.last) == (date(2026, 4, 1), date(2027, 3, 31))


def test_what_is_not_over_is_compared_with_as_many_days() -> None:
    span = read_span("this_quarter", DAY)
    assert span is not None
    past = before(span, DAY)
    assert past is not None
    assert (past.first, past.last) == (date(2026, 7, 1), date(2026, 8, 22))
    year = before(span, DAY, "previous_year")
    assert year is not None
    assert (year.first, year.last) == (date(2025, 10, 1), date(2025, 11, 22))


def test_what_is_over_is_compared_with_all_of_the_one_before() -> None:
    span = read_span("previous_month", DAY)
    assert span is not None
    past = before(span, DAY)
    assert past is not None
    assert (past.first, past.last) == (date(2026, 9, 1), date(2026, 9, 30))


@given(st.sampled_from(NAMES), st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.integers(1, 12))
def test_the_period_before_ends_before_it_begins(name: str, today: date, fiscal: int) -> None:
    span = read_span(name, today, fiscal)
    assert span is not None
    assert span.first is not None
    assert span.last is not None
    assert span.first <= span.last
    past = before(span, today)
    assert past is not None
    assert past.first is not None
    assert past.last is not None
    assert past.first <= past.last < span.first
    whole = before(span, span.last + timedelta(days=1))
    assert whole is not None
    assert whole.last == span.first - timedelta(days=1)
