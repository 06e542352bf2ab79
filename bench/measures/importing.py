"""Importing: rows of a CSV file through the one door, with rules, duplicates, search and history."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bench.registry import Result, measure
from trellis.records.transfer import import_table
from trellis.records.transfer.reading import read_table

if TYPE_CHECKING:
    from bench.setting import Bench

ROWS = 2000


class Enough(Exception):
    """Ends a transaction that nobody needs."""


@measure("import")
def importing(bench: Bench) -> Iterator[Result]:
    """New contacts with accounts by name, in one transaction that is then rolled back."""
    head = "name,email,mobile,account,job_title,buying_role\n"
    lines = [f"Nina Neu{n},n{n}@new.example,+4917{n:08},Company {1 + n % 1000},Buyer,user\n" for n in range(ROWS)]
    table = read_table((head + "".join(lines)).encode())
    store = bench.system_store()
    outcome: Any = None
    seconds = 0.0
    try:
        with store.transaction():
            began = time.perf_counter()
            outcome = import_table(store, "contact", table)
            seconds = time.perf_counter() - began
            raise Enough
    except Enough:
        pass
    yield Result("import", ROWS / seconds, unit="rows/s", note=str(outcome))
