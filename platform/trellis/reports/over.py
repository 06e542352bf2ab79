"""Measures that are computed from the groups around: running totals, shares, changes, ranks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from trellis.formula import exact
from trellis.formula.types import Money, Value
from trellis.model.text import Text
from trellis.reports.asking import number
from trellis.reports.conditions import both
from trellis.reports.result import Behind

Over = Callable[[Sequence[Value], Value], list[Value]]


MOST_NAMED = 60  # lines whose records one filter is about
LINE = Text("the records of the line")
BOTH = Text("the records of this line and of the one before")


def behind_over(over: str, lines: Sequence[tuple[str, ...]], at: int, conditions: tuple[str, ...]) -> Behind | None:
    """The records that such a number is computed from; `lines`: the conditions of each line, `at`: which it is.

    None of more lines than a filter can name.
    """
    first = {"running": 0, "change": max(at - 1, 0)}.get(over, at)
    if at - first > MOST_NAMED:
        return None
    says = {"running": None, "change": BOTH}.get(over, LINE)
    return Behind((*either(lines[first : at + 1]), *conditions), says=says)


def either(lines: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The conditions for the records of several lines together."""
    if len(lines) == 1 or not all(lines):
        return lines[0] if len(lines) == 1 else ()
    return (" or ".join(f"({both(*each)})" for each in lines),)


def _running(values: Sequence[Value], total: Value) -> list[Value]:
    """Each with all before it."""
    found: list[Value] = []
    at: Any = None
    for value in values:
        if value is not None:
            at = value if at is None else _add(at, value)
        found.append(at)
    return found


def _share(values: Sequence[Value], total: Value) -> list[Value]:
    """How much of the whole, in percent."""
    whole = number(total)
    return [None if v is None or not whole else _percent(number(v), whole) for v in values]


def _change(values: Sequence[Value], total: Value) -> list[Value]:
    """How much more than the one before, in percent."""
    found: list[Value] = []
    for n, value in enumerate(values):
        before = number(values[n - 1]) if n else None
        found.append(change(number(value), before))
    return found


def _rank(values: Sequence[Value], total: Value) -> list[Value]:
    """The place by size; equals share one."""
    places: dict[Any, int] = {}
    for n, size in enumerate(sorted((number(v) for v in values if v is not None), reverse=True), 1):
        places.setdefault(size, n)
    return [None if v is None else places[number(v)] for v in values]


OVER: Mapping[str, Over] = {"running": _running, "share": _share, "change": _change, "rank": _rank}


def change(now: Any, before: Any) -> Decimal | None:
    """How much more, in percent; blank where there was nothing before."""
    if now is None or before is None or not before:
        return None
    return _percent(now - before, abs(before))


def _percent(part: Any, whole: Any) -> Decimal | None:
    seconds = getattr(part, "total_seconds", None)
    if seconds is not None:
        part, whole = Decimal(str(part.total_seconds())), Decimal(str(whole.total_seconds()))
    return exact.divide(exact.decimal(part) * 100, exact.decimal(whole))


def _add(one: Value, other: Value) -> Value:
    if isinstance(one, Money):
        total = number(one) + number(other)
        return Money(total, one.currency, total)
    return one + other
