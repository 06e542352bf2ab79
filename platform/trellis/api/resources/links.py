"""Lists of linked records: by many-to-many links with their columns, or by links that point here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response, request
from flask_babel import gettext as _

from trellis.api.app import api
from trellis.api.asking import limit_of, read_body, read_fields, read_sort, take
from trellis.api.conditions import once
from trellis.api.problems import bad_request
from trellis.api.representation import json_response, record_json, shown
from trellis.api.resources.records import MEANS
from trellis.api.scope import entity_of, linked_lists
from trellis.formula.types import Value
from trellis.model.entity import Entity
from trellis.records.reading.linked import LinkedList, linked_list
from trellis.records.refusal import Missing
from trellis.records.store import Store
from trellis.web.context import current_store


def _linked(store: Store, entity: Entity, name: str) -> LinkedList:
    """One of the lists that the API has. Raises Missing."""
    found = linked_list(store, entity, name) if name in linked_lists(store, entity) else None
    if found is None:
        raise Missing(name)
    return found


def _kept(listed: LinkedList, values: Mapping[str, Value]) -> dict[str, Any]:
    return {key: listed.link_columns[key].type.to_json(value) for key, value in values.items()}


@api.get("/<entity>/<uuid:id>/links/<name>")
def list_links(entity: str, id: UUID, name: str) -> Response:
    """The records of a links field or an inverse list; `_link` holds the link's own columns."""
    store = current_store()
    with store.transaction():
        listed = _linked(store, entity_of(store, entity), name)
        record = store.read(entity, id, fields=())
        paths, _parts = read_fields(store, listed.target)
        page = store.list(
            listed.target.key,
            columns=paths,
            where=[listed.where(store, record.ref)],
            sort=read_sort(request.args),
            limit=limit_of(request.args),
            cursor=request.args.get("cursor") or None,
        )
        kept = listed.values(store, record.ref, [row.id for row in page.rows])
        fields = shown(store, listed.target, paths)
        rows = [
            record_json(row, fields) | ({"_link": _kept(listed, kept[row.id])} if row.id in kept else {})
            for row in page.rows
        ]
    return json_response({"data": rows, "next": page.next})


@api.post("/<entity>/<uuid:id>/links/<name>")
@once
def add_link(entity: str, id: UUID, name: str) -> Response:
    """Link a record: `{"id": "…", "columns": {"part": "buyer"}}`; one that is linked gets the columns."""
    store = current_store()
    _linked(store, entity_of(store, entity), name)
    body = read_body()
    target = take(body, "id", str)
    if not target:
        raise bad_request(_("“id” is the record to link."), "id")
    store.link(entity, id, name, target, take(body, "columns", dict, {}), means=MEANS)
    return Response(status=204)


@api.delete("/<entity>/<uuid:id>/links/<name>/<uuid:target>")
@once
def remove_link(entity: str, id: UUID, name: str, target: UUID) -> Response:
    """Take a link away."""
    store = current_store()
    _linked(store, entity_of(store, entity), name)
    store.unlink(entity, id, name, target, means=MEANS)
    return Response(status=204)
