"""What a formula is evaluated with in Python: a record, its surroundings, and the reader."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dc_field
from typing import Protocol, runtime_checkable
from uuid import UUID

from trellis.formula.reader import Reader
from trellis.formula.types import Ref, Type, Value


@runtime_checkable
class RecordLike(Protocol):
    """A record in hand: stored, about to be stored, or in an open form."""

    @property
    def entity(self) -> str:
        """The entity's key."""

    @property
    def id(self) -> UUID | None:
        """The record's id; None before the first save."""

    def get(self, name: str) -> Value:
        """Any field's value, derived ones too. On a row of a links field, `via.part` is the link's own column."""


class Graph(Protocol):
    """The way from a record to others."""

    def follow(self, ref: Ref) -> RecordLike | None:
        """The record that a link points to; also one in the bin, which still has its values."""

    def children(self, record: RecordLike, name: str) -> Sequence[RecordLike]:
        """The live records of an inverse list or a links field: by position, else by creation."""

    def title(self, ref: Ref) -> str | None:
        """What names the record in a text."""


class NoGraph:
    """A graph without edges, for values that stand alone."""

    def follow(self, ref: Ref) -> RecordLike | None:
        """Leads nowhere."""
        return None

    def children(self, record: RecordLike, name: str) -> Sequence[RecordLike]:
        """Lists nothing."""
        return ()

    def title(self, ref: Ref) -> str | None:
        """The title that was read along."""
        return ref.title


NO_GRAPH = NoGraph()

Speak = Callable[[Value, Type, Reader], "str | None"]
"""Writes a value as its reader does; None where it is written alike in every language."""


@dataclass(slots=True)
class Env:
    """One evaluation. `variables` holds a workflow's steps by name (values, Refs or RecordLikes), and `param`.

    `this` is the record whose form is open; inside an aggregate it is the outer record. `old` is the record before the
    change.
    """

    record: RecordLike | None
    reader: Reader
    graph: Graph = NO_GRAPH
    old: RecordLike | None = None
    this: RecordLike | None = None
    is_new: bool = False
    variables: Mapping[str, Value] = dc_field(default_factory=dict)
    outer: Env | None = None  # inside an aggregate: the evaluation around it
    speak: Speak | None = None  # in a text for people: how the values of its {formulas} are written
