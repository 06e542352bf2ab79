"""Several `trellis worker` processes, of which one is killed again and again by SIGKILL, amid its work."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Workers:
    """`count` processes; every `between` seconds one of them, by lot, is killed and another begins."""

    url: str
    var: Path
    count: int
    between: tuple[float, float]
    chance: random.Random
    kills: int = 0
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)
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
        one.wait()
        self.kills += 1
        self.start()

    def close(self) -> None:
        """Kill those that are left: their work is done."""
        for one in self.running:
            one.kill()
            one.wait()
        self.running.clear()

    def _begun(self) -> subprocess.Popen[bytes]:
        env = os.environ | {
            "PYTHONPATH": str(ROOT / "platform"),
            "DATABASE_URL": self.url,
            "TRELLIS_VAR": str(self.var),
            "TRELLIS_OUTGOING_ALLOW": "127.0.0.0/8",
        }
        with (self.var / "workers.log").open("ab") as log:
            command = [str(Path(sys.executable).with_name("trellis")), "worker"]
            return subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)
