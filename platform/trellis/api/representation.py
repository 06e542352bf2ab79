"""Records as JSON: exact values, links with their titles, lines inside their parent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from flask import Response

from trellis.api.scope import part_lists, readable
from trellis.formula.types import Location, Money, Ref
from trellis.model.durations import write_duration
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.model.fields.relations import ref_json
from trellis.model.numbers import json_number
from trellis.model.view import Sort
from trellis.records.reading.pointing import pointing_at_any
from trellis.records.reading.query import MOST_ROWS
from trellis.records.record import Record
from trellis.records.store import Store

SYSTEM = ("id", "version")


def json_response(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A body as an answer."""
    return Response(dumps(body), status, headers or {}, mimetype="application/json")


def dumps(body: Any) -> bytes:
    """A body as JSON, moments in UTC; values without a field (a formula's, a part of one) as the types write them."""
    return orjson.dumps(body, default=_plain, option=orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_UTC_Z)


def _plain(value: Any) -> Any:
    if isinstance(value, Ref):
        return ref_json(value)
    if isinstance(value, Money):
        return {"amount": json_number(value.amount), "currency": value.currency}
    if isinstance(value, Location):
        return {"latitude": value.latitude, "longitude": value.longitude}
    if isinstance(value, timedelta):
        return write_duration(value)
    if isinstance(value, (set, frozenset)):
        return list(value)
    return json_number(value) if isinstance(value, Decimal) else str(value)


def default_paths(store: Store, entity: Entity) -> list[str]:
    """What a record holds when no fields are asked for: every field but other records' (links lists)."""
    return [f.key for f in readable(store, entity) if f.key not in SYSTEM]


def field_at(store: Store, entity: Entity, path: str) -> Field | None:
    """The field at the end of a path; None for a part of a value (`address.city`)."""
    entities = store.tenant.model.entities
    *heads, last = path.split(".")
    at = entity
    for head in heads:
        field = at.fields.get(head)
        targets = field.type.formula_type().entities if field is not None else ()
        if field is None or field.type.formula_type().kind != "record" or len(targets) != 1:
            return None
        at = entities[targets[0]]
    return at.fields.get(last)


def record_json(record: Record, fields: Sequence[tuple[str, Field | None]]) -> dict[str, Any]:
    """A record with the values at some paths."""
    body: dict[str, Any] = {"id": str(record.id), "version": record.version, "_title": record.title}
    for path, field in fields:
        value = record[path]
        body[path] = value if field is None else field.type.to_json(value)
    if record.deleted_at is not None:
        body["deleted_at"] = record.deleted_at
    return body


def shown(store: Store, entity: Entity, paths: Iterable[str]) -> list[tuple[str, Field | None]]:
    """Paths with the fields that write their values."""
    return [(path, field_at(store, entity, path)) for path in paths]


def add_lines(store: Store, entity: Entity, bodies: Sequence[dict[str, Any]], names: Iterable[str]) -> None:
    """Put lists of parts into their parents: a query or so for each list, however many parents there are."""
    parts = part_lists(store, entity)
    for name in names:
        inverse = parts[name]
        part = store.tenant.model.entities[inverse.entity]
        paths = [f.key for f in readable(store, part) if f.key not in (*SYSTEM, inverse.field)]
        fields = shown(store, part, paths)
        lists: dict[str, list[dict[str, Any]]] = {body["id"]: [] for body in bodies}
        for line in _lines(store, part, inverse.field, [UUID(id) for id in lists], paths):
            parent = line[inverse.field]
            lists[str(parent.id)].append(record_json(line, fields))
        for body in bodies:
            body[name] = lists[body["id"]]


def _lines(store: Store, part: Entity, link: str, parents: Sequence[UUID], paths: Sequence[str]) -> Iterator[Record]:
    order = (Sort("position"), Sort("created_at"))
    where, cursor = [pointing_at_any(part, link, parents)], None
    while True:
        columns = [*paths, link]
        page = store.list(part.key, columns=columns, where=where, sort=order, limit=MOST_ROWS, cursor=cursor)
        yield from page.rows
        if (cursor := page.next) is None:
            return


def whole(store: Store, entity: Entity, record: Record) -> dict[str, Any]:
    """A record with everything that the caller may see of it, lines included; `record` holds every readable field."""
    paths = [path for path in default_paths(store, entity) if path in record]
    body = record_json(record, shown(store, entity, paths))
    add_lines(store, entity, [body], part_lists(store, entity))
    return body


def etag(record: Record) -> str:
    """A record's version, for If-Match."""
    return f'"{record.version}"'
