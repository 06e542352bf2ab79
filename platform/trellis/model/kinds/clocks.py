"""The kinds `calendar`, `sla`, `assignment`, `pool` and `scoring`."""

from __future__ import annotations

from trellis.model.kinds.automation import ASSIGN, EVENTS
from trellis.model.kinds.parts import (
    BOOLEAN,
    DURATION,
    FORMULA,
    INTEGER,
    NAME,
    NAMES,
    NUMBER,
    PATTERN,
    TEXT,
    Schema,
    closed,
    either,
    list_of,
    mapping,
    one_of,
)
from trellis.model.kinds.registry import kind

_DAY = r"^(mon|tue|wed|thu|fri|sat|sun)(-(mon|tue|wed|thu|fri|sat|sun))?$"
_HOURS: Schema = {
    "type": "string",
    "pattern": r"^([01]\d|2[0-4]):[0-5]\d ?- ?([01]\d|2[0-4]):[0-5]\d$",
    "x-hint": 'hours are written as "09:00-17:30"',
}
_DATE: Schema = {
    "type": "string",
    "pattern": r"^(\d{4}-)?\d{2}-\d{2}$",
    "x-hint": 'a day is written as "12-25", or "2026-12-25" for one year',
}
_PEOPLE = closed({"roles": NAMES, "teams": NAMES, "users": NAMES})


@kind("calendar", "business hours and holidays")
def calendar() -> dict[str, Schema]:
    """What a calendar may say."""
    day = either(_DATE, closed({"date": _DATE, "label": TEXT, "hours": list_of(_HOURS)}, ("date",)))
    return {
        "label": TEXT,
        "time_zone": NAME,
        "hours": mapping(list_of(_HOURS), _DAY),
        "holidays": list_of(day),
        "workdays": list_of(day),
    }


@kind("sla", "how soon something must be done", required=("entity", "targets"))
def sla() -> dict[str, Schema]:
    """What a service level may say."""
    warn = {
        "type": "string",
        "pattern": rf"^\d+ ?%$|{PATTERN}",
        "x-hint": "such as 20 minutes or 75 %",
    }
    return {
        "label": TEXT,
        "entity": NAME,
        "calendar": NAME,
        "when": FORMULA,
        "start": FORMULA,
        "met_when": FORMULA,
        "met_at": FORMULA,
        "pause_when": FORMULA,
        "targets": mapping(
            closed({"when": FORMULA, "within": DURATION, "warn": warn, "label": TEXT}, ("within",)), minProperties=1
        ),
    }


@kind("assignment", "who gets a record", required=("entity", "rules"))
def assignment() -> dict[str, Schema]:
    """What an assignment may say."""
    return {
        "label": TEXT,
        "entity": NAME,
        "field": NAME,
        "on": either(one_of("created", "updated"), NAMES),
        "when": FORMULA,
        "rules": list_of(closed({"when": FORMULA, "label": TEXT, **ASSIGN}), minItems=1),
    }


@kind("pool", "records that belong to nobody until they are claimed", required=("entity",))
def pool() -> dict[str, Schema]:
    """What a pool may say."""
    renewal = either(NAME, mapping(FORMULA, None))
    rule = closed(
        {
            "label": TEXT,
            "after": DURATION,
            "without": {"anyOf": [NAME, list_of(renewal)]},
            "extend": DURATION,
            "at_most": DURATION,
            "warn": {"anyOf": [DURATION, list_of(DURATION)]},
            "when": FORMULA,
        },
        ("after",),
    )
    return {
        "label": TEXT,
        "description": TEXT,
        "entity": NAME,
        "filter": FORMULA,
        "members": _PEOPLE,
        "admins": _PEOPLE,
        "hide": NAMES,
        "columns": NAMES,
        "release": {"anyOf": [rule, mapping(rule)]},
        "claim": closed({"per_day": INTEGER, "holding": INTEGER, "team_holding": INTEGER, "not_counting": FORMULA}),
        "lock": closed({"at_most": INTEGER, "for": DURATION, "duplicates": BOOLEAN}),
        "distribute": closed({**ASSIGN, "after": DURATION, "per_day": INTEGER, "when": FORMULA}),
        "cool_down": DURATION,
        "active": BOOLEAN,
    }


@kind("scoring", "points for what a record is and what happens to it", required=("entity", "field"))
def scoring() -> dict[str, Schema]:
    """What a scoring may say."""
    fit = closed({"when": FORMULA, "points": NUMBER, "label": TEXT}, ("when", "points"))
    behaviour = closed(
        {"on": closed(EVENTS), "of": FORMULA, "when": FORMULA, "points": NUMBER, "at_most": NUMBER, "label": TEXT},
        ("on", "of", "points"),
    )
    return {
        "label": TEXT,
        "entity": NAME,
        "field": NAME,
        "fit": mapping(fit),
        "behaviour": mapping(behaviour),
        "decay": closed({"points": NUMBER, "every": DURATION}, ("points", "every")),
        "filter": FORMULA,
        "at_most": NUMBER,
        "description": TEXT,
        "active": BOOLEAN,
    }
