"""Filter chips: an operator and an operand as the text of a formula."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from trellis.formula.types import Location, Money, Ref
from trellis.model.fields.base import Invalid, blank, wrong_kind
from trellis.model.numbers import plain

if TYPE_CHECKING:
    from trellis.model.fields.base import FieldType

# A period by name, as the bounds (first, last) of its days.
PERIODS: dict[str, tuple[str, str]] = {
    "today": ("today()", "today()"),
    "yesterday": ("today() - days(1)", "today() - days(1)"),
    "tomorrow": ("today() + days(1)", "today() + days(1)"),
    **{f"last_{n}_days": (f"today() - days({n})", "today()") for n in (7, 30, 90, 365)},
    **{f"next_{n}_days": ("today()", f"today() + days({n})") for n in (7, 30, 90, 365)},
    **{
        f"{name}_{unit}": (
            f'start_of(today() {sign} {step}, "{unit}")' if sign else f'start_of(today(), "{unit}")',
            f'end_of(today() {sign} {step}, "{unit}")' if sign else f'end_of(today(), "{unit}")',
        )
        for unit, step in (("week", "weeks(1)"), ("month", "months(1)"), ("quarter", "months(3)"), ("year", "years(1)"))
        for name, sign in (("this", ""), ("last", "-"), ("next", "+"))
    },
}
_WORDS = {"me", "my_team"}


def quote(text: str) -> str:
    """A text as a formula's literal."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def literal(value: Any) -> str:
    """A value as a formula writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Money):
        return plain(value.amount)
    if isinstance(value, (int, Decimal)):
        return plain(Decimal(value))
    if isinstance(value, datetime):
        return f"datetime({quote(value.astimezone(UTC).isoformat().replace('+00:00', 'Z'))})"
    if isinstance(value, date):
        return f"date({quote(value.isoformat())})"
    if isinstance(value, timedelta):
        return f"minutes({plain(Decimal(value // timedelta(microseconds=1)) / 60_000_000)})"
    if isinstance(value, Ref):
        return quote(str(value.id))
    if isinstance(value, (time, UUID, str)):
        return quote(str(value))
    if isinstance(value, Location):
        raise wrong_kind("a value that can be compared")
    return "(" + ", ".join(literal(item) for item in value) + ")"


def _reader() -> Any:
    from trellis.formula.reader import Reader

    return Reader()


def _one(type: FieldType, operand: Any) -> str:
    """An operand as a formula's text: words (me, today) as they are, the rest read as the field reads it."""
    if isinstance(operand, str) and operand in _WORDS:
        return operand
    value = type.formula_value(type.parse(operand, _reader()))
    if value is None:
        return "blank"
    return literal(value)


def _many(operand: Any) -> list[Any]:
    if isinstance(operand, str):
        return [part.strip() for part in operand.split(",") if part.strip()]
    return list(operand) if isinstance(operand, (list, tuple)) else [operand]


def _compare(type: FieldType, key: str, operator: str, operand: Any) -> str:
    if operand == "my_team":
        return f"in_my_team({key})" if False else f"{key} in my_team"
    return f"{key} {operator} {_one(type, operand)}"


def _contains(type: FieldType, key: str, operator: str, operand: Any) -> str:
    return f"{operator}({key}, {quote(str(operand))})"


def _within(type: FieldType, key: str, operator: str, operand: Any) -> str:
    items = [_one(type, item) for item in _many(operand)]
    if not items:
        raise wrong_kind("at least one value")
    listed = ", ".join(items)
    return f"{key} {'not in' if operator == 'not_in' else 'in'} ({listed}{',' if False else ''})"


def _between(type: FieldType, key: str, operator: str, operand: Any) -> str:
    bounds = _many(operand)
    if len(bounds) != 2:
        raise wrong_kind("two bounds")
    low, high = ("" if blank(bound) else _one(type, bound) for bound in bounds)
    if low and high:
        return f"{key} between ({low}, {high})"
    return f"{key} >= {low}" if low else f"{key} <= {high}"


def _period(type: FieldType, key: str, operator: str, operand: Any) -> str:
    if operand not in PERIODS:
        raise Invalid("invalid", "“{value}” is not a period.", value=str(operand)[:40])
    first, last = PERIODS[operand]
    if type.name == "datetime":
        return f"{key} >= {first} and {key} < {last} + days(1)"
    return f"{key} between ({first}, {last})"


def _has(type: FieldType, key: str, operator: str, operand: Any) -> str:
    tests = []
    for item in _many(operand):
        parsed: Sequence[Any] = type.parse([item], _reader()) or ()
        tests += [f"{literal(part)} in {key}" for part in parsed]
    if not tests:
        raise wrong_kind("at least one value")
    either = " or ".join(tests)
    return f"not ({either})" if operator == "has_not" else either if len(tests) == 1 else f"({either})"


def _blank(type: FieldType, key: str, operator: str, operand: Any) -> str:
    return f"is_blank({key})" if operator == "is_blank" else f"not is_blank({key})"


_WRITERS: dict[str, Callable[[FieldType, str, str, Any], str]] = {
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), _compare),
    **dict.fromkeys(("contains", "starts_with", "ends_with"), _contains),
    **dict.fromkeys(("in", "not_in"), _within),
    **dict.fromkeys(("has", "has_not"), _has),
    **dict.fromkeys(("is_blank", "is_not_blank"), _blank),
    "between": _between,
    "in_period": _period,
}
_PATH = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*")


def filter_formula(type: FieldType, key: str, operator: str, operand: Any) -> str:
    """The formula text of a filter chip; `key` is the field or a path to it. Raises Invalid."""
    if operator not in type.operators or not _PATH.fullmatch(key):
        raise Invalid("invalid", "“{value}” is not a filter of this field.", value=operator)
    return _WRITERS[operator](type, key, operator, operand)
