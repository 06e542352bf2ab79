"""Calendars and service levels: what the check says of them, each at its place."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from tests.conftest import layers_of

from trellis.config.report import one_line
from trellis.model.compile import compile_layers
from trellis.model.model import Model

TICKET = """
entity: ticket
title: name
fields:
  name: {type: text}
  priority: {type: choice, choices: [low, high]}
  answered_at: {type: datetime}
"""
CALENDAR = 'calendar: office\nhours: {mon-fri: ["09:00-17:00"]}'
SLA = "sla: reply\nentity: ticket\nmet_at: answered_at\n"


def problems(*documents: str, profile: str = "") -> list[str]:
    found = compile_layers(layers_of("\n---\n".join([TICKET, *documents]), profile=profile)).problems
    return [one_line(problem) for problem in found]


def model(*documents: str) -> Model:
    compiled = compile_layers(layers_of("\n---\n".join([TICKET, *documents])))
    assert compiled.model is not None, compiled.problems
    return compiled.model


@pytest.mark.parametrize(
    ("calendar", "said"),
    [
        ('{mon-fri: ["09:00-17:00"], fri: ["16:00-20:00"]}', "overlaps with other hours of fri"),
        ('{sun: ["22:00-06:00"], mon: ["05:00-09:00"]}', "overlaps with other hours of mon"),
        ('{mon: ["09:00-09:00"]}', "'09:00-09:00' has no length"),
        ('{mon: ["09:00-24:30"]}', "goes beyond the day"),
        ("{}", "no hour of the week is a working hour"),
        (
            '{mon: ["09:00-17:00"]}\ntime_zone: Europe/Berlim',
            "unknown time zone 'Europe/Berlim' (did you mean 'Europe/Berlin'?)",
        ),
        ('{mon: ["09:00-17:00"]}\nholidays: ["02-30"]', "there is no 02-30"),
        ('{mon: ["09:00-17:00"]}\nholidays: [2026-02-29]', "there is no 2026-02-29"),
        ('{mon: ["09:00-17:00"]}\nholidays: ["01-01", 2026-01-01]', "2026-01-01 stands here twice"),
        ('{mon: ["09:00-17:00"]}\nworkdays: ["02-14"]', "'02-14' says no year"),
        ('{mon: ["09:00-17:00"]}\nholidays: [2026-02-14]\nworkdays: [2026-02-14]', "is both a holiday and a workday"),
        ('{mon: ["nine to five"]}', "hours are written as"),
    ],
)
def test_a_calendar_that_cannot_be_kept_is_told(calendar: str, said: str) -> None:
    [problem] = problems(f"calendar: office\nhours: {calendar}")
    assert said in problem


@pytest.mark.parametrize(
    ("sla", "said"),
    [
        ("sla: reply\nentity: ticket\ntargets: {all: {within: 1 hour}}", "nothing ever meets this"),
        (SLA + "targets: {all: {within: 1 month}}", "'1 month' is no length of business time"),
        (SLA + "targets: {all: {within: 1 hour, warn: 2 hours}}", "the warning after 2 hours comes too late"),
        (
            SLA + "targets: {all: {within: 1 hour}, high: {when: 'priority == \"high\"', within: 5 minutes}}",
            "'high' is never reached",
        ),
        (SLA + "calendar: office\ntargets: {all: {within: 2 days}}", "W620"),
        (
            SLA + "calendar: ofice\ntargets: {all: {within: 2 hours}}",
            "unknown calendar 'ofice' (did you mean 'office'?)",
        ),
        (SLA + "start: name\ntargets: {all: {within: 2 hours}}", "start"),
        ("sla: reply\nentity: tiket\nmet_at: answered_at\ntargets: {all: {within: 2 hours}}", "unknown entity 'tiket'"),
    ],
)
def test_a_service_level_that_cannot_be_kept_is_told(sla: str, said: str) -> None:
    [problem] = problems(CALENDAR, sla)
    assert said in problem


def test_an_entity_has_two_fields_of_each_and_may_call_them_otherwise() -> None:
    renamed = TICKET + "  reply_due: {label: Answer by}\n"
    fields = model(SLA + "label: Reply\ntargets: {all: {within: 2 hours}}").entities["ticket"].fields
    assert (str(fields["reply_due"].label), str(fields["reply_state"].label)) == ("Reply due", "Reply state")
    assert not fields["reply_due"].is_writable
    own = compile_layers(layers_of("\n---\n".join([renamed, SLA + "targets: {all: {within: 2 hours}}"])))
    assert own.model is not None
    assert str(own.model.entities["ticket"].fields["reply_due"].label) == "Answer by"
    taken = TICKET + "  reply_due: {type: date}\n"
    found = compile_layers(layers_of("\n---\n".join([taken, SLA + "targets: {all: {within: 2 hours}}"]))).problems
    assert [problem.code for problem in found] == ["E308"]


def test_a_warning_is_a_length_or_a_share_and_the_week_may_go_over_its_end() -> None:
    made = model(
        CALENDAR,
        SLA
        + "targets: {a: {when: 'priority == \"low\"', within: 8 hours, warn: 75 %}, b: {within: 1 hour, warn: 20 min}}",
    )
    warned = [target.warn for target in made.service_levels["reply"].targets.values()]
    assert warned == [timedelta(hours=6), timedelta(minutes=20)]
    turned = model(
        'calendar: turn\nhours: {sat-mon: ["10:00-12:00"]}\nholidays: [{date: "12-24", hours: ["10:00-11:00"]}]'
    )
    calendar = turned.calendars["turn"]
    assert [bool(spans) for spans in calendar.hours] == [True, False, False, False, False, True, True]
    assert calendar.days[date(2026, 12, 24)] == ((600, 660),)


def test_the_tenant_names_the_calendar_of_formulas() -> None:
    assert problems(CALENDAR, profile="calendar: office") == []
    [problem] = problems(CALENDAR, profile="calendar: shop")
    assert "unknown calendar 'shop'" in problem
