"""What a workflow does: one class for each kind of step. What each does when it runs stands in automation/steps/."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as dc_field
from typing import Literal

from trellis.formula.formula import Formula
from trellis.model.field import Field
from trellis.model.given import Given
from trellis.model.spans import Span
from trellis.model.text import NO_TEXT, Text

NOTHING = Given()


@dataclass(frozen=True, slots=True)
class Retry:
    """A failed step is done again so many times, each after twice the wait."""

    times: int
    backoff: Span


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step. `place` is where it stands in its workflow (`2.then.0`), `name` what later steps call its result."""

    place: str
    when: Formula | None = None
    name: str = ""
    label: Text = NO_TEXT
    on_error: Literal["stop", "continue"] | Retry = "stop"

    @property
    def blocks(self) -> Mapping[str, tuple[Step, ...]]:
        """The steps inside it, by the word that they stand under."""
        return {}


Steps = tuple[Step, ...]


def every_step(steps: Steps) -> Iterator[Step]:
    """The steps and all those inside them, in their order."""
    for step in steps:
        yield step
        for block in step.blocks.values():
            yield from every_step(block)


@dataclass(frozen=True, kw_only=True)
class SetValues(Step):
    """Changes the record that set the workflow off."""

    values: Mapping[str, Given]


@dataclass(frozen=True, kw_only=True)
class Refuse(Step):
    """Refuses the save, with a message at a field."""

    text: Given
    field: str | None = None


@dataclass(frozen=True, kw_only=True)
class Create(Step):
    """Makes a record."""

    entity: str
    values: Mapping[str, Given] = dc_field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Update(Step):
    """Changes another record, or several."""

    target: Formula
    values: Mapping[str, Given] = dc_field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Delete(Step):
    """Puts a record into the recycle bin."""

    target: Formula


@dataclass(frozen=True, kw_only=True)
class Restore(Step):
    """Takes a record out of the recycle bin."""

    target: Formula


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of records: `list` of the record that `record` gives (None: the one in hand), or what a step found."""

    record: Formula | None
    list: str = ""
    found: Formula | None = None


@dataclass(frozen=True, kw_only=True)
class Link(Step):
    """Joins a record to a list, with the link's own columns."""

    list: ListOf
    to: Formula
    values: Mapping[str, Given] = dc_field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Unlink(Step):
    """Takes a record out of a list."""

    list: ListOf
    to: Formula


@dataclass(frozen=True, kw_only=True)
class Find(Step):
    """Finds a record, or several."""

    entity: str
    where: Formula | None = None
    many: bool = False
    sort: tuple[str, ...] = ()
    limit: int | None = None


@dataclass(frozen=True, kw_only=True)
class Each(Step):
    """Does its steps for each record of a list, as `item`."""

    list: ListOf
    filter: Formula | None = None
    steps: Steps = ()

    @property
    def blocks(self) -> Mapping[str, Steps]:
        """The steps for each record."""
        return {"steps": self.steps}


@dataclass(frozen=True, slots=True)
class Among:
    """Of whom somebody is chosen."""

    team: str = ""
    role: str = ""
    users: Given = NOTHING
    when: Formula | None = None
    skill: Formula | None = None


@dataclass(frozen=True, slots=True)
class Choosing:
    """How an owner is chosen: in turn, by spare capacity, by skill, or by a formula."""

    to: Literal["round-robin", "least-loaded", "by-skill"] | Formula
    among: Among = Among()
    capacity: int | None = None
    skill: Formula | None = None


@dataclass(frozen=True, kw_only=True)
class Assign(Step):
    """Gives the record an owner."""

    choosing: Choosing
    field: str = ""


@dataclass(frozen=True, kw_only=True)
class Notify(Step):
    """Tells people."""

    to: Given
    text: Given
    via: tuple[str, ...] = ()  # none: as each person has chosen
    kind: str = "workflow"
    link: Given = NOTHING


@dataclass(frozen=True, kw_only=True)
class Send(Step):
    """Sends a message by mail, SMS or chat."""

    channel: Literal["email", "sms", "chat"]
    template: str = ""
    given: Mapping[str, Given] = dc_field(default_factory=dict)  # to, cc, bcc, from, subject, body, text, attach, …


@dataclass(frozen=True, kw_only=True)
class Wait(Step):
    """Waits: so long, until a moment, or until something holds, at most so long."""

    span: Span | None = None
    at: Formula | None = None
    until: Formula | None = None
    reads: frozenset[str] = frozenset()  # the entities whose records `until` looks at
    at_most: Span | None = None


@dataclass(frozen=True, kw_only=True)
class If(Step):
    """Does one block or the other."""

    condition: Formula
    then: Steps = ()
    otherwise: Steps = ()

    @property
    def blocks(self) -> Mapping[str, Steps]:
        """Both blocks."""
        return {"then": self.then, "else": self.otherwise}


@dataclass(frozen=True, kw_only=True)
class Switch(Step):
    """Does the block of the case that the value is."""

    value: Formula
    cases: Mapping[str, Steps] = dc_field(default_factory=dict)
    otherwise: Steps = ()

    @property
    def blocks(self) -> Mapping[str, Steps]:
        """The block of each case, and the other one."""
        return {**{f"cases.{key}": steps for key, steps in self.cases.items()}, "else": self.otherwise}


@dataclass(frozen=True, kw_only=True)
class Approve(Step):
    """Asks people to approve; the result has `outcome`: approved or rejected."""

    by: Given
    need: Literal["all", "any"] | int = "all"
    order: Literal["together", "in-turn"] = "together"
    lock: bool = False
    edit: Given = NOTHING  # who may change the record while it is locked
    nobody: Literal["fail", "approve", "reject", "admin"] = "fail"  # what is done where there is nobody to ask
    within: Span | None = None
    late: Literal["remind", "approve", "reject"] = "remind"
    title: Given = NOTHING
    text: Given = NOTHING
    form: Mapping[str, Field] = dc_field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Request(Step):
    """Sends a request to another system; the result has `status` and `body`."""

    url: Given
    method: str = "POST"
    body: Given = NOTHING
    headers: Mapping[str, Given] = dc_field(default_factory=dict)
    query: Mapping[str, Given] = dc_field(default_factory=dict)
    sign: bool = False
    secret: str = ""
    timeout: Span | None = None


@dataclass(frozen=True, kw_only=True)
class MakeDocument(Step):
    """Makes a paper from a record and keeps it with the record."""

    document: str
    of: Formula | None = None


@dataclass(frozen=True, kw_only=True)
class Run(Step):
    """Runs another workflow, and waits for it unless told otherwise."""

    workflow: str
    on: Formula | None = None
    values: Mapping[str, Given] = dc_field(default_factory=dict)
    wait: bool = True


@dataclass(frozen=True, kw_only=True)
class Convert(Step):
    """Converts the record that set the workflow off, as `convert:` of its entity says."""

    entity: str
    values: Mapping[str, Given] = dc_field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Log(Step):
    """Writes a line into the run's log."""

    text: Given


@dataclass(frozen=True, kw_only=True)
class Stop(Step):
    """Ends the run, with a reason."""

    text: Given
