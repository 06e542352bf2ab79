"""What time it is: everything that acts or remembers asks here, so that a scenario test can move it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

FAR = timedelta(days=365_250)
_moved: ContextVar[timedelta] = ContextVar("moved", default=timedelta())
_stopped: ContextVar[datetime | None] = ContextVar("stopped", default=None)


def now() -> datetime:
    """This moment, in UTC."""
    stopped = _stopped.get()
    return stopped if stopped is not None else datetime.now(UTC) + _moved.get()


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
    real = datetime.now(UTC)
    return real + after if _stopped.get() is None or after <= timedelta() else now() + after + FAR


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
