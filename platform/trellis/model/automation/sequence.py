"""What makes a workflow a sequence: when it ends by itself, and when it leaves people alone."""

from __future__ import annotations

from dataclasses import dataclass

from trellis.formula.formula import Formula
from trellis.model.quiet import Quiet
from trellis.model.tracking import Tracking

PREFIX = "sequence:"  # what the workflows of sequences are called
ZONE = "time_zone"  # the field of a record that says where somebody lives


@dataclass(frozen=True, slots=True)
class Sequence:
    """The rules of a sequence."""

    entity: str
    stop: Formula | None = None
    quiet: Quiet | None = None
    by_itself: bool = True  # it takes records by its condition; else only by hand
    track: Tracking | None = None
