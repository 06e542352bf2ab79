"""Quiet hours: the part of each day in which people are left alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

_HOURS = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\s*-\s*([01]?\d|2[0-4]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Quiet:
    """From one time of day to another, over midnight if that is earlier."""

    begin: time
    end: time

    def until(self, moment: datetime, zone: ZoneInfo) -> datetime | None:
        """When the quiet that a moment lies in is over; None when it lies in none."""
        local = moment.astimezone(zone)
        clock, over = local.time(), self.begin > self.end
        is_in = (clock >= self.begin or clock < self.end) if over else self.begin <= clock < self.end
        if not is_in:
            return None
        day = local.date() + timedelta(days=1) if over and clock >= self.begin else local.date()
        ends = datetime.combine(day, self.end, zone)
        # an hour that summer time leaves out is not there: the first moment after it is
        return max(ends.astimezone(moment.tzinfo), moment + timedelta(seconds=1))


def read_quiet(text: str) -> Quiet | None:
    """Quiet hours as they are written, 20:00-08:00; None for what are none."""
    found = _HOURS.fullmatch(text.strip())
    if found is None:
        return None
    hours = [int(part) for part in found.groups()]
    begin, end = time(hours[0], hours[1]), time(hours[2] % 24, hours[3])
    return Quiet(begin, end) if begin != end else None
