"""The API over WSGI with a key: a page of the list, the stream of it, and the document, against the least by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa
from flask import Flask, Response

from bench.hand import hand_of
from bench.registry import Result, measure
from bench.setting import PERSON, VAR
from bench.timing import OURS, THEIRS, compare, counted
from trellis.api.app import add_api
from trellis.api.rates import forget_counts
from trellis.identity.api_keys import create_key
from trellis.web.app import create_tenant_app
from trellis.web.settings import Settings

if TYPE_CHECKING:
    from bench.setting import Bench

PAGE = 50
STREAMED = 20_000
FIELDS = "name,account,job_title,email,phone,mobile,owner"
DOCUMENT_GOAL = 20.0  # milliseconds, warm


@measure("api")
def api(bench: Bench) -> Iterator[Result]:
    """As an administrator: no rule narrows what is read."""
    before = _become(bench, ["admin"])
    try:
        yield from _results(bench)
    finally:
        _become(bench, before)


def _results(bench: Bench) -> Iterator[Result]:
    app = create_tenant_app(bench.tenant, Settings(var=VAR), bench.catalogue, extensions=(add_api,))
    secret = create_key(bench.tenant, PERSON, "bench api")[1]
    ours = _asker(app, {"Authorization": f"Bearer {secret}"})
    theirs = _asker(_by_hand(bench, ours("/api/v1/openapi.json")), {})
    cases = {
        "list API, a page of 50": (
            f"contact?fields={FIELDS}&limit={PAGE}&sort=-created_at",
            f"contact?n={PAGE}",
            "the hand asks for no key",
        ),
        "openapi.json, warm": ("openapi.json", "openapi.json", ""),
    }
    for name, (address, other, said) in cases.items():
        works: dict[str, Callable[[], Any]] = {
            OURS: lambda address=address: ours(f"/api/v1/{address}"),  # type: ignore[misc]
            THEIRS: lambda other=other: theirs(f"/{other}"),  # type: ignore[misc]
        }
        sizes = [len(works[side]()) for side in (OURS, THEIRS)]
        with counted(bench.database.engine) as seen:
            works[OURS]()
        timed = compare(works, bench.seconds)
        m = timed.medians
        kept = f"goal {DOCUMENT_GOAL:.0f} ms: {'kept' if m[OURS] <= DOCUMENT_GOAL else 'missed'}"
        note = f"{sizes[0] / 1000:.0f} and {sizes[1] / 1000:.0f} kB; {said or kept}"
        yield Result(name, m[OURS], m[THEIRS], ratio=timed.ratio, statements=len(seen), note=note)
    yield _stream(bench, app, secret)


def _stream(bench: Bench, app: Flask, secret: str) -> Result:
    """JSON lines of many records against one statement and the same lines."""
    many = min(STREAMED, bench.rows)
    ours = _asker(app, {"Authorization": f"Bearer {secret}", "Accept": "application/jsonl"})
    hand = hand_of(bench)
    works: dict[str, Callable[[], Any]] = {
        OURS: lambda: ours(f"/api/v1/contact?fields={FIELDS}&sort=-created_at&limit={many}"),
        THEIRS: lambda: b"".join(_dumps(row) + b"\n" for row in hand.contacts(limit=many)),
    }
    assert works[OURS]().count(b"\n") == many
    timed = compare(works, bench.seconds, least=3)
    m = timed.medians
    return Result(f"stream of {many:,} records", m[OURS], m[THEIRS], ratio=timed.ratio, note="in pages of 1,000")


def _become(bench: Bench, roles: list[str]) -> list[str]:
    """Give the bench's person other roles; the answer is which they had."""
    user = bench.tenant.tables.entity["user"]
    with bench.tenant.begin() as connection:
        had = connection.execute(sa.select(user.c.roles).where(user.c.id == PERSON)).scalar_one()
        connection.execute(sa.update(user).where(user.c.id == PERSON).values(roles=roles))
    return list(had or ())


def _by_hand(bench: Bench, document: bytes) -> Flask:
    """The same content with nothing around it: one statement and a serializer; bytes that are there."""
    app, hand = Flask("hand"), hand_of(bench)

    @app.get("/contact")
    def contacts() -> Response:
        rows = hand.contacts(limit=PAGE)[:PAGE]
        return Response(_dumps({"data": rows}), mimetype="application/json")

    @app.get("/openapi.json")
    def openapi() -> Response:
        return Response(document, mimetype="application/json")

    return app


def _dumps(value: Any) -> bytes:
    return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS)  # the names of columns are a kind of str


def _asker(app: Flask, headers: dict[str, str]) -> Callable[[str], bytes]:
    client = app.test_client()

    def ask(address: str) -> bytes:
        forget_counts()
        answer = client.get(address, headers=headers)
        assert answer.status_code == 200, (address, answer.status_code, answer.text[:300])
        data: bytes = answer.data
        return data

    return ask
