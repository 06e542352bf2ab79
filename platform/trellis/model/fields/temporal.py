"""Dates and points in time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa
from babel.dates import format_date, format_time
from sqlalchemy.types import TypeEngine

from trellis.formula.types import DATE, DATETIME, TIME, Type, Value
from trellis.model.dates import read_date
from trellis.model.fields.base import FieldType, Invalid, blank, compare_bounds, wrong_kind
from trellis.model.fields.file_dates import read_file_date
from trellis.model.fields.option import FORMULA_SCHEMA, option
from trellis.model.fields.registry import field_type
from trellis.model.locales import babel_locale

if TYPE_CHECKING:
    from trellis.formula.formula import Formula
    from trellis.formula.reader import Reader
else:
    Formula = Any

DATE_OPERATORS = ("in_period", "==", "<", "<=", ">", ">=", "between", "is_blank", "is_not_blank")
_TIME = re.compile(
    r"(?P<before>[a-z上下午]*)\s*(?P<hour>\d{1,2})(?:[:.h时点](?P<minute>\d{2})分?(?::(?P<second>\d{2})(?P<part>\.\d{1,6})?)?)?"
    r"\s*(?P<after>[ap]\.?m\.?|uhr|时|点)?",
    re.IGNORECASE,
)


def read_time(text: str) -> time | None:
    """A time of day as people write it: 14:30, 2:30 pm, 14.30 Uhr, 下午2:30; or None."""
    match = _TIME.fullmatch(text.strip().lower().replace("：", ":").replace("\u202f", " "))
    if match is None:
        return None
    hour = int(match["hour"])
    marks = {(match["before"] or ""), (match["after"] or "").replace(".", "")}
    if not marks <= {"", "am", "pm", "上午", "下午", "uhr", "时", "点"}:
        return None
    bare = match["minute"] is None and marks == {""} and len(match["hour"]) > 2
    if marks & {"pm", "下午"} and hour < 12:
        hour += 12
    elif marks & {"am", "上午"} and hour == 12:
        hour = 0
    try:
        micro = int(((match["part"] or ".0")[1:] + "000000")[:6])
        return None if bare else time(hour, int(match["minute"] or 0), int(match["second"] or 0), micro)
    except ValueError:
        return None


def to_date(raw: Any, reader: Reader) -> date:
    """A date as given. Raises Invalid."""
    if isinstance(raw, datetime):
        return raw.astimezone(reader.time_zone).date() if raw.tzinfo else raw.date()
    if isinstance(raw, date):
        return raw
    if not isinstance(raw, str):
        raise wrong_kind("a date")
    text = raw.strip()
    found = read_date(text, babel_locale(reader.language), reader.today())
    if found is None and len(text) > 10:
        try:
            return to_date(datetime.fromisoformat(text), reader)
        except ValueError:
            pass
    if found is None:
        raise Invalid("invalid", "“{value}” is not a date. Write it like 2026-11-30.", value=text[:40])
    return found


def to_datetime(raw: Any, reader: Reader) -> datetime:
    """A point in time as given, in UTC; what names no zone is in the reader's. Raises Invalid."""
    if isinstance(raw, str):
        raw = _read_datetime(raw.strip(), reader)
    elif isinstance(raw, date) and not isinstance(raw, datetime):
        raw = datetime.combine(raw, time())
    if not isinstance(raw, datetime):
        raise wrong_kind("a date and time")
    aware = raw if raw.tzinfo else raw.replace(tzinfo=reader.time_zone)
    try:
        return aware.astimezone(UTC)
    except (OverflowError, ValueError) as fault:
        raise wrong_kind("a date and time") from fault


def _read_datetime(text: str, reader: Reader) -> datetime:
    if text.casefold() in ("now", "jetzt", "现在"):
        return reader.now
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    locale, today = babel_locale(reader.language), reader.today()
    if (found := read_date(text, locale, today)) is not None:
        return datetime.combine(found, time())
    if (alone := read_time(text)) is not None and (":" in text or not text.isdigit()):
        return datetime.combine(today, alone)
    for day, clock in _halves(text):
        if (found := read_date(day, locale, today)) is not None:
            return datetime.combine(found, clock)
    raise _no_datetime(text)


def _no_datetime(text: str) -> Invalid:
    return Invalid("invalid", "“{value}” is not a date and time. Write it like 2026-11-30 14:30.", value=text[:40])


def _halves(text: str) -> Iterator[tuple[str, time]]:
    """The date and the time, which stand on either side of a blank or a comma."""
    for gap in re.finditer(r"[,，]?\s+(?:um |at )?|T", text):
        if (clock := read_time(text[gap.end() :])) is not None:
            yield text[: gap.start()], clock


def _file_datetime(text: str, reader: Reader, *, neutral: bool) -> datetime:
    """A point in time in a file: like `to_datetime`, of a date that is clear. Raises Invalid."""
    try:
        return to_datetime(datetime.fromisoformat(text), reader)
    except ValueError:
        pass
    for day, clock in ((text, time()), *_halves(text)):
        if (found := read_file_date(day, reader, ordered=not neutral)) is not None:
            return to_datetime(datetime.combine(found, clock), reader)
    raise _no_datetime(text)


@field_type("date")
@dataclass(frozen=True, kw_only=True)
class DateField(FieldType):
    """A day in the calendar."""

    doc: ClassVar[str] = "A day in the calendar."
    widget: ClassVar[str] = "date"
    cell: ClassVar[str] = "date"
    operators: ClassVar[tuple[str, ...]] = DATE_OPERATORS

    min: date | Formula | None = option(None, "the earliest date", FORMULA_SCHEMA)
    max: date | Formula | None = option(None, "the latest date", FORMULA_SCHEMA)

    def formula_type(self) -> Type:
        return DATE

    def columns(self) -> Mapping[str, TypeEngine[Any]]:
        return {"": sa.Date()}

    def parse(self, raw: Any, reader: Reader) -> Value:
        return None if blank(raw) else to_date(raw, reader)

    def read_cell(self, text: str, reader: Reader, *, neutral: bool) -> Value:
        return None if blank(text) else read_file_date(text, reader, ordered=not neutral) or to_date(text, reader)

    def check(self, value: Value) -> Iterator[Invalid]:
        yield from compare_bounds(value, self.min, self.max)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date"}

    def to_json(self, value: Value) -> Any:
        return None if value is None else value.isoformat()

    def display(self, value: Value, reader: Reader) -> str:
        return "" if value is None else format_date(value, "medium", locale=babel_locale(reader.language))


@field_type("datetime")
@dataclass(frozen=True, kw_only=True)
class DateTimeField(FieldType):
    """A point in time, stored in UTC and shown in the reader's zone."""

    doc: ClassVar[str] = "A point in time, stored in UTC and shown in the reader's time zone."
    widget: ClassVar[str] = "datetime"
    cell: ClassVar[str] = "datetime"
    operators: ClassVar[tuple[str, ...]] = DATE_OPERATORS

    min: datetime | Formula | None = option(None, "the earliest point in time", FORMULA_SCHEMA)
    max: datetime | Formula | None = option(None, "the latest point in time", FORMULA_SCHEMA)
    all_day: str | None = option(None, "a boolean field: when it is true, only the date counts")

    def formula_type(self) -> Type:
        return DATETIME

    def columns(self) -> Mapping[str, TypeEngine[Any]]:
        return {"": sa.DateTime(timezone=True)}

    def from_columns(self, columns: Mapping[str, Any]) -> Value:
        stored = columns[""]
        return stored if stored is None else stored.astimezone(UTC)

    def parse(self, raw: Any, reader: Reader) -> Value:
        return None if blank(raw) else to_datetime(raw, reader)

    def read_cell(self, text: str, reader: Reader, *, neutral: bool) -> Value:
        return None if blank(text) else _file_datetime(text.strip(), reader, neutral=neutral)

    def check(self, value: Value) -> Iterator[Invalid]:
        yield from compare_bounds(value, _aware(self.min), _aware(self.max))

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date-time"}

    def to_json(self, value: Value) -> Any:
        return None if value is None else value.isoformat().replace("+00:00", "Z")

    def display(self, value: Value, reader: Reader) -> str:
        if value is None:
            return ""
        local = value.astimezone(reader.time_zone)
        locale = babel_locale(reader.language)
        day, clock = format_date(local.date(), "medium", locale=locale), format_time(local, "short", locale=locale)
        return str(locale.datetime_formats["medium"]).format(clock, day)


def _aware(bound: Any) -> Any:
    return bound.replace(tzinfo=UTC) if isinstance(bound, datetime) and bound.tzinfo is None else bound


@field_type("time")
@dataclass(frozen=True, kw_only=True)
class TimeField(FieldType):
    """A time of day, without a date."""

    doc: ClassVar[str] = "A time of day, without a date or a zone."
    widget: ClassVar[str] = "time"
    cell: ClassVar[str] = "time"
    operators: ClassVar[tuple[str, ...]] = ("==", "<", "<=", ">", ">=", "between", "is_blank", "is_not_blank")

    min: time | None = option(None, "the earliest time")
    max: time | None = option(None, "the latest time")

    def formula_type(self) -> Type:
        return TIME

    def columns(self) -> Mapping[str, TypeEngine[Any]]:
        return {"": sa.Time()}

    def parse(self, raw: Any, reader: Reader) -> Value:
        if blank(raw):
            return None
        if isinstance(raw, datetime):
            return raw.astimezone(reader.time_zone).time() if raw.tzinfo else raw.time()
        found = raw if isinstance(raw, time) else read_time(raw) if isinstance(raw, str) else None
        if found is None:
            raise Invalid("invalid", "“{value}” is not a time. Write it like 14:30.", value=str(raw)[:40])
        return found.replace(tzinfo=None)

    def check(self, value: Value) -> Iterator[Invalid]:
        yield from compare_bounds(value, self.min, self.max)

    def to_json(self, value: Value) -> Any:
        return None if value is None else value.isoformat(timespec="auto")

    def display(self, value: Value, reader: Reader) -> str:
        return "" if value is None else format_time(value, "short", locale=babel_locale(reader.language))
