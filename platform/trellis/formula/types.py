"""The types that formulas are checked with, and the values that they compute."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

Kind = Literal[
    "text",
    "number",
    "money",
    "boolean",
    "date",
    "datetime",
    "time",
    "duration",
    "period",
    "record",
    "list",
    "records",
    "name",
    "address",
    "location",
    "json",
    "blank",
    "any",
]


@dataclass(frozen=True, slots=True)
class Type:
    """The type of a formula.

    `record` is a link to one of `entities` (empty: any). `list` holds `item`s (choices, tags, list).
    `records` is an inverse list or a links field: only counted, summed, tested with `in`.
    `choices` are the values that a text can have, with what shows as their labels; they do not tell types apart.
    """

    kind: Kind
    entities: tuple[str, ...] = ()
    item: Type | None = None
    choices: Mapping[str, object] | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        if self.entities:
            return f"{self.kind} of {' or '.join(self.entities)}"
        return f"list of {self.item}" if self.item else self.kind


TEXT = Type("text")
NUMBER = Type("number")
MONEY = Type("money")
BOOLEAN = Type("boolean")
DATE = Type("date")
DATETIME = Type("datetime")
TIME = Type("time")
DURATION = Type("duration")
PERIOD = Type("period")  # calendar months, of months() and years(): an int
NAME = Type("name")
ADDRESS = Type("address")
LOCATION = Type("location")
JSON = Type("json")
BLANK = Type("blank")
ANY = Type("any")


def record_of(*entities: str) -> Type:
    """A link to a record of one of the entities."""
    return Type("record", entities)


def records_of(entity: str) -> Type:
    """An inverse list, or a links field, of records of the entity."""
    return Type("records", (entity,))


RECORDS = Type("records")  # expected where a formula may give a list of records of any entity


def list_of(item: Type) -> Type:
    """A list of values."""
    return Type("list", item=item)


def of_any(types: Iterable[Type]) -> Type:
    """The type of a value that has one of several types, which are the same but for their choices."""
    first, *others = types
    if first.kind == "list" and first.item is not None:
        return replace(first, item=of_any([first.item, *(t.item or TEXT for t in others)]))
    if not others or first.choices is None:
        return first
    known = [t.choices for t in (first, *others)]
    joined = None if None in known else {k: v for c in known if c is not None for k, v in c.items()}
    return replace(first, choices=joined)


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in an ISO 4217 currency; `base` is the amount in the tenant's currency at the record's rate."""

    amount: Decimal
    currency: str
    base: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Ref:
    """A link's value: which record, and its title when it was read along. Two refs are the same if the records are."""

    entity: str
    id: UUID
    title: str | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ref) and (self.entity, self.id) == (other.entity, other.id)

    def __hash__(self) -> int:
        return hash((self.entity, self.id))


@dataclass(frozen=True, slots=True)
class Location:
    """A point on the earth, in degrees (WGS 84)."""

    latitude: float
    longitude: float


Value = Any
"""A formula's value in Python: None (blank), str, Decimal, Money, bool, date, datetime (aware, UTC), time, timedelta,
Ref, Location, tuple of these, or dict for name, address and json."""
