"""Business time: the hours of a week, the days that are otherwise, and what lies between two moments of it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dc_field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from trellis.formula.moments import at_zone

if TYPE_CHECKING:
    from trellis.formula.reader import Reader

Hours = tuple[tuple[int, int], ...]
"""Spans of one day in minutes from its midnight; what ends after the next midnight goes beyond 1440."""
DAY = 1440
MICROSECOND = timedelta(microseconds=1)
WEEK_MICROS = 7 * 86_400_000_000
_MINUTE_MICROS = 60_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_YEAR, LAST_YEAR = 2000, 2050  # for which holidays of every year are kept
FURTHEST = 366 * 20  # days that are looked through for business time to come
OFFICE: tuple[Hours, ...] = (*[((9 * 60, 17 * 60),)] * 5, (), ())


@dataclass(frozen=True)
class Steps:
    """A function of time made of straight pieces: from `starts[i]` on it is `values[i]` and grows at `rates[i]`."""

    starts: tuple[int, ...]
    values: tuple[int, ...]
    rates: tuple[int, ...]

    def at(self, moment: int) -> int:
        """Its value; 0 before the first piece."""
        index = bisect_right(self.starts, moment) - 1
        if index < 0:
            return 0
        return self.values[index] + self.rates[index] * (moment - self.starts[index])


@dataclass(frozen=True)
class Workdays:
    """Which days are worked: `weekdays` from Monday, 0, and what other `days` (by number) make `more` of them."""

    weekdays: tuple[int, ...]
    before: tuple[int, ...]  # how many of them come before each day of a week
    days: tuple[int, ...] = ()
    more: tuple[int, ...] = ()  # up to and with each of those days
    reached: tuple[int, ...] = ()  # how many workdays there were up to and with each of those days

    def until(self, ordinal: int) -> int:
        """How many there are from 0001-01-01, a Monday and number 1, up to and with a day."""
        weeks, rest = divmod(ordinal, 7)
        behind = bisect_right(self.days, ordinal)
        return weeks * len(self.weekdays) + self.before[rest] + (self.more[behind - 1] if behind else 0)

    def nth(self, count: int) -> int:
        """The number of the day on which so many are reached."""
        behind = bisect_right(self.reached, count - 1)
        weeks, rest = divmod(count - (self.more[behind - 1] if behind else 0) - 1, len(self.weekdays))
        regular = weeks * 7 + self.weekdays[rest] + 1
        return min(regular, self.days[behind]) if behind < len(self.days) else regular


@dataclass(frozen=True)
class Calendar:
    """Business hours by weekday, and by date where a day is otherwise: a holiday, or a day made up for.

    A span belongs to the day on which it begins: a night shift that begins before a holiday is worked to its end.
    """

    hours: tuple[Hours, ...] = OFFICE  # Monday first
    days: Mapping[date, Hours] = dc_field(default_factory=dict, hash=False)
    zone: ZoneInfo = dc_field(default_factory=lambda: ZoneInfo("UTC"))

    def spans(self, day: date) -> Hours:
        """The hours that begin on a day."""
        found = self.days.get(day)
        return self.hours[day.weekday()] if found is None else found

    def is_workday(self, day: date) -> bool:
        """Whether any work begins on the day."""
        return bool(self.spans(day))

    def intervals(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """The hours of a day as moments."""
        midnight = datetime.combine(day, time())
        for begins, ends in self.spans(day):
            start, end = (at_zone(midnight + timedelta(minutes=m), self.zone) for m in (begins, ends))
            if start is not None and end is not None and start < end:
                yield start, end

    def add(self, moment: datetime, length: timedelta) -> datetime | None:
        """The moment after so much business time; None when there is not so much in twenty years."""
        if length <= timedelta():
            return moment
        day, left, reached = moment.astimezone(self.zone).date() - timedelta(days=1), length, moment
        for _ in range(FURTHEST):
            for start, end in self.intervals(day):
                begins = max(start, reached)
                if end <= begins:
                    continue
                if left <= end - begins:
                    return begins + left
                left -= end - begins
                reached = end
            day += timedelta(days=1)
        return None

    def between(self, start: datetime, end: datetime) -> timedelta:
        """How much business time lies between two moments; negative when they go backwards."""
        return (self.until(end) - self.until(start)) * MICROSECOND

    def until(self, moment: datetime) -> int:
        """Microseconds of business time from the first week of the calendar to a moment."""
        local = _local_micros(moment, self.zone)
        week, into = divmod(local, WEEK_MICROS)
        return week * self.week_length + self.week.at(into) + self.otherwise.at(_micros(moment))

    @cached_property
    def workdays(self) -> Workdays:
        """The days on which any work begins."""
        week = tuple(index for index, spans in enumerate(self.hours) if spans)
        before = tuple(sum(1 for day in week if day < rest) for rest in range(7))
        plain = Workdays(week, before)
        days, more, reached, total = [], [], [], 0
        for day in sorted(self.days):
            differs = int(self.is_workday(day)) - int(bool(self.hours[day.weekday()]))
            if differs:
                total += differs
                days.append(day.toordinal())
                more.append(total)
                reached.append(plain.until(day.toordinal()) + total)
        return Workdays(week, before, tuple(days), tuple(more), tuple(reached))

    # ── what both back ends of formulas compute with ─────────────────────────────────────────────────────

    @cached_property
    def week(self) -> Steps:
        """Business time since the week began, as its hours say it, by the time since Monday on the clock."""
        parts: list[tuple[int, int]] = []
        for index, spans in enumerate(self.hours):
            for begins, ends in spans:
                start, end = index * DAY + begins, index * DAY + ends
                parts.append((start, min(end, 7 * DAY)))
                if end > 7 * DAY:  # from Sunday into Monday
                    parts.append((0, end - 7 * DAY))
        edges = sorted({0, *(edge for part in parts for edge in part if edge < 7 * DAY)})
        values, rates, done = [], [], 0
        for index, edge in enumerate(edges):
            works = any(start <= edge < end for start, end in parts)
            values.append(done * _MINUTE_MICROS)
            rates.append(int(works))
            following = edges[index + 1] if index + 1 < len(edges) else 7 * DAY
            done += (following - edge) if works else 0
        return Steps(tuple(edge * _MINUTE_MICROS for edge in edges), tuple(values), tuple(rates))

    @cached_property
    def week_length(self) -> int:
        """The business time of a whole week, in microseconds."""
        last = len(self.week.starts) - 1
        return self.week.values[last] + self.week.rates[last] * (WEEK_MICROS - self.week.starts[last])

    @cached_property
    def otherwise(self) -> Steps:
        """What business time has more or less than its weeks, by the moment: other days, and clocks that change."""
        edges: set[datetime] = set()
        for day in self.days:
            edges.update(self._edges(day))
        for moment in _changes(self.zone):
            local = moment.astimezone(self.zone).date()
            edges.add(moment)
            for apart in (-1, 0, 1):
                edges.update(self._edges(local + timedelta(days=apart)))
        starts: list[int] = []
        values: list[int] = []
        rates: list[int] = []
        value = rate = last = 0
        for moment in sorted(edges):
            at = _micros(moment)
            reached = value + rate * (at - last) - self._jump(moment)
            speed = self._works(moment) - self._works_weekly(moment)
            if (speed, reached) != (rate, value + rate * (at - last)):
                starts.append(at)
                values.append(reached)
                rates.append(speed)
            value, rate, last = reached, speed, at
        return Steps(tuple(starts), tuple(values), tuple(rates))

    def _edges(self, day: date) -> Iterator[datetime]:
        """Every moment at which work may begin or end on a day, as its week or as the day itself says."""
        midnight = datetime.combine(day, time())
        for begins, ends in (*self.spans(day), *self.hours[day.weekday()]):
            for minutes in (begins, ends):
                local = midnight + timedelta(minutes=minutes)
                for fold in (0, 1):
                    yield local.replace(tzinfo=self.zone, fold=fold).astimezone(UTC)

    def _jump(self, moment: datetime) -> int:
        """How much the week's time on the clock leaps where the clock is put forward or back."""
        before = (moment - MICROSECOND).astimezone(self.zone).utcoffset()
        after = moment.astimezone(self.zone).utcoffset()
        if before is None or after is None or before == after:
            return 0
        return self._weekly(_micros_of(moment, after)) - self._weekly(_micros_of(moment, before))

    def _weekly(self, local: int) -> int:
        week, into = divmod(local, WEEK_MICROS)
        return week * self.week_length + self.week.at(into)

    def _works(self, moment: datetime) -> int:
        day = moment.astimezone(self.zone).date()
        days = (day - timedelta(days=1), day)
        return int(any(start <= moment < end for each in days for start, end in self.intervals(each)))

    def _works_weekly(self, moment: datetime) -> int:
        into = _local_micros(moment, self.zone) % WEEK_MICROS
        return self.week.rates[bisect_right(self.week.starts, into) - 1]


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // MICROSECOND


def _micros_of(moment: datetime, offset: timedelta) -> int:
    """Microseconds on the clock since Monday, 1 January of the year 1."""
    return (moment.replace(tzinfo=None) + offset - datetime.min) // MICROSECOND


def _local_micros(moment: datetime, zone: ZoneInfo) -> int:
    from trellis.formula.moments import local

    return (local(moment, zone) - datetime.min) // MICROSECOND


@lru_cache(maxsize=512)
def _changes(zone: ZoneInfo) -> Sequence[datetime]:
    """The moments at which the zone's clocks were and will be put forward or back."""
    day, last = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC), datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC)
    found, offset = [], day.astimezone(zone).utcoffset()
    while day < last:
        following = day + timedelta(days=7)
        after = following.astimezone(zone).utcoffset()
        if after != offset:
            found.append(_change(zone, day, following))
        day, offset = following, after
    return found


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(minutes=1):
        middle = before + timedelta(minutes=(after - before) // timedelta(minutes=2))
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


@lru_cache(maxsize=512)
def office_hours(zone: ZoneInfo) -> Calendar:
    """What counts where no calendar is written: Monday to Friday, 9 to 17."""
    return Calendar(zone=zone)


def calendar_of(reader: Reader) -> Calendar:
    """The calendar that formulas count by: the tenant's, else office hours on the reader's clock."""
    return reader.calendar or office_hours(reader.time_zone)
