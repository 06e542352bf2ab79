"""Whether a value is the one that a scenario expects, whichever way it is written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from trellis.formula.env import RecordLike
from trellis.formula.types import Money, Ref, Value

SEVERAL = (list, tuple, set, frozenset)


def same(expected: Any, found: Any, zone: ZoneInfo) -> bool:
    """Whether the two mean the same: `500` is 500.00 EUR, a title is the record, a day is that day in the zone."""
    expected, found = _bare(expected), _bare(found)
    if isinstance(expected, SEVERAL) or isinstance(found, SEVERAL):
        return _alike(expected, found, zone)
    if expected in (None, "") or found in (None, ""):
        return expected in (None, "") and found in (None, "")
    if isinstance(expected, bool) or isinstance(found, bool):
        return str(expected).lower() == str(found).lower()
    if isinstance(found, Ref):
        return found == expected or (isinstance(expected, str) and expected in (found.title, str(found.id)))
    if isinstance(found, Money):
        return same(expected, found.amount, zone) or _texts(expected) == f"{found.amount} {found.currency}"
    if isinstance(expected, Money):
        return same(expected.amount, found, zone)
    if isinstance(found, datetime):
        return _moment(expected, found, zone)
    if isinstance(found, date):
        return _texts(expected) == found.isoformat()
    if isinstance(found, (Decimal, int, float)):
        return _number(expected) == _number(found)
    if isinstance(found, Mapping) and isinstance(expected, str):  # a name or an address, in whatever order it is said
        return sorted(expected.split()) == sorted(" ".join(str(v) for v in found.values() if v).split())
    return _texts(expected) == _texts(found)


def written(value: Any) -> str:
    """A value for a message."""
    value = _bare(value)
    if value is None or value == "":
        return "blank"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Ref):
        return value.title or f"{value.entity} {value.id}"
    if isinstance(value, Money):
        return f"{value.amount} {value.currency}"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {written(each)}" for key, each in value.items()) + "}"
    if isinstance(value, SEVERAL):
        return "[" + ", ".join(written(each) for each in value) + "]"
    return str(value)


def _bare(value: Value) -> Any:
    if isinstance(value, RecordLike) and not isinstance(value, (Ref, dict)) and value.id is not None:
        return Ref(value.entity, value.id)
    return value


def _alike(expected: Any, found: Any, zone: ZoneInfo) -> bool:
    """Several values, in whatever order."""
    wanted = list(expected) if isinstance(expected, SEVERAL) else [] if expected in (None, "") else [expected]
    left = list(found) if isinstance(found, SEVERAL) else [] if found in (None, "") else [found]
    for each in wanted:
        at = next((i for i, one in enumerate(left) if same(each, one, zone)), None)
        if at is None:
            return False
        del left[at]
    return not left


def _moment(expected: Any, found: datetime, zone: ZoneInfo) -> bool:
    local = found.astimezone(zone)
    if isinstance(expected, datetime):
        return expected == found
    if isinstance(expected, date):
        return local.date() == expected
    try:
        wanted = datetime.fromisoformat(str(expected))
    except ValueError:
        return False
    if len(str(expected)) <= len("2026-01-01"):
        return local.date() == wanted.date()
    return wanted == (found if wanted.tzinfo is not None else local.replace(tzinfo=None))


def _number(value: Any) -> Decimal | None:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def _texts(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
