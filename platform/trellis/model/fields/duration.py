"""Lengths of time: durations, and reminders before a point in time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from sqlalchemy.dialects.postgresql import ARRAY, INTERVAL
from sqlalchemy.types import TypeEngine

from trellis.formula.types import DURATION, Type, Value, list_of
from trellis.model.durations import read_duration, show_duration, write_duration
from trellis.model.fields.base import FieldType, Invalid, blank, compare_bounds, wrong_kind
from trellis.model.fields.number import NUMBER_OPERATORS
from trellis.model.fields.option import option
from trellis.model.fields.registry import field_type
from trellis.model.locales import babel_locale

if TYPE_CHECKING:
    from trellis.formula.reader import Reader


def to_duration(raw: Any, unit: str) -> timedelta:
    """A length of time as given; a bare number counts `unit`. Raises Invalid."""
    if isinstance(raw, timedelta):
        return raw
    if isinstance(raw, (int, float, Decimal)) and not isinstance(raw, bool):
        raw = format(Decimal(str(raw)), "f")
    found = read_duration(raw, unit) if isinstance(raw, str) else None
    if found is None:
        raise Invalid("invalid", "“{value}” is not a length of time. Write it like 2h 30m.", value=str(raw)[:40])
    return found


@field_type("duration")
@dataclass(frozen=True, kw_only=True)
class Duration(FieldType):
    """A length of time."""

    doc: ClassVar[str] = "A length of time, like 2h 30m."
    widget: ClassVar[str] = "duration"
    cell: ClassVar[str] = "duration"
    operators: ClassVar[tuple[str, ...]] = NUMBER_OPERATORS
    is_numeric: ClassVar[bool] = True

    min: str | None = option(None, "the shortest, like `15 min`")
    max: str | None = option(None, "the longest, like `8 h`")
    unit: Literal["seconds", "minutes", "hours", "days"] = option("minutes", "what a bare number counts")
    between: tuple[str, ...] = option(
        (), "the two date or time fields whose distance it is", {"type": "array", "minItems": 2, "maxItems": 2}
    )

    def __post_init__(self) -> None:
        for bound in (self.min, self.max):
            if bound is not None:
                to_duration(bound, self.unit)

    def formula_type(self) -> Type:
        return DURATION

    def columns(self) -> Mapping[str, TypeEngine[Any]]:
        return {"": INTERVAL()}

    def parse(self, raw: Any, reader: Reader) -> Value:
        return None if blank(raw) else to_duration(raw, self.unit)

    def check(self, value: Value) -> Iterator[Invalid]:
        low, high = (None if bound is None else to_duration(bound, self.unit) for bound in (self.min, self.max))
        yield from compare_bounds(value, low, high, lambda bound: self.min if bound == low else self.max)

    def to_json(self, value: Value) -> Any:
        return None if value is None else write_duration(value)

    def display(self, value: Value, reader: Reader) -> str:
        return "" if value is None else show_duration(value, babel_locale(reader.language))

    def search_text(self, value: Value) -> str:
        return ""


@field_type("reminders")
@dataclass(frozen=True, kw_only=True)
class Reminders(FieldType):
    """How long before a point in time people are reminded."""

    doc: ClassVar[str] = "How long before the point in time in the field `for` people are reminded; several."
    widget: ClassVar[str] = "reminders"
    cell: ClassVar[str] = "reminders"
    operators: ClassVar[tuple[str, ...]] = ("is_blank", "is_not_blank")
    can_sort: ClassVar[bool] = False

    for_: str | None = option(None, "the date or datetime field that is reminded of", name="for")

    def formula_type(self) -> Type:
        return list_of(DURATION)

    def columns(self) -> Mapping[str, TypeEngine[Any]]:
        return {"": ARRAY(INTERVAL())}

    def to_columns(self, value: Value) -> dict[str, Any]:
        return {"": list(value) if value else None}

    def from_columns(self, columns: Mapping[str, Any]) -> Value:
        return tuple(columns[""]) if columns[""] else None

    def parse(self, raw: Any, reader: Reader) -> Value:
        if blank(raw):
            return None
        items = raw.replace("\n", ";").split(";") if isinstance(raw, str) else raw
        if isinstance(items, (int, timedelta)) and not isinstance(items, bool):
            items = [items]
        if not isinstance(items, (list, tuple)):
            raise wrong_kind("a list")
        return tuple(sorted({to_duration(item, "minutes") for item in items if not blank(item)})) or None

    def check(self, value: Value) -> Iterator[Invalid]:
        if any(before < timedelta() for before in value):
            yield Invalid("range", "Must be at least {min}.", min=0)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "array", "items": {"type": "string"}}

    def to_json(self, value: Value) -> Any:
        return [write_duration(item) for item in value or ()]

    def write_text(self, value: Value, reader: Reader) -> str:
        return "; ".join(self.to_json(value))

    def display(self, value: Value, reader: Reader) -> str:
        return ", ".join(show_duration(item, babel_locale(reader.language)) for item in value or ())

    def search_text(self, value: Value) -> str:
        return ""
