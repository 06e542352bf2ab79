"""Parts of the calendar that reports group by: each begins on a day, which is its value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement

Column = ColumnElement[Any]


@dataclass(frozen=True, slots=True)
class Period:
    """A unit of the calendar: some days or some months. `is_fiscal`: counted from the month that the year begins in."""

    name: str
    days: int = 0
    months: int = 0
    is_fiscal: bool = False

    def start(self, day: date, first_month: int = 1) -> date:
        """The day on which the unit that holds a day begins."""
        if self.days:
            return day - timedelta(days=(day.toordinal() - 1) % self.days)
        first = first_month if self.is_fiscal else 1
        at = day.year * 12 + day.month - first
        return _month(at - at % self.months + first - 1)

    def shift(self, start: date, count: int) -> date:
        """The day on which the unit begins that many units later."""
        if self.days:
            return start + timedelta(days=self.days * count)
        return _month(start.year * 12 + start.month - 1 + self.months * count)

    def end(self, start: date) -> date:
        """The first day after the unit."""
        return self.shift(start, 1)

    def each(self, first: date, last: date, most: int) -> tuple[list[date], bool]:
        """The days on which the units from one to another begin, at most so many, and whether there are more."""
        days: list[date] = []
        day = first
        while day <= last and len(days) < most:
            days.append(day)
            day = self.shift(day, 1)
        return days, day <= last

    def sql(self, day: Column, first_month: int = 1) -> Column:
        """The first day of the unit that holds the date."""
        if self.days == 1:
            return day
        if self.days:
            return _day(sa.func.date_trunc(sa.literal_column(f"'{self.name}'"), _clock(day)))
        if not self.is_fiscal or first_month == 1:
            return _day(sa.func.date_trunc(sa.literal_column(f"'{_TRUNCATED[self.months]}'"), _clock(day)))
        by: Column = sa.literal_column(f"interval '{first_month - 1} months'")
        month = sa.func.date_trunc(sa.literal_column("'month'"), _clock(day), type_=sa.DateTime())
        unit: Column = sa.literal_column(f"'{_TRUNCATED[self.months]}'")
        back = sa.func.date_trunc(unit, month.op("-", return_type=sa.DateTime())(by), type_=sa.DateTime())
        return _day(back.op("+", return_type=sa.DateTime())(by))


_TRUNCATED = {1: "month", 3: "quarter", 12: "year"}
PERIODS: dict[str, Period] = {
    p.name: p
    for p in (
        Period("day", days=1),
        Period("week", days=7),
        Period("month", months=1),
        Period("quarter", months=3),
        Period("year", months=12),
        Period("fiscal_quarter", months=3, is_fiscal=True),
        Period("fiscal_year", months=12, is_fiscal=True),
    )
}


def _month(at: int) -> date:
    """The first day of a month that is counted from the year 0, within the calendar."""
    year, month = divmod(at, 12)
    return date(min(max(year, 1), 9999), month + 1, 1)


def _clock(day: Column) -> Column:
    return sa.cast(day, sa.DateTime())


def _day(moment: Column) -> Column:
    return sa.cast(moment, sa.Date())
