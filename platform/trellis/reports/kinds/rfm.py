"""Recency, frequency and money: scores of one to five, and the segments that they make."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from trellis.formula import exact
from trellis.formula.types import MONEY, NUMBER, TEXT, Money, Ref, Type, Value
from trellis.model.reports.keys import quoted
from trellis.model.text import Text
from trellis.records.reading.gather import Bundle
from trellis.reports.asking import Asking, number
from trellis.reports.registry import report_kind
from trellis.reports.result import Answer, Drawing, Heading, Line, Series

MOST = 200_000
SEGMENT, CUSTOMERS, SHARE = Text("Segment"), Text("Customers"), Text("Share")
RECENCY, FREQUENCY, WORTH, MEAN = Text("Mean days since"), Text("Mean number"), Text("Together"), Text("Mean amount")

Test = Callable[[int, int, int], bool]
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
    id: str = ""


@report_kind("rfm")
class Rfm:
    """Customers by segment: quintiles make eleven, thresholds (or means) make the eight classes."""

    charts: ClassVar[tuple[str, ...]] = ("bar", "donut", "pie")

    def answer(self, asking: Asking) -> Answer:
        """The answer: one statement with a line for each customer, scored here."""
        report = asking.report
        bundles = asking.gather(measures=tuple(m.formula for m in report.measures), sets=((0,),), most=MOST)
        customers = [c for b in bundles if (c := _customer(asking, b)) is not None]
        is_eight = report.spec.scale == "thresholds"
        segments = EIGHT if is_eight else ELEVEN
        scores = _halves(customers, report.spec.thresholds) if is_eight else _fifths(customers)
        by_segment: dict[str, list[Customer]] = defaultdict(list)
        for customer, score in zip(customers, scores, strict=True):
            by_segment[next(name for name, test in segments if test(*score))].append(customer)
        worth = report.measures[2].type
        among = report.groups[0].type.entities
        entity = among[0] if len(among) == 1 else None  # customers of several entities stand in no one list
        headings = (
            Heading("segment", SEGMENT, TEXT, "group"),
            Heading("customers", CUSTOMERS, NUMBER, can_drill=entity is not None, entity=entity),
            Heading("share", SHARE, NUMBER, as_percent=True, can_drill=False),
            Heading("recency", RECENCY, NUMBER, scale=0, can_drill=False),
            Heading("frequency", FREQUENCY, NUMBER, scale=1, can_drill=False),
            Heading("mean", MEAN, worth, can_drill=False),
            Heading("worth", WORTH, worth, can_drill=False),
        )
        lines = [
            Line(
                (Text(name), *_told(asking, by_segment[name], len(customers), worth)),
                conditions=_those(by_segment[name]),
            )
            for name, _ in segments
            if by_segment[name]
        ]
        names = tuple(line.values[0] for line in lines)
        series = Series(CUSTOMERS, tuple(line.values[1] for line in lines), type=NUMBER)
        wanted = asking.wishes.chart if asking.wishes.chart in self.charts else "bar"
        drawing = Drawing(str(wanted), names, (series,), None, horizontal=True, measure=headings[1], types=self.charts)
        if lines:
            lines.append(Line((None, *_told(asking, customers, len(customers), worth)), "total", 0, None))
        note = (
            ("High and low are told apart at %(limits)s.", {"limits": _limits(customers, report.spec.thresholds)})
            if is_eight
            else ("Scores are quintiles: one to five fifths of all customers; equals share a score.", {})
        )
        return Answer(
            report,
            asking.chosen,
            headings,
            tuple(lines),
            drawing if names else None,
            asking.condition,
            asking.can_drill,
            (note,) if lines else (),
        )


def _customer(asking: Asking, bundle: Bundle) -> Customer | None:
    if bundle.keys[0] is None or bundle.values[0] is None:
        return None
    last, times, worth = bundle.values
    day = last.astimezone(asking.reader.time_zone).date() if isinstance(last, datetime) else last
    assert isinstance(day, date)
    who = bundle.keys[0]
    id = str(who.id) if isinstance(who, Ref) else ""
    return Customer((asking.reader.today() - day).days, int(times), Decimal(number(worth) or 0), id)


def _those(customers: Sequence[Customer]) -> tuple[str, ...]:
    """The customers themselves: what makes a segment is known of all of them together only."""
    ids = [quoted(c.id) for c in customers]
    return (f"id in ({', '.join(ids)})" if len(ids) > 1 else f"id == {ids[0]}",)


def _fifths(customers: Sequence[Customer]) -> list[tuple[int, int, int]]:
    """Scores of one to five: the share of customers that one is better than, in fifths."""
    days = sorted(-c.days for c in customers)
    times, worths = sorted(c.times for c in customers), sorted(c.worth for c in customers)
    return [(_fifth(days, -c.days), _fifth(times, c.times), _fifth(worths, c.worth)) for c in customers]


def _fifth(ordered: Sequence[Any], value: Any) -> int:
    return min(5, bisect_left(ordered, value) * 5 // len(ordered) + 1)


def _halves(customers: Sequence[Customer], thresholds: dict[str, list[Decimal]]) -> list[tuple[int, int, int]]:
    """One for high and none for low: near enough, often enough, enough."""
    days, times, worth = _borders(customers, thresholds)
    return [(int(c.days <= days), int(c.times >= times), int(c.worth >= worth)) for c in customers]


def _borders(customers: Sequence[Customer], thresholds: dict[str, list[Decimal]]) -> tuple[Decimal, Decimal, Decimal]:
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


def _limits(customers: Sequence[Customer], thresholds: dict[str, list[Decimal]]) -> str:
    return " · ".join(f"{round(b, 1):f}" for b in _borders(customers, thresholds))


def _told(asking: Asking, customers: Sequence[Customer], all_: int, worth: Type) -> tuple[Value, ...]:
    count = len(customers)
    together = sum((c.worth for c in customers), Decimal(0))
    mean = exact.divide(together, Decimal(max(count, 1))) or Decimal(0)

    def amount(value: Decimal) -> Value:
        return Money(value, asking.reader.currency, value) if worth == MONEY else value

    return (
        count,
        exact.divide(Decimal(count) * 100, Decimal(max(all_, 1))),
        exact.divide(Decimal(sum(c.days for c in customers)), Decimal(max(count, 1))),
        exact.divide(Decimal(sum(c.times for c in customers)), Decimal(max(count, 1))),
        amount(mean),
        amount(together),
    )
