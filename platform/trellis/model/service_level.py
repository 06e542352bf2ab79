"""An `sla:` document as the Model holds it: how soon something must be done with a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dc_field
from datetime import timedelta

from trellis.formula.formula import Formula
from trellis.model.text import Text

STATES = {"running": "blue", "warned": "yellow", "paused": "gray", "met": "green", "breached": "red"}


@dataclass(frozen=True, eq=False)
class Target:
    """So much time, and after how much of it a warning is due, for records that `when` takes."""

    key: str
    label: Text
    within: timedelta
    warn: timedelta | None = None
    when: Formula | None = None


@dataclass(frozen=True, eq=False)
class ServiceLevel:
    """When its clock starts, stands still and is met; the first target that fits says how long it may take."""

    key: str
    entity: str
    label: Text
    start: Formula
    targets: Mapping[str, Target]
    calendar: str = ""  # "": every hour counts
    when: Formula | None = None
    met_when: Formula | None = None
    met_at: Formula | None = None
    pause_when: Formula | None = None
    digest: str = ""  # of what it says, and of its calendar
    fields: tuple[str, str] = ("", "")  # of the entity: until when, and how it stands
    reads: frozenset[str] | None = dc_field(default=None)  # the record's fields that it looks at; None: more than those

    @property
    def due_field(self) -> str:
        """The field of the record that says until when."""
        return self.fields[0]

    @property
    def state_field(self) -> str:
        """The field of the record that says how it stands."""
        return self.fields[1]
