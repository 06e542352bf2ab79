"""A save of one field with version check and history: Store.update against the hand-written transaction."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bench.fill import contact_id
from bench.hand import hand_of
from bench.registry import Result, measure
from bench.setting import PERSON
from bench.timing import OURS, THEIRS, compare, counted

if TYPE_CHECKING:
    from bench.setting import Bench


@measure("save")
def save(bench: Bench) -> Iterator[Result]:
    """Another job title for a contact somewhere in the table."""
    hand, chance = hand_of(bench), random.Random(3)

    def pick() -> tuple[int, str]:
        return chance.randint(1, bench.rows), f"Title {chance.random():.9f}"

    def ours() -> None:
        n, title = pick()
        found = bench.store().read("contact", contact_id(n), fields=("job_title",))
        bench.store().update("contact", found.id, {"job_title": title}, version=found.version)

    def theirs() -> None:
        n, title = pick()
        found = hand.contact(contact_id(n))
        hand.save(found["id"], {"job_title": title}, found["version"], PERSON, "Person 0")

    with counted(bench.database.engine) as seen:
        ours()
    timed = compare({OURS: ours, THEIRS: theirs}, bench.seconds)
    yield Result(
        "read and save",
        timed.medians[OURS],
        timed.medians[THEIRS],
        ratio=timed.ratio,
        statements=len(seen),
        note="with rules, permissions, search, duplicates, history",
    )
