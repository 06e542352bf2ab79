"""Pages over HTTP, in process with a signed-in session: ours against the hand-written ones of the same content."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from werkzeug.test import Client as WsgiClient

from bench.fill import contact_id
from bench.hand import floor_of, hand_client, hand_of
from bench.handwritten.app import list_template, record_template
from bench.handwritten.floor import floor_app
from bench.measures.lists import FILTER, NEWEST, SEARCH
from bench.registry import Result, measure
from bench.timing import FLOOR, OURS, THEIRS, compare, counted
from trellis.records.reading import paging

if TYPE_CHECKING:
    from bench.setting import Bench

GOAL = 2.0


@measure("pages")
def pages(bench: Bench) -> Iterator[Result]:
    """List pages and the record page."""
    ours, record = bench.client, hand_of(bench).contact(contact_id(bench.rows // 3))
    place = f"/e/contact/{record['id']}"
    templates = {
        "list.html": list_template(ours.get("/e/contact/?view=all").text),
        "record.html": record_template(ours.get(place).text, record),
    }
    theirs = hand_client(bench, templates)
    at = record["created_at"]
    cursor = paging.write_cursor(paging.fingerprint("contact", NEWEST), [at, record["id"]])
    newest = {"view": "all", "sort": "-created_at"}
    cases: list[tuple[str, str, str]] = [
        ("list page, filtered", _address(**newest, where=FILTER), _address(decision="1")),
        ("list page, sorted by name", _address(view="all"), _address(sort="name")),
        ("list page, searched", _address(**newest, q=SEARCH), _address(q=SEARCH)),
        ("record page", place, place),
    ]
    floor = floor_of(bench)
    bare = WsgiClient(floor_app(floor))
    for number, (name, address, other) in enumerate(cases):
        works: dict[str, Callable[[], Any]] = {OURS: _get(ours, address), THEIRS: _get(theirs, other)}
        if number == 0:
            works[FLOOR] = lambda: bare.get("/")
        sizes = [len(works[side]()) for side in (OURS, THEIRS)]
        with counted(bench.database.engine) as seen:
            works[OURS]()
        timed = compare(works, bench.seconds)
        m = timed.medians
        note = f"{sizes[0] / 1000:.0f} and {sizes[1] / 1000:.0f} kB"
        yield Result(name, m[OURS], m[THEIRS], m.get(FLOOR), timed.ratio, statements=len(seen), goal=GOAL, note=note)
    floor.close()
    yield _rows(bench, f"/e/contact/rows?{urlencode({**newest, 'cursor': cursor})}", theirs, at, record["id"])


def _rows(bench: Bench, address: str, theirs: Any, at: Any, id: Any) -> Result:
    """What scrolling asks for in the middle of the table: ours sends rows, the hand a page of them."""
    works = {OURS: _get(bench.client, address), THEIRS: _get(theirs, _address(after=f"{at.isoformat()},{id}"))}
    with counted(bench.database.engine) as seen:
        works[OURS]()
    timed = compare(works, bench.seconds)
    m = timed.medians
    return Result("scrolling on in the middle", m[OURS], m[THEIRS], ratio=timed.ratio, statements=len(seen), goal=GOAL)


def _address(**args: str) -> str:
    return f"/e/contact/?{urlencode(args)}"


def _get(client: Any, address: str) -> Callable[[], bytes]:
    def get() -> bytes:
        response = client.get(address)
        assert response.status_code == 200, (address, response.status_code)
        data: bytes = response.data
        return data

    return get
