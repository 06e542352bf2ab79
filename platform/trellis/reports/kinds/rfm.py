"""Recency, frequency and money: scores of one to five, and the segments that they make."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

import sqlalchemy as sa

from trellis.formula import exact
from trellis.formula.sql import moments as sqlm
from trellis.formula.sql import values as sqlv
from trellis.formula.types import MONEY, NUMBER, TEXT, Money, Type, Value
from trellis.model.text import Text
from trellis.records.reading.gather import Bundle, grouped
from trellis.reports.asking import Asking, number
from trellis.reports.counted import Counted, condition
from trellis.reports.registry import report_kind
from trellis.reports.result import Answer, Behind, Drawing, Heading, Line, Series
from trellis.reports.segments import EIGHT, ELEVEN, Customer, Limits, borders, fifths, halves, in_segments

if TYPE_CHECKING:
    from trellis.formula.sql.scope import SqlScope

MOST = 200_000
SEGMENT, CUSTOMERS, SHARE = Text("Segment"), Text("Customers"), Text("Share")
THOSE, THEIRS = Text("the customers of the segment"), Text("what they are counted by")
ALL, OF = "all", "of "  # all segments; the records that somebody is counted by, not the customers themselves
RECENCY, FREQUENCY, WORTH, MEAN = Text("Mean days since"), Text("Mean number"), Text("Together"), Text("Mean amount")


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
        scores = halves(customers, report.spec.thresholds) if is_eight else fifths(customers)
        by_segment: dict[str, list[Customer]] = defaultdict(list)
        for customer, score in zip(customers, scores, strict=True):
            by_segment[next(name for name, test in segments if test(*score))].append(customer)
        worth = report.measures[2].type
        among = report.groups[0].type.entities
        entity = among[0] if len(among) == 1 else None  # customers of several entities stand in no one list
        behind = {name: _behind(asking, name, entity) for name in (ALL, *by_segment)}
        headings = (
            Heading("segment", SEGMENT, TEXT, "group"),
            Heading("customers", CUSTOMERS, NUMBER, can_drill=False),
            Heading("share", SHARE, NUMBER, as_percent=True, can_drill=False),
            Heading("recency", RECENCY, NUMBER, scale=0, can_drill=False),
            Heading("frequency", FREQUENCY, NUMBER, scale=1, can_drill=False),
            Heading("mean", MEAN, worth, can_drill=False),
            Heading("worth", WORTH, worth, can_drill=False),
        )
        lines = [
            Line(
                (Text(name), *_told(asking, by_segment[name], len(customers), worth)),
                behind=behind[name],
            )
            for name, _ in segments
            if by_segment[name]
        ]
        names = tuple(line.values[0] for line in lines)
        drawn = tuple(line.behind.get("customers") for line in lines)
        series = Series(CUSTOMERS, tuple(line.values[1] for line in lines), type=NUMBER, behind=drawn)
        wanted = asking.wishes.chart if asking.wishes.chart in self.charts else "bar"
        drawing = Drawing(str(wanted), names, (series,), None, horizontal=True, measure=headings[1], types=self.charts)
        if lines:
            lines.append(Line((None, *_told(asking, customers, len(customers), worth)), "total", 0, behind=behind[ALL]))
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

    def counted(self, asking: Asking, number: str) -> Counted | None:
        """The customers of a segment by its name, or of `all`; `of Champions`: the records that make them that."""
        report, name = asking.report, number.removeprefix(OF)
        by, limits = report.groups[0], report.spec.thresholds if report.spec.scale == "thresholds" else None
        segments = [key for key, _test in (ELEVEN if limits is None else EIGHT)]
        if name not in (*segments, ALL):
            return None

        def predicate(scope: SqlScope) -> sa.ColumnElement[bool]:
            measures, reader = report.measures, asking.reader
            question = asking.question(measures=tuple(m.formula for m in measures), sets=((0,),))
            rows = grouped(asking.store.session, question)
            last = rows.c.v0_0
            day = sa.cast(sqlm.to_local(last, reader), sa.Date()) if measures[0].type.kind == "datetime" else last
            today = sa.literal(reader.today(), sa.Date())
            names = segments if name == ALL else [name]
            ids = in_segments(names, rows, day, today, limits)
            own = scope.alias.c.id if number == name else sqlv.key(by.formula.sql(scope))
            return sa.func.coalesce(own.in_(ids), sa.false())

        among = by.type.entities
        if number == name and len(among) != 1:
            return None
        entity = among[0] if number == name else report.entity
        return Counted(entity, predicate, CUSTOMERS, None if name == ALL else (None, Text(name)))


def _behind(asking: Asking, name: str, entity: str | None) -> Mapping[str, Behind]:
    """The customers of a segment, and what they are counted by."""
    theirs = (condition(asking, f"{OF}{name}"),)
    found = {"frequency": Behind(theirs, says=THEIRS), "mean": Behind(theirs, says=THEIRS), "worth": Behind(theirs)}
    if entity is None:
        return found
    those = (condition(asking, name),)
    shares = dict.fromkeys(("share", "recency"), Behind(those, entity, THOSE))
    return {**found, **shares, "customers": Behind(those, entity)}


def _customer(asking: Asking, bundle: Bundle) -> Customer | None:
    if bundle.keys[0] is None or bundle.values[0] is None:
        return None
    last, times, worth = bundle.values
    day = last.astimezone(asking.reader.time_zone).date() if isinstance(last, datetime) else last
    assert isinstance(day, date)
    return Customer((asking.reader.today() - day).days, int(times), Decimal(number(worth) or 0))


def _limits(customers: Sequence[Customer], thresholds: Limits) -> str:
    return " · ".join(f"{round(b, 1):f}" for b in borders(customers, thresholds))


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
