"""Several `trellis worker` processes, of which one is killed again and again by SIGKILL, amid its work."""

from __future__ import annotations

import multiprocessing
import random
import time
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path

FORKED = multiprocessing.get_context("forkserver")  # what is imported once need not be again after every kill
FORKED.set_forkserver_preload(["bench.torture.working"])


@dataclass
class Workers:
    """`count` processes; every `between` seconds one of them, by lot, is killed and another begins."""

    url: str
    var: Path
    count: int
    between: tuple[float, float]
    chance: random.Random
    kills: int = 0
    running: list[ForkServerProcess] = field(default_factory=list)
    _next: float = 0.0

    def start(self) -> None:
        """Begin to work."""
        while len(self.running) < self.count:
            self.running.append(self._begun())
        self._next = time.monotonic() + self.chance.uniform(*self.between)

    def kill_when_it_is_time(self) -> None:
        """Kill one if its moment has come; it is replaced at once."""
        if time.monotonic() < self._next:
            return
        one = self.running.pop(self.chance.randrange(len(self.running)))
        one.kill()
        one.join()
        self.kills += 1
        self.start()

    def close(self) -> None:
        """Kill those that are left: their work is done."""
        for one in self.running:
            one.kill()
            one.join()
        self.running.clear()

    def _begun(self) -> ForkServerProcess:
        from bench.torture.working import work

        made = FORKED.Process(target=work, args=(self.url, str(self.var)), daemon=True)
        made.start()
        return made
