"""Scenarios: what a layer's tests do on a throw-away tenant, and what they expect of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dc_field
from typing import TYPE_CHECKING, Any

from trellis.model.given import Given

if TYPE_CHECKING:
    from trellis.config.problem import Mark
    from trellis.formula.formula import Formula
    from trellis.model.automation.steps import ListOf
    from trellis.model.spans import Span


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who takes part: a record of `user`, and their key in formulas."""

    key: str
    name: str
    email: str
    roles: tuple[str, ...] = ()
    team: str = ""
    manager: str = ""
    language: str = ""
    time_zone: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that is done. `verb` says what; which of the others are there depends on it."""

    verb: str
    mark: Mark | None
    user: str = ""  # whose hand it is, where it is not whoever is at it
    name: str = ""  # what the result is called in formulas
    refused: str | bool = False  # it has to be refused, for this reason
    word: str = ""  # the entity, workflow, webhook or form
    target: Formula | None = None
    list: ListOf | None = None
    to: Formula | None = None
    where: Formula | None = None
    span: Span | None = None
    words: tuple[str, ...] = ()
    text: Given = dc_field(default_factory=Given)
    values: Mapping[str, Given] = dc_field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Expected:
    """One value that a record has to have: the path in a formula, and what it gives."""

    formula: Formula
    value: Given
    mark: Mark | None


@dataclass(frozen=True, slots=True)
class Expectation:
    """One thing that has to hold in the end. `kind` says what; which of the others are there depends on it."""

    kind: str
    mark: Mark | None
    user: str = ""  # whose eyes it is seen with
    word: str = ""  # the entity, report, workflow or person
    state: str = ""
    target: Formula | None = None
    where: Formula | None = None
    times: int | None = None
    said: Mapping[str, Given] = dc_field(default_factory=dict)
    values: Mapping[str, Expected] = dc_field(default_factory=dict)
    params: Mapping[str, Given] = dc_field(default_factory=dict)
    rows: tuple[Any, ...] | None = None
    flags: Mapping[str, bool] = dc_field(default_factory=dict)  # visible, exists, hidden
    fields: Mapping[str, tuple[str, ...]] = dc_field(default_factory=dict)  # hidden, masked, readonly


@dataclass(frozen=True, slots=True)
class Scenario:
    """One test of a layer."""

    key: str
    mark: Mark | None
    label: str = ""
    now: str = ""  # as it is written, in the tenant's time zone
    actors: Mapping[str, Actor] = dc_field(default_factory=dict)
    settings: Mapping[str, Any] = dc_field(default_factory=dict)
    given: tuple[Action, ...] = ()
    when: tuple[Action, ...] = ()
    expect: tuple[Expectation, ...] = ()
