"""A list of 50 out of many: Store.list against the hand-written query."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from bench.fill import contact_id
from bench.hand import floor_of, hand_of
from bench.handwritten.floor import LIST
from bench.registry import Result, measure
from bench.timing import FLOOR, OURS, THEIRS, compare, counted
from trellis.model.view import Sort
from trellis.records.reading import paging

if TYPE_CHECKING:
    from bench.setting import Bench

COLUMNS = ("name", "account", "job_title", "email", "phone", "mobile", "owner")
NEWEST = (Sort("created_at", descending=True),)
BY_NAME = (Sort("name"),)
FILTER = 'buying_role == "decision"'
SEARCH = "bergman"
GOAL = 1.5


@measure("lists")
def lists(bench: Bench) -> Iterator[Result]:
    """Page 1 filtered, sorted, searched; and a page in the middle."""
    hand = hand_of(bench)
    middle = _middle(bench)
    cases: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("list, filtered", {"where": [FILTER], "sort": NEWEST}, {"decision": True}),
        ("list, sorted by name", {"sort": BY_NAME}, {"by_name": True}),
        ("list, searched", {"q": SEARCH, "sort": NEWEST}, {"q": SEARCH}),
        ("list, page in the middle", {"sort": NEWEST, "cursor": middle[0]}, {"after": middle[1]}),
    ]
    floor = floor_of(bench)
    for at, (name, ours, theirs) in enumerate(cases):
        works: dict[str, Callable[[], object]] = {
            OURS: lambda ours=ours: values(bench, **ours),  # type: ignore[misc]
            THEIRS: lambda theirs=theirs: hand.contacts(**theirs),  # type: ignore[misc]
        }
        if at == 0:
            works[FLOOR] = lambda: floor.execute(LIST).fetchall()
        same = [row[0] for row in values(bench, **ours)] == [row["email"] for row in hand.contacts(**theirs)[:50]]
        with counted(bench.database.engine) as seen:
            values(bench, **ours)
        timed = compare(works, bench.seconds)
        yield Result(
            name,
            timed.medians[OURS],
            timed.medians[THEIRS],
            timed.medians.get(FLOOR),
            timed.ratio,
            statements=len(seen),
            goal=GOAL,
            note="" if same else "OTHER ROWS THAN THE BASELINE",
        )
    floor.close()


def values(bench: Bench, **how: Any) -> list[list[Any]]:
    """A page with every value decoded."""
    page = bench.store().list("contact", columns=COLUMNS, **how)
    return [[r["email"], r.title, *(r[path] for path in COLUMNS)] for r in page.rows]


def _middle(bench: Bench) -> tuple[str, tuple[Any, Any]]:
    """The place in the middle of the table, as our cursor and as the hand's."""

    record = bench.store().read("contact", contact_id(bench.rows // 2), fields=["created_at"])
    mark = paging.fingerprint("contact", NEWEST)
    return paging.write_cursor(mark, [record["created_at"], record.id]), (record["created_at"], record.id)
