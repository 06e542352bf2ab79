"""What the door hands out: records, pages, counts, choices and changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dc_field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from trellis.formula.types import Ref, Value

if TYPE_CHECKING:
    from trellis.records.refusal import Fault

Slot = Callable[[Sequence[Any]], Value]


@dataclass(frozen=True, slots=True)
class Shape:
    """How the rows of one query are read: a reader by path, and the places of the system columns."""

    entity: str
    slots: Mapping[str, Slot]
    id: int
    version: int
    title: Slot
    deleted_at: int


class Record:
    """One record as it was read: a value by field path, decoded when it is asked for."""

    __slots__ = ("_cache", "_row", "_shape", "warnings")

    def __init__(self, shape: Shape, row: Sequence[Any], extra: dict[str, Value] | None = None) -> None:
        self._shape = shape
        self._row = row
        self.warnings: tuple[Fault, ...] = ()  # of a save: what was done all the same
        self._cache: dict[str, Value] = extra if extra is not None else {}

    @property
    def entity(self) -> str:
        """The entity's key."""
        return self._shape.entity

    @property
    def id(self) -> UUID:
        """The record's id."""
        found: UUID = self._row[self._shape.id]
        return found

    @property
    def version(self) -> int:
        """Which save this is; given back with an update, it finds a stale one."""
        found: int = self._row[self._shape.version]
        return found

    @property
    def title(self) -> str:
        """What names the record for people."""
        return self._shape.title(self._row) or ""

    @property
    def deleted_at(self) -> datetime | None:
        """When it went to the bin; None for a live record."""
        found: datetime | None = self._row[self._shape.deleted_at]
        return found

    @property
    def ref(self) -> Ref:
        """The record as a link's value."""
        return Ref(self.entity, self.id, self.title)

    def __getitem__(self, path: str) -> Value:
        cache = self._cache
        if path in cache:
            return cache[path]
        value = self._shape.slots[path](self._row)
        cache[path] = value
        return value

    def get(self, path: str, default: Value = None) -> Value:
        """The value at a path; the default when it was not asked for."""
        try:
            return self[path]
        except KeyError:
            return default

    def __contains__(self, path: object) -> bool:
        return path in self._cache or path in self._shape.slots

    def __iter__(self) -> Iterator[str]:
        yield from self._shape.slots
        yield from (path for path in self._cache if path not in self._shape.slots)

    def keys(self) -> list[str]:
        """The paths that were asked for."""
        return list(self)

    def __repr__(self) -> str:
        return f"<Record {self.entity} {self.id} {self.title!r}>"


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list; `next` is the cursor of the page after it, None at the end."""

    rows: list[Record]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """How many; `capped` says that there are more than were counted."""

    n: int
    capped: bool = False

    def __str__(self) -> str:
        return f"{self.n:,}{'+' if self.capped else ''}"


@dataclass(frozen=True, slots=True)
class Group:
    """One value of a grouped list (a board's column) with its count and totals."""

    value: Value
    count: int
    totals: Mapping[str, Value] = dc_field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Choice:
    """A record that a picker offers."""

    ref: Ref
    title: str
    detail: str = ""
    merged_from: str = ""  # the name of a merged record that it was found by
    depth: int = 0  # how far below others of the same offer it stands in a tree


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field's old and new value, with links as Refs that carry the titles of the time."""

    field: str
    old: Value
    new: Value


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of a record's history."""

    id: int
    at: datetime
    by: Ref | None
    by_name: str
    means: str
    kind: str
    changes: tuple[FieldChange, ...] = ()
    version: int | None = None
    cause: Any = None
    record: UUID | None = None  # whose entry it is: its own, or that of one that was merged into it


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row of a batch: created, updated, unchanged or refused."""

    status: str
    id: UUID | None = None
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldState:
    """A field of an open form, as the conditions have it."""

    visible: bool = True
    required: bool = False
    readonly: bool = False  # as it stands in the form now
    closed: bool = False  # a save would refuse a change
    choices: tuple[str, ...] | None = None
    unfit: tuple[str, ...] = ()  # the ids of linked records that do not fit the link's filter any more


@dataclass(frozen=True, slots=True)
class FormState:
    """What `conditions live` answers: each field's state, defaults still to be filled in, computed values, sections."""

    fields: Mapping[str, FieldState]
    defaults: Mapping[str, Value] = dc_field(default_factory=dict)
    computed: Mapping[str, Value] = dc_field(default_factory=dict)
    sections: Mapping[str, bool] = dc_field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    alike: tuple[Fault, ...] = ()  # what this looks like already, before it is saved
    currencies: Mapping[str, str] = dc_field(default_factory=dict)  # of amounts whose currency another field says
