"""Values of a run as JSON, and back again: what a step gave is known to those after it, weeks later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from trellis.formula.env import RecordLike
from trellis.formula.types import Location, Money, Ref, Value


def freeze(value: Value) -> Any:
    """A value as JSON; what JSON does not know stands in a mapping with one key that begins with $."""
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, Ref):
        return {"$ref": [value.entity, str(value.id)]}
    if isinstance(value, Money):
        return {"$money": [str(value.amount), value.currency, None if value.base is None else str(value.base)]}
    if isinstance(value, Location):
        return {"$location": [value.latitude, value.longitude]}
    if isinstance(value, Mapping):
        return {str(key): freeze(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [freeze(each) for each in value]
    if isinstance(value, RecordLike):
        return None if value.id is None else {"$ref": [value.entity, str(value.id)]}
    for kind, (name, write, _read) in _KINDS.items():
        if isinstance(value, kind):
            return {name: write(value)}
    return str(value)


def thaw(stored: Any) -> Value:
    """The value of its JSON."""
    if isinstance(stored, list):
        return tuple(thaw(each) for each in stored)
    if not isinstance(stored, dict):
        return stored
    if len(stored) == 1:
        [(name, written)] = stored.items()
        if name == "$ref":
            return Ref(written[0], UUID(written[1]))
        if name == "$money":
            amount, currency, base = written
            return Money(Decimal(amount), currency, None if base is None else Decimal(base))
        if name == "$location":
            return Location(*written)
        if name in _BY_NAME:
            return _BY_NAME[name](written)
    return {key: thaw(each) for key, each in stored.items()}


# datetime stands before date, which it is a kind of
_KINDS: dict[type, tuple[str, Any, Any]] = {
    Decimal: ("$number", str, Decimal),
    datetime: ("$moment", datetime.isoformat, datetime.fromisoformat),
    date: ("$date", date.isoformat, date.fromisoformat),
    time: ("$time", time.isoformat, time.fromisoformat),
    timedelta: ("$length", lambda value: value / timedelta(microseconds=1), lambda us: timedelta(microseconds=us)),
    UUID: ("$id", str, UUID),
}
_BY_NAME = {name: read for name, _write, read in _KINDS.values()}
