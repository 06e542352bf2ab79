"""Adding a field to the big table: how long until it is live, and how long a reader had to wait at most."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bench.registry import Result, measure
from trellis.storage.apply import apply
from trellis.storage.plan import plan

if TYPE_CHECKING:
    from bench.setting import Bench

FIELD = "entity: contact\nfields:\n  shoe_size: {type: integer, min: 0, label: Shoe size}\n"


class Reader(threading.Thread):
    """Somebody who reads all the time; remembers the longest wait."""

    def __init__(self, bench: Bench) -> None:
        super().__init__(daemon=True)
        self.bench = bench
        self.longest = 0.0
        self.done = False

    def run(self) -> None:
        """Read until told to stop."""
        while not self.done:
            began = time.perf_counter()
            self.bench.store().list("contact", columns=("name", "account"))
            self.longest = max(self.longest, time.perf_counter() - began)


@measure("field")
def field(bench: Bench) -> Iterator[Result]:
    """A field more, live; and away again."""
    from bench.setting import layers

    own = layers(more=FIELD)
    planned = plan(bench.tenant, own)  # compiled once; a second look at the tables is part of the time below
    reader = Reader(bench)
    reader.start()
    time.sleep(1)
    quiet, reader.longest = reader.longest, 0.0
    began = time.perf_counter()
    planned = plan(bench.tenant, own)
    applied = apply(bench.catalogue, planned, "bench", "A field more")
    seconds = time.perf_counter() - began
    reader.done = True
    reader.join()
    assert "shoe_size" in applied.tables.entity["contact"].c
    apply(bench.catalogue, plan(applied, layers()), "bench", "As before", allow_destroy=True)
    bench.tenant = bench.catalogue.get(bench.tenant.slug)
    yield Result("adding a field, plan to live", seconds, unit="s", note=f"{bench.rows:,} rows")
    note = f"longest read while nothing else happens: {quiet * 1000:.0f} ms"
    yield Result("longest read meanwhile", reader.longest * 1000, note=note)
