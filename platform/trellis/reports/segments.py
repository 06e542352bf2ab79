"""Customers by three numbers: scores of one to five, or high and low, and the segments that they make."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from trellis.formula import exact

Test = Callable[[int, int, int], bool]
Limits = Mapping[str, list[Decimal]]
Column = ColumnElement[Any]
ELEVEN: tuple[tuple[str, Test], ...] = (
    ("Champions", lambda r, f, m: r >= 4 and f >= 4 and m >= 4),
    ("Can't lose them", lambda r, f, m: r <= 2 and f >= 4 and m >= 4),
    ("Loyal", lambda r, f, m: r >= 3 and f >= 4),
    ("New customers", lambda r, f, m: r == 5 and f == 1),
    ("Promising", lambda r, f, m: r == 4 and f == 1),
    ("Potential loyalists", lambda r, f, m: r >= 4),
    ("Need attention", lambda r, f, m: r == 3 and f >= 3),
    ("About to sleep", lambda r, f, m: r == 3),
    ("At risk", lambda r, f, m: f >= 3),
    ("Hibernating", lambda r, f, m: r == 2),
    ("Lost customers", lambda r, f, m: True),
)
EIGHT: tuple[tuple[str, Test], ...] = (
    ("Important: valued", lambda r, f, m: bool(r and f and m)),
    ("Important: keep", lambda r, f, m: bool(not r and f and m)),
    ("Important: develop", lambda r, f, m: bool(r and not f and m)),
    ("Important: win back", lambda r, f, m: bool(not r and not f and m)),
    ("General: valued", lambda r, f, m: bool(r and f and not m)),
    ("General: keep", lambda r, f, m: bool(not r and f and not m)),
    ("General: develop", lambda r, f, m: bool(r and not f and not m)),
    ("General: win back", lambda r, f, m: True),
)


@dataclass(frozen=True)
class Customer:
    """One customer's three numbers: days since the last time, how often, how much."""

    days: int
    times: int
    worth: Decimal


def fifths(customers: Sequence[Customer]) -> list[tuple[int, int, int]]:
    """Scores of one to five: the share of customers that one is better than, in fifths."""
    days = sorted(-c.days for c in customers)
    times, worths = sorted(c.times for c in customers), sorted(c.worth for c in customers)
    return [(_fifth(days, -c.days), _fifth(times, c.times), _fifth(worths, c.worth)) for c in customers]


def _fifth(ordered: Sequence[Any], value: Any) -> int:
    return min(5, bisect_left(ordered, value) * 5 // len(ordered) + 1)


def halves(customers: Sequence[Customer], thresholds: Limits) -> list[tuple[int, int, int]]:
    """One for high and none for low: near enough, often enough, enough."""
    days, times, worth = borders(customers, thresholds)
    return [(int(c.days <= days), int(c.times >= times), int(c.worth >= worth)) for c in customers]


def borders(customers: Sequence[Customer], thresholds: Limits) -> tuple[Decimal, Decimal, Decimal]:
    """The given thresholds, else the means."""
    count = max(len(customers), 1)

    def border(name: str, values: Sequence[Decimal | int]) -> Decimal:
        given = thresholds.get(name)
        return given[0] if given else exact.divide(Decimal(sum(values)), Decimal(count)) or Decimal(0)

    return (
        border("recency", [c.days for c in customers]),
        border("frequency", [c.times for c in customers]),
        border("monetary", [c.worth for c in customers]),
    )


# ── in SQL ───────────────────────────────────────────────────────────────────────────────────────────────────


def in_segments(
    names: Sequence[str], rows: sa.Subquery, day: Column, today: Column, limits: Limits | None
) -> sa.Select[Any]:
    """The ids (`k0`) of the customers of segments; `limits`: the thresholds of the eight, None of the eleven.

    `rows` has a customer in each: the last day, how often (`v1_0`), how much (`v2_0`).
    """
    times, worth = rows.c.v1_0, sa.func.coalesce(rows.c.v2_0, 0)
    known = sa.and_(rows.c.k0.is_not(None), rows.c.v0_0.is_not(None))
    segments = ELEVEN if limits is None else EIGHT
    among = range(1, 6) if limits is None else range(2)
    wanted = [s for s in product(among, repeat=3) if next(n for n, test in segments if test(*s)) in names]
    if limits is None:
        scores = [_sql_fifth(by) for by in (day, times, worth)]
    else:
        given = [limits.get(key) for key in ("recency", "frequency", "monetary")]
        days = sa.cast(today - day, sa.Numeric())
        borders_ = [
            sa.literal(found[0], sa.Numeric()) if found else sa.func.avg(by).over()
            for found, by in zip(given, (days, times, worth), strict=True)
        ]
        tests = (days <= borders_[0], times >= borders_[1], worth >= borders_[2])
        scores = [sa.case((test, 1), else_=0) for test in tests]
    named = [score.label(f"s{n}") for n, score in enumerate(scores)]
    scored = sa.select(rows.c.k0.label("k0"), *named).where(known).subquery()
    return sa.select(scored.c.k0).where(sa.tuple_(scored.c.s0, scored.c.s1, scored.c.s2).in_(wanted))


def _sql_fifth(by: Column) -> Column:
    """The same as `_fifth`: those that are less are the ones ranked before."""
    less = sa.func.rank().over(order_by=by) - 1
    return sa.func.least(5, sa.cast(less * 5 // sa.func.count().over(), sa.Integer()) + 1)
