"""Records: list, read, create, change, delete, restore."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Response, request, url_for
from flask_babel import gettext as _

from trellis.api.app import api
from trellis.api.asking import CAP, ListRequest, read_body, read_fields, read_list, read_moment
from trellis.api.conditions import expected_version, once
from trellis.api.problems import Problem, errors_of
from trellis.api.representation import add_lines, default_paths, etag, json_response, record_json, shown, whole
from trellis.api.scope import PLACE, entity_of
from trellis.api.streams import streamed, wanted_stream
from trellis.model.entity import Entity
from trellis.records.reading import paging
from trellis.records.reading.lost import lost
from trellis.records.record import Record
from trellis.records.refusal import Fault, Missing, Refused
from trellis.records.store import Store
from trellis.web.context import current_store
from trellis.web.readings import showed

MEANS = "api"
TOLD = timedelta(days=31)  # how far back a change feed tells of what has left the caller's sight


@api.get("/<entity>")
def list_records(entity: str) -> Response:
    """A page of records; all of them as a stream, where the caller takes one of those kinds."""
    store = current_store()
    definition = entity_of(store, entity)
    if (kind := wanted_stream()) is not None:
        return streamed(store, definition, kind)
    with store.transaction():
        asked = read_list(store, definition)
        page = store.list(
            entity,
            columns=asked.paths,
            where=asked.where,
            q=asked.q,
            sort=asked.sort,
            limit=asked.limit,
            cursor=asked.cursor,
            deleted=asked.deleted,
        )
        fields = shown(store, definition, asked.paths)
        rows = [_row(record, fields, asked) for record in page.rows]
        if asked.since is not None:
            rows += [{"id": str(id), "_gone": "not_visible"} for id in _lost(store, entity, asked, page.next)]
        # The lines of what is deleted lie in the bin with it: no list is truer than an empty one.
        there = [row for row in rows if "deleted_at" not in row and "_gone" not in row]
        add_lines(store, definition, there, asked.lines)
        showed(len(rows))
        body: dict[str, Any] = {"data": rows, "next": page.next}
        if asked.count != "none":
            cap = CAP if asked.count == "capped" else None
            count = store.count(entity, where=asked.where, q=asked.q, cap=cap, deleted=asked.deleted)
            body["count"] = {"n": count.n, "capped": count.capped}
    return json_response(body, headers=_next_link(page.next))


def _row(record: Record, fields: Any, asked: ListRequest) -> dict[str, Any]:
    if asked.since is not None and record.deleted_at is not None:  # gone: what it was is nobody's business any more
        told = {"id": str(record.id), "version": record.version, "deleted_at": record.deleted_at}
        return {**told, "_gone": "deleted"}
    return record_json(record, fields)


def _lost(store: Store, entity: str, asked: ListRequest, following: str | None) -> list[UUID]:
    """What has left the caller's sight, in the part of the change feed that this page is of."""
    assert asked.since is not None
    if asked.since < datetime.now(UTC) - TOLD:
        return []
    mark = paging.fingerprint(entity, asked.sort)
    after, until = (
        None if cursor is None else paging.read_cursor(cursor, mark, 2) for cursor in (asked.cursor, following)
    )
    return lost(store.session, entity, asked.since, after, until)


def _next_link(cursor: str | None) -> dict[str, str]:
    """The next page's address as a Link header (RFC 8288)."""
    if cursor is None:
        return {}
    query = urlencode([*((k, v) for k, v in request.args.items(multi=True) if k != "cursor"), ("cursor", cursor)])
    return {"Link": f'<{request.script_root}{request.path}?{query}>; rel="next"'}


@api.get("/<entity>/<uuid:id>")
def read_record(entity: str, id: UUID) -> Response:
    """One record, with its lines unless fields are asked for."""
    store = current_store()
    definition = entity_of(store, entity)
    with store.transaction():
        if (moment := read_moment("as_of")) is not None:
            return json_response(_past(store, definition, store.read(entity, id, as_of=moment)))
        try:
            record, body = _present(store, definition, id)
        except Missing:
            if (winner := store.merged_into(entity, id)) is None:
                raise
            store.read(entity, winner, fields=())  # Missing, when it is nothing for this caller
            detail = _("The record was merged into another one.")
            raise Problem(404, "merged", detail, merged_into=str(winner)) from None
    return json_response(body, headers={"ETag": etag(record)})


def _present(store: Store, entity: Entity, id: UUID) -> tuple[Record, dict[str, Any]]:
    """A record as it is, with what is asked for."""
    if not request.args.get("fields"):
        record = store.read(entity.key, id)
        return record, whole(store, entity, record)
    paths, lines = read_fields(store, entity)
    record = store.read(entity.key, id, fields=paths)
    body = record_json(record, shown(store, entity, paths))
    add_lines(store, entity, [body], lines)
    return record, body


def _past(store: Store, entity: Entity, record: Record) -> dict[str, Any]:
    """A record as it was; `_unknown` names what no history tells."""
    paths = [path for path in default_paths(store, entity) if path in record]
    body = record_json(record, shown(store, entity, paths))
    return body | {"_unknown": sorted(getattr(record, "unknown", ()))}


@api.post("/<entity>")
@once
def create_record(entity: str) -> Response:
    """Make a record, with its lines and links."""
    store = current_store()
    definition = entity_of(store, entity)
    values = given_values(definition, read_body())
    with store.transaction():
        record = store.create(entity, values, means=MEANS, confirmed=confirmed())
        body = written(store, definition, record)
    return json_response(
        body, 201, {"ETag": etag(record), "Location": url_for("api.read_record", entity=entity, id=record.id)}
    )


@api.patch("/<entity>/<uuid:id>")
@once
def change_record(entity: str, id: UUID) -> Response:
    """Change some fields of a record; what is not named stays."""
    store = current_store()
    definition = entity_of(store, entity)
    values = given_values(definition, read_body())
    version = expected_version()
    with store.transaction():
        record = store.update(entity, id, values, version=version, means=MEANS, confirmed=confirmed())
        body = written(store, definition, record)
    return json_response(body, headers={"ETag": etag(record)})


@api.delete("/<entity>/<uuid:id>")
@once
def delete_record(entity: str, id: UUID) -> Response:
    """Put a record into the bin."""
    store = current_store()
    entity_of(store, entity)
    version = expected_version()
    with store.transaction():
        if version is not None:
            check_version(store.read(entity, id, fields=()).version, version)
        store.delete(entity, id, means=MEANS)
        if version is not None:  # nobody was faster until it was locked
            check_version(store.read(entity, id, fields=(), deleted=True).version - 1, version)
    return Response(status=204)


@api.post("/<entity>/<uuid:id>/restore")
@once
def restore_record(entity: str, id: UUID) -> Response:
    """Take a record out of the bin."""
    store = current_store()
    definition = entity_of(store, entity)
    with store.transaction():
        store.restore(entity, id, means=MEANS)
        record = store.read(entity, id)
        body = whole(store, definition, record)
    return json_response(body, headers={"ETag": etag(record)})


def given_values(entity: Entity, body: dict[str, Any]) -> dict[str, Any]:
    """What a write gives. Raises Refused for fields that the API does not have."""
    faults = [
        Fault("unknown", "There is no field “{name}”.", name, {"name": name})
        for name in body
        if name.startswith("_") or ((field := entity.fields.get(name)) is not None and PLACE in field.hidden)
    ]
    if faults:
        raise Refused(faults)
    return body


def confirmed() -> bool:
    """Whether warnings (of likely duplicates) are accepted: `?confirm=false` makes them refusals."""
    return request.args.get("confirm", "true") != "false"


def written(store: Store, entity: Entity, record: Record) -> dict[str, Any]:
    """A record that was just written, with the warnings of the save."""
    body = whole(store, entity, record)
    if record.warnings:
        body["_warnings"] = errors_of(record.warnings)
    return body


def check_version(now: int, version: int) -> None:
    """Raises Problem when the record is at another version."""
    if now != version:
        detail = _("The record has changed since it was read. Read it again and repeat your change.")
        raise Problem(412, "stale", detail, version=now)
