"""When a job that failed is tried again, and what it may say about that itself."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Backoff:
    """Waits that grow: `first`, then `factor` times as long each time, at most `longest`; after `tries` it is over."""

    tries: int = 8
    first: float = 5  # seconds
    factor: float = 3
    longest: float = 6 * 3600

    def wait(self, tries: int) -> timedelta | None:
        """How long to wait after that many tries have failed; None: no more."""
        if tries >= self.tries:
            return None
        # beyond some power the wait is the longest one anyway, and the number would not fit
        seconds = min(self.longest, self.first * self.factor ** min(tries - 1, 64))
        return timedelta(seconds=seconds * random.uniform(0.8, 1.2))  # what failed together does not come together


class Later(Exception):
    """Raised by a kind: not now, but after a while. `counts`: as a failed try."""

    def __init__(self, after: timedelta, reason: str = "", *, counts: bool = False) -> None:
        super().__init__(reason)
        self.after = after
        self.counts = counts


class GiveUp(Exception):
    """Raised by a kind: trying again is of no use. The job becomes a dead letter with this text."""
