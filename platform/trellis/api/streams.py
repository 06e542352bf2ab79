"""Every record of a list as a stream (JSON Lines, CSV): for whoever may export, however many there are."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing

from flask import Response, request, stream_with_context
from flask_babel import gettext as _

from trellis.api.asking import read_list, whole_number
from trellis.api.problems import bad_request
from trellis.api.representation import dumps, record_json, shown
from trellis.api.scope import PLACE
from trellis.model.entity import Entity
from trellis.records.refusal import Fault, Refused
from trellis.records.store import Store
from trellis.records.transfer import Place, exportable, far_place, stream_csv, stream_pages

JSON = "application/json"
LINES = ("application/jsonl", "application/x-ndjson")
CSV = "text/csv"


def wanted_stream() -> str | None:
    """The kind of stream that the request asks for; None where it takes a page as well."""
    best = request.accept_mimetypes.best_match((JSON, *LINES, CSV), default=JSON)
    return None if best == JSON else best


def streamed(store: Store, entity: Entity, kind: str) -> Response:
    """The records that `filter`, `q` and `view` say, in the order of `sort`; `limit` stops before the end.

    The first part is made before the answer begins: what is refused is refused as everywhere.
    """
    parts = _WRITERS[kind](store, entity)
    first = next(parts, b"")

    def body() -> Iterator[bytes]:
        with closing(parts):  # also where nobody reads on: what was sent is noted while the request is still there
            yield first
            yield from parts

    if request.method == "HEAD":
        parts.close()
        response = Response(mimetype=kind)
    else:
        response = Response(stream_with_context(body()), mimetype=kind)
    response.headers["Content-Disposition"] = f"attachment; filename={entity.key}.{'csv' if kind == CSV else 'jsonl'}"
    return response


def _places(store: Store, entity: Entity) -> list[Place]:
    """The columns: those that were asked for, else all. Raises Refused for what this caller may not export."""
    given = [part.strip() for part in request.args.get("fields", "").split(",") if part.strip()]
    paths = given or [field.key for field in exportable(store, entity.key) if PLACE not in field.hidden]
    places, faults = [], []
    for path in dict.fromkeys(paths):
        place = far_place(store, entity.key, path)
        if place is None or PLACE in place.field.hidden:
            faults.append(Fault("unknown", "There is no field “{name}”.", path, {"name": path}))
        else:
            places.append(place)
    if faults:
        raise Refused(faults)
    return places


def _limit() -> int | None:
    """After how many records the stream ends. Raises Problem for what only pages have."""
    for name in ("cursor", "updated_since", "deleted", "count"):
        if name in request.args:
            raise bad_request(_("“%(name)s” is for pages: a stream has none.", name=name), name)
    found = whole_number(request.args, "limit")
    if found == 0:
        raise bad_request(_("“limit” is a number from 1."), "limit")
    return found


def _lines(store: Store, entity: Entity) -> Generator[bytes]:
    """One JSON object a line, as the API gives a record."""
    places = _places(store, entity)
    asked, limit = read_list(store, entity, paged=False), _limit()
    places = [place for place in places if place.path != "id" and not place.is_kept]
    fields = shown(store, entity, [place.path for place in places])
    pages = stream_pages(store, entity.key, places, where=asked.where, q=asked.q, sort=asked.sort, limit=limit)
    for page in pages:
        yield b"".join(dumps(record_json(record, fields)) + b"\n" for record in page)


def _csv(store: Store, entity: Entity) -> Generator[bytes]:
    """The file that an import takes back: cells that a spreadsheet would run begin with an apostrophe."""
    places = _places(store, entity)
    asked, limit = read_list(store, entity, paged=False), _limit()
    columns = [place.path for place in places]
    where, q, sort = asked.where, asked.q, asked.sort
    for text in stream_csv(store, entity.key, columns=columns, where=where, q=q, sort=sort, limit=limit):
        yield text.encode()


_WRITERS: Mapping[str, Callable[[Store, Entity], Generator[bytes]]] = {**dict.fromkeys(LINES, _lines), CSV: _csv}
