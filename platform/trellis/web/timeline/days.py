"""Times on the timeline in the reader's words, and its entries by day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from babel.dates import format_date, format_skeleton, format_time
from flask_babel import gettext as _

from trellis.formula.reader import Reader
from trellis.formula.types import Value
from trellis.model.locales import babel_locale
from trellis.web.timeline.entries import Day, Item


def is_day(value: Value) -> bool:
    """Whether it is a day without a time."""
    return isinstance(value, date) and not isinstance(value, datetime)


class Clock:
    """How one reader is told of days and times."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.locale = babel_locale(reader.language)

    def moment(self, value: Value) -> datetime | None:
        """When something was, where a day alone begins at the reader's midnight."""
        if isinstance(value, datetime):
            return value
        if isinstance(value, date):
            return datetime.combine(value, time(), self.reader.time_zone).astimezone(UTC)
        return None

    def time_text(self, at: datetime) -> str:
        """The time of day."""
        return str(format_time(at.astimezone(self.reader.time_zone), "short", locale=self.locale))

    def days(self, items: list[Item]) -> list[Day]:
        """The entries by day, what is to come first, the newest day next."""
        today = self.reader.today()
        coming = sorted((i for i in items if self._day(i) > today), key=lambda i: i.at)
        past = sorted((i for i in items if self._day(i) <= today), key=lambda i: i.at, reverse=True)
        days: list[Day] = [Day(_("Upcoming"), coming, True)] if coming else []
        for item in past:
            label = self._day_text(self._day(item), today)
            if not days or days[-1].label != label:
                days.append(Day(label, []))
            days[-1].items.append(item)
        return days

    def _day(self, item: Item) -> date:
        return item.at.astimezone(self.reader.time_zone).date()

    def _day_text(self, day: date, today: date) -> str:
        """Today, Yesterday, Friday, November 6; November 6, 2025."""
        if day == today:
            return str(_("Today"))
        if day == today - timedelta(days=1):
            return str(_("Yesterday"))
        if day.year == today.year and self.locale.language == "en":
            return str(format_date(day, "EEEE, MMMM d", locale=self.locale))
        return str(format_date(day, "long", locale=self.locale))

    def short_day(self, item: Item) -> str:
        """The day of something to come: Tomorrow, Mon 24 Nov."""
        day = self._day(item)
        if day == self.reader.today() + timedelta(days=1):
            return str(_("Tomorrow"))
        return str(format_skeleton("MMMEd", datetime.combine(day, time()), locale=self.locale))

    def exact(self, item: Item) -> str:
        """Day and time, for a tooltip."""
        local = item.at.astimezone(self.reader.time_zone)
        return f"{format_date(local.date(), 'full', locale=self.locale)}, {self.time_text(item.at)}"
