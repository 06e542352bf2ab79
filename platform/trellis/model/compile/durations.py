"""Durations as people write them: 14 days, 30 minutes, -2 weeks."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
PATTERN = r"^-?[0-9]+(\.[0-9]+)? ?(second|minute|hour|day|week)s?( [0-9]+ ?(second|minute|hour|day)s?)*$"


def parse_duration(text: str) -> timedelta | None:
    """The duration that a text names; None when it names none."""
    if not re.match(PATTERN, text.strip()):
        return None
    parts = re.findall(r"(-?[0-9.]+) ?([a-z]+?)s?\b", text)
    return timedelta(seconds=sum(float(n) * _UNITS[unit] for n, unit in parts))
