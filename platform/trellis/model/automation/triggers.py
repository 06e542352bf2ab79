"""What sets a workflow off: one class for each kind of trigger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dc_field
from datetime import time
from typing import Literal

from trellis.formula.formula import Formula
from trellis.model.field import Field
from trellis.model.given import Given
from trellis.model.spans import Span
from trellis.model.text import NO_TEXT, Text

NONE: frozenset[str] = frozenset()
NO_SPAN = Span()


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """Something that sets a workflow off; `entity` is whose records it starts with, None without a record."""

    entity: str | None = None


@dataclass(frozen=True, kw_only=True)
class OnRecord(Trigger):
    """After a change of a record was committed. `stuck`: in these stages; "*" is any."""

    created: bool = False
    updated: bool = False
    deleted: bool = False
    restored: bool = False
    changed: frozenset[str] = NONE
    linked: str = ""
    unlinked: str = ""
    enter: frozenset[str] = NONE
    leave: frozenset[str] = NONE
    stuck: frozenset[str] = NONE


@dataclass(frozen=True, kw_only=True)
class Before(Trigger):
    """Inside the save of a record, before its checks."""

    created: bool = False
    updated: bool = False
    deleted: bool = False
    changed: frozenset[str] = NONE


@dataclass(frozen=True, kw_only=True)
class OnSchedule(Trigger):
    """At the times of a cron expression in the tenant's time zone, once or for each record that the filter takes."""

    cron: str
    filter: Formula | None = None


@dataclass(frozen=True, kw_only=True)
class OnDate(Trigger):
    """So long before or after a date of a record; `at` is the time of day in the tenant's time zone.

    `yearly`: on the day's anniversaries; those of 29 February are on the 28th where there is none.
    """

    field: str
    yearly: bool = False
    offset: Span = NO_SPAN
    at: time | None = None
    filter: Formula | None = None


@dataclass(frozen=True, kw_only=True)
class OnButton(Trigger):
    """A button on the record's page, for these roles, where `when` holds; `form` is asked for first."""

    label: Text
    icon: str = "player-play"
    roles: tuple[str, ...] = ()
    form: Mapping[str, Field] = dc_field(default_factory=dict)
    confirm: Text = NO_TEXT
    when: Formula | None = None
    in_list: bool = False


@dataclass(frozen=True, kw_only=True)
class OnWebhook(Trigger):
    """A request to an address of its own; its body has the name `into` in formulas."""

    key: str
    into: str = "payload"
    secret: str = ""  # the environment variable or setting that holds it; "" makes one


@dataclass(frozen=True, kw_only=True)
class OnMail(Trigger):
    """Mail that was received at an address, or by an account; `entity` is that of the record that is made of it."""

    to: str
    values: Mapping[str, Given] = dc_field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class OnForm(Trigger):
    """A public form that was sent in, which creates a record."""

    key: str
    fields: tuple[str, ...]
    required: frozenset[str] = NONE
    values: Mapping[str, Given] = dc_field(default_factory=dict)
    label: Text = NO_TEXT
    intro: Text = NO_TEXT
    thanks: Text = NO_TEXT
    button: Text = NO_TEXT
    redirect: str = ""
    confirm: str = ""  # the field with the address that a link goes to first: nothing is made before it is opened
    embed: tuple[str, ...] = ()  # the sites whose pages may show it
    labels: Mapping[str, Text] = dc_field(default_factory=dict)  # what the fields are called towards strangers


@dataclass(frozen=True, kw_only=True)
class OnSla(Trigger):
    """A service level that is about to be missed, or was."""

    sla: str
    event: Literal["warning", "breach"]


@dataclass(frozen=True, kw_only=True)
class OnRun(Trigger):
    """Another workflow's `run:` step."""
