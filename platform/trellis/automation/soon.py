"""Moments that rows keep: jobs wait for those that come soon, clocks look for the others in time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from trellis.formula.clock import alarm, now

HORIZON = timedelta(hours=1)  # a clock that looks every half an hour finds what comes later
ONE_JOB_FOR = timedelta(seconds=15)  # moments of many records that one job is enough for


def soon(moments: Iterable[datetime], *, since: datetime | None = None) -> list[datetime]:
    """For which moments jobs wait, one for many that are close together; all of them while the clock stands still.

    `since`: the moment at which whoever asks believes to be, where that is later than now.
    """
    limit = max(since or now(), now()) + HORIZON
    return sorted({_rounded(moment) for moment in moments if moment <= limit or alarm(moment) != moment})


def _rounded(moment: datetime) -> datetime:
    over = moment.timestamp() % ONE_JOB_FOR.total_seconds()
    return moment if not over else moment + timedelta(seconds=ONE_JOB_FOR.total_seconds() - over)
