"""One clock, without a database: pauses, targets, warnings and breaches, by business time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from trellis.automation.service_levels.clock import Clock, Facts, judged, told
from trellis.formula.business import Calendar
from trellis.formula.formula import constant
from trellis.formula.types import DATETIME
from trellis.model.service_level import ServiceLevel, Target
from trellis.model.text import Text

OFFICE = Calendar(zone=ZoneInfo("Europe/Berlin"))  # Monday to Friday, 9 to 17
SHORT = Target("urgent", Text("Urgent"), timedelta(hours=2), timedelta(hours=1))
LONG = Target("normal", Text("Normal"), timedelta(hours=8), timedelta(hours=6))
LEVEL = ServiceLevel(
    "reply", "ticket", Text("Reply"), constant(None, DATETIME), {"urgent": SHORT, "normal": LONG}, "office"
)
ID = UUID(int=1)


def at(text: str) -> datetime:
    """A moment of a week in March on the clock of Berlin: `mon 09:00`."""
    day, clock = text.split()
    weekday = "mon tue wed thu fri sat sun".split().index(day)
    hour, minute = map(int, clock.split(":"))
    local = datetime(2026, 3, 2 + weekday, hour, minute, tzinfo=ZoneInfo("Europe/Berlin"))
    return local.astimezone(UTC)


def story(*steps: tuple[str, Facts], calendar: Calendar | None = OFFICE) -> Clock:
    """The clock after several saves, each at its time; what comes due in between is told as it does."""
    clock: Clock | None = None
    for when, facts in steps:
        if clock is not None:
            clock, _ = told(clock, at(when))
        clock = judged(LEVEL, calendar, clock, ("ticket", ID), facts, at(when))
    assert clock is not None
    return clock


def facts(start: str, target: Target = LONG, *, paused: bool = False, met: bool = False) -> Facts:
    return Facts(at(start), target, paused=paused, met=met)


def paused(created: str, paused_at: str, resumed_at: str) -> Clock:
    return story(
        (created, facts(created, SHORT)),
        (paused_at, facts(created, SHORT, paused=True)),
        (resumed_at, facts(created, SHORT)),
    )


@pytest.mark.parametrize(
    ("created", "paused_at", "resumed_at", "due"),
    [
        pytest.param("tue 06:00", "tue 06:30", "tue 08:00", "tue 11:00", id="a outside hours: nothing"),
        pytest.param(
            "tue 06:00", "tue 09:30", "tue 10:30", "tue 12:00", id="b created outside, paused inside: an hour"
        ),
        pytest.param("tue 15:30", "tue 16:30", "tue 20:00", "wed 10:00", id="c until the hours end: half an hour"),
        pytest.param("tue 16:00", "tue 20:00", "wed 10:00", "wed 11:00", id="d from where hours begin: an hour"),
        pytest.param("fri 16:00", "fri 16:30", "mon 09:30", "mon 11:00", id="over a weekend"),
    ],
)
def test_a_pause_extends_by_the_business_time_inside_it(
    created: str, paused_at: str, resumed_at: str, due: str
) -> None:
    def later(text: str, than: str) -> datetime:  # "mon" after "fri" is the week after
        return at(text) + (timedelta(days=7) if at(text) < at(than) else timedelta())

    if paused_at.startswith("fri"):
        clock = judged(LEVEL, OFFICE, None, ("ticket", ID), facts(created, SHORT), at(created))
        clock = judged(LEVEL, OFFICE, clock, ("ticket", ID), facts(created, SHORT, paused=True), at(paused_at))
        clock = judged(LEVEL, OFFICE, clock, ("ticket", ID), facts(created, SHORT), later(resumed_at, paused_at))
    else:
        clock = paused(created, paused_at, resumed_at)
    assert clock is not None
    assert clock.due_at == later(due, created)


def test_without_a_calendar_every_hour_counts() -> None:
    assert story(("sat 20:00", facts("sat 20:00")), calendar=None).due_at == at("sun 04:00")


def test_a_paused_clock_is_not_late_and_waits_for_nothing() -> None:
    clock = story(("mon 09:00", facts("mon 09:00")), ("mon 10:00", facts("mon 09:00", paused=True)))
    assert (clock.state, clock.next_at) == ("paused", None)
    assert told(clock, at("sun 12:00")) == (clock, [])


def test_warning_and_breach_come_once_each_however_late_one_looks() -> None:
    clock = story(("mon 09:00", facts("mon 09:00")))
    clock, words = told(clock, at("mon 14:59"))
    assert words == []
    clock, words = told(clock, at("mon 15:00"))
    assert (words, clock.state) == (["warning"], "warned")
    clock, words = told(clock, at("wed 09:00"))
    assert (words, clock.state, clock.breached_at) == (["breach"], "breached", at("mon 17:00"))
    assert told(clock, at("thu 09:00"))[1] == []
    assert told(story(("mon 09:00", facts("mon 09:00"))), at("thu 09:00"))[1] == ["warning", "breach"]


def test_a_higher_priority_makes_it_due_sooner_and_a_breach_stays_one() -> None:
    begun = facts("mon 09:00")
    clock = story(("mon 09:00", begun), ("mon 10:30", facts("mon 09:00", SHORT)))
    assert (clock.target, clock.due_at, clock.next_at) == ("urgent", at("mon 11:00"), at("mon 10:00"))
    late = story(("mon 09:00", facts("mon 09:00", SHORT)), ("mon 12:00", begun))
    assert (late.state, late.target, late.due_at, late.next_at) == ("breached", "urgent", at("mon 11:00"), None)


def test_what_is_met_in_time_is_met_and_what_is_met_too_late_is_missed() -> None:
    met = story(("mon 09:00", facts("mon 09:00")), ("mon 16:59", facts("mon 09:00", met=True)))
    assert (met.state, met.next_at) == ("met", None)
    late = judged(LEVEL, OFFICE, None, ("ticket", ID), facts("mon 09:00"), at("mon 09:00"))
    late = judged(LEVEL, OFFICE, late, ("ticket", ID), facts("mon 09:00", met=True), at("tue 09:01"))
    assert late is not None
    assert late.state == "breached"
    assert told(late, at("tue 09:01"))[1] == ["breach"], "also when nobody had looked before"


def test_when_it_was_met_may_be_told_afterwards() -> None:
    told_later = Facts(at("mon 09:00"), LONG, met=True, met_at=at("mon 16:00"))
    assert story(("mon 09:00", facts("mon 09:00")), ("mon 16:30", told_later)).state == "met"


def test_reopened_it_goes_on_and_the_time_for_which_it_was_done_does_not_count() -> None:
    clock = story(
        ("mon 09:00", facts("mon 09:00")),
        ("mon 12:00", facts("mon 09:00", met=True)),
        ("tue 10:00", facts("mon 09:00")),
    )
    assert (clock.state, clock.due_at) == ("running", at("tue 15:00"))  # 3 of 8 hours were gone


def test_what_it_does_not_apply_to_has_no_clock_and_one_that_no_longer_counts_says_nothing() -> None:
    off = Facts(at("mon 09:00"), LONG, applies=False)
    assert judged(LEVEL, OFFICE, None, ("ticket", ID), off, at("mon 09:00")) is None
    assert judged(LEVEL, OFFICE, None, ("ticket", ID), Facts(None, LONG), at("mon 09:00")) is None
    clock = story(("mon 09:00", facts("mon 09:00")), ("mon 10:00", off))
    assert (clock.state, clock.next_at) == (None, None)


def test_what_was_late_when_it_was_loaded_is_noted_and_nobody_is_woken() -> None:
    clock = story(("fri 09:00", facts("mon 09:00")))
    noted, words = told(clock, at("fri 09:00"), quietly=True)
    assert (noted.state, noted.next_at, words) == ("breached", None, [])
