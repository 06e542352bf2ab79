"""What time it is: everything that acts or remembers asks here, so that a scenario test can move it.

Jobs have the database's time: it says when their time has come, and many machines' clocks never agree.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

FAR = timedelta(days=365_250)
_told: ContextVar[tuple[datetime, float] | None] = ContextVar("told", default=None)
_moved: ContextVar[timedelta] = ContextVar("moved", default=timedelta())
_stopped: ContextVar[datetime | None] = ContextVar("stopped", default=None)


def now() -> datetime:
    """This moment, in UTC."""
    stopped = _stopped.get()
    return stopped if stopped is not None else real() + _moved.get()


def real() -> datetime:
    """This moment, which no scenario moves: as it was told and has gone on since, else by this machine's clock."""
    told = _told.get()
    return datetime.now(UTC) if told is None else told[0] + timedelta(seconds=time.monotonic() - told[1])


@contextmanager
def told(moment: datetime) -> Iterator[None]:
    """Let the clock within the block be one that shows that moment now, and goes on by itself: the database's."""
    token = _told.set((moment.astimezone(UTC), time.monotonic()))
    try:
        yield
    finally:
        _told.reset(token)


@contextmanager
def moved(by: timedelta) -> Iterator[None]:
    """Let the clock be so far ahead within the block."""
    token = _moved.set(_moved.get() + by)
    try:
        yield
    finally:
        _moved.reset(token)


def alarm(at: datetime) -> datetime | None:
    """A moment as a clock that nobody can stop has it, the database's: None when it has come.

    While ours stands still, what is later for us lies so far ahead that the database's own never finds it due.
    """
    if _stopped.get() is None:
        return at
    return at + FAR if at > now() else None


def alarm_in(after: timedelta) -> datetime:
    """The moment so much later as the database's own clock has it."""
    moment = real()
    return moment + after if _stopped.get() is None or after <= timedelta() else now() + after + FAR


def move_to(moment: datetime) -> None:
    """Let the clock, which stands still, show another moment."""
    if _stopped.get() is None:
        raise RuntimeError("the clock runs: stop it first")
    _stopped.set(moment)


@contextmanager
def stopped_at(moment: datetime) -> Iterator[None]:
    """Let the clock stand still at a moment within the block."""
    token = _stopped.set(moment)
    try:
        yield
    finally:
        _stopped.reset(token)
