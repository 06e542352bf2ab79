"""One record: Store.read against the hand-written query."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bench.fill import contact_id
from bench.hand import floor_of, hand_of
from bench.handwritten.floor import RECORD
from bench.registry import Result, measure
from bench.timing import FLOOR, OURS, THEIRS, compare, counted

if TYPE_CHECKING:
    from bench.setting import Bench

GOAL = 1.5


@measure("record")
def record(bench: Bench) -> Iterator[Result]:
    """Every field of a contact somewhere in the table, with the names of what it points to."""
    hand, floor, chance = hand_of(bench), floor_of(bench), random.Random(2)

    def ours() -> Any:
        return dict(bench.store().read("contact", contact_id(chance.randint(1, bench.rows))))

    with counted(bench.database.engine) as seen:
        ours()
    timed = compare(
        {
            OURS: ours,
            THEIRS: lambda: hand.contact(contact_id(chance.randint(1, bench.rows))),
            FLOOR: lambda: floor.execute(RECORD, (contact_id(chance.randint(1, bench.rows)),)).fetchone(),
        },
        bench.seconds,
    )
    floor.close()
    m = timed.medians
    yield Result("record", m[OURS], m[THEIRS], m[FLOOR], timed.ratio, statements=len(seen), goal=GOAL)
