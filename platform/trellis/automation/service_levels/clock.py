"""One clock: what a save, or time itself, makes of it. Nothing here reads or writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from trellis.formula.business import MICROSECOND, Calendar
from trellis.model.service_level import ServiceLevel, Target

MET, PAUSED, OFF = "met", "paused", "off"


@dataclass(frozen=True)
class Facts:
    """What a record says about itself to a service level."""

    start: datetime | None
    target: Target | None
    applies: bool = True
    met: bool = False
    met_at: datetime | None = None
    paused: bool = False


@dataclass(frozen=True)
class Clock:
    """How a record stands with a service level: a row of `_service`."""

    entity: str
    record: UUID
    sla: str
    digest: str
    target: str
    started_at: datetime
    due_at: datetime | None = None
    warn_at: datetime | None = None
    standing: str | None = None  # met, paused, off
    stands_since: datetime | None = None
    paused: int = 0  # microseconds of business time
    warned_at: datetime | None = None
    breached_at: datetime | None = None
    next_at: datetime | None = None

    @property
    def is_late(self) -> bool:
        """Whether it was met, or stands still, after its time."""
        return self.due_at is not None and self.stands_since is not None and self.stands_since > self.due_at

    @property
    def state(self) -> str | None:
        """How it stands in one word; None where it does not count (any more)."""
        if self.standing == OFF:
            return None
        if self.breached_at is not None or (self.standing is not None and self.is_late):
            return "breached"
        if self.standing is not None:
            return self.standing
        return "warned" if self.warned_at is not None else "running"

    def row(self) -> dict[str, Any]:
        """Its columns."""
        return dict(self.__dict__)


def clock_of(row: Mapping[str, Any]) -> Clock:
    """A stored clock."""
    return Clock(**row)


def judged(
    level: ServiceLevel,
    calendar: Calendar | None,
    clock: Clock | None,
    ref: tuple[str, UUID],
    facts: Facts,
    now: datetime,
) -> Clock | None:
    """The clock after a save; None where there is none, and none begins.

    While it stands still (paused, met, or not counting) no time passes for it: what business time lay in between is
    added when it goes on. A breach stays one, whatever becomes of the record.
    """
    target, counts = facts.target, facts.applies and facts.target is not None and facts.start is not None
    if clock is None:
        if not counts or facts.start is None or target is None:
            return None
        clock = Clock(*ref, level.key, level.digest, target.key, facts.start)
    standing, since = _standing(clock, facts, counts, now)
    clock = replace(
        clock,
        digest=level.digest,
        started_at=facts.start or clock.started_at,
        paused=clock.paused + _stood(calendar, clock, standing, since, now),
        standing=standing,
        stands_since=since,
    )
    target = target or level.targets.get(clock.target)
    if target is not None and clock.breached_at is None:  # what was missed is told by the time that it had then
        due, warn = _moments(calendar, clock, target)
        clock = replace(clock, target=target.key, due_at=due, warn_at=warn)
    return replace(clock, next_at=_next(clock))


def _standing(clock: Clock, facts: Facts, counts: bool, now: datetime) -> tuple[str | None, datetime | None]:
    """Why the clock stands still, and since when."""
    if facts.met:
        when = facts.met_at or (clock.stands_since if clock.standing == MET else None) or now
        return MET, max(min(when, now), facts.start or clock.started_at)
    word = OFF if not counts else PAUSED if facts.paused else None
    if word is None:
        return None, None
    return word, clock.stands_since if clock.standing == word else now


def _stood(calendar: Calendar | None, clock: Clock, standing: str | None, since: datetime | None, now: datetime) -> int:
    """The business time for which the clock stood still until now, if that is over."""
    if clock.stands_since is None or standing == clock.standing:
        return 0
    begun, ended = max(clock.stands_since, clock.started_at), since or now
    if ended <= begun:
        return 0
    return (calendar.between(begun, ended) if calendar is not None else ended - begun) // MICROSECOND


def _moments(calendar: Calendar | None, clock: Clock, target: Target) -> tuple[datetime | None, datetime | None]:
    paused = timedelta(microseconds=clock.paused)

    def after(length: timedelta) -> datetime | None:
        if calendar is None:
            return clock.started_at + length + paused
        return calendar.add(clock.started_at, length + paused)

    return after(target.within), after(target.warn) if target.warn is not None else None


def _next(clock: Clock) -> datetime | None:
    """When something is to be told next; of a clock that stands still, what is still to be told."""
    if clock.standing == OFF:
        return None
    until = clock.stands_since
    due, warn = clock.due_at, clock.warn_at
    found = []
    if due is not None and clock.breached_at is None and (until is None or until > due):
        found.append(due)
    is_open = clock.warned_at is None and clock.breached_at is None and clock.standing != MET
    if warn is not None and is_open and (until is None or until > warn):
        found.append(warn)
    return min(found, default=None)


def told(clock: Clock, now: datetime, *, quietly: bool = False) -> tuple[Clock, list[str]]:
    """The clock after what has come due by now was noted, and the words for it: warning, breach."""
    words: list[str] = []
    while (moment := clock.next_at) is not None and moment <= now:
        if moment == clock.warn_at and clock.warned_at is None and clock.standing != MET:
            clock, word = replace(clock, warned_at=moment), "warning"
        else:
            clock, word = replace(clock, breached_at=moment), "breach"
        words.append(word)
        clock = replace(clock, next_at=_next(clock))
    return clock, [] if quietly else words
