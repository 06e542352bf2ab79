"""Lists of linked records: by many-to-many links with their columns, or by links that point here."""

from __future__ import annotations

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
from trellis.formula.formula import Formula
from trellis.formula.types import Ref
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.records.reading.catalog import link_columns
from trellis.records.reading.pointing import link_values, linked_with, pointing_at
from trellis.records.refusal import Missing
from trellis.records.store import Store
from trellis.web.context import current_store


class _Linked:
    """One list beside a record: whose links they are, and which end the record is."""

    def __init__(self, store: Store, entity: Entity, name: str) -> None:
        if name not in linked_lists(store, entity):
            raise Missing(name)
        entities = store.tenant.model.entities
        inverse = entity.inverses.get(name)
        self.from_owner = inverse is None
        if inverse is None:
            field = entity.fields[name]
            self.target = entities[field.type.formula_type().entities[0]]
            self.owner: tuple[str, str] | None = (entity.key, name)
        else:
            self.target = entities[inverse.entity]
            self.owner = (inverse.entity, inverse.field) if inverse.many else None
            self.field = inverse.field
        self.columns: dict[str, Field] = {}
        if self.owner is not None and self.owner[1] in store.readable_fields(self.owner[0]):
            self.columns = dict(link_columns(entities[self.owner[0]].fields[self.owner[1]]))

    def where(self, store: Store, ref: Ref) -> Formula:
        """The condition that a record is in the list."""
        if self.owner is None:
            return pointing_at(self.target, self.field, ref)
        return linked_with(store.tenant.tables, *self.owner, ref, from_owner=self.from_owner)

    def values(self, store: Store, ref: Ref, ids: list[UUID]) -> dict[UUID, dict[str, Any]]:
        """What the links themselves carry, by the id of the far record."""
        if self.owner is None or not self.columns or not ids:
            return {}
        found = link_values(store, *self.owner, ref, ids, from_owner=self.from_owner)
        return {
            id: {key: self.columns[key].type.to_json(value) for key, value in row.items()} for id, row in found.items()
        }


@api.get("/<entity>/<uuid:id>/links/<name>")
def list_links(entity: str, id: UUID, name: str) -> Response:
    """The records of a links field or an inverse list; `_link` holds the link's own columns."""
    store = current_store()
    with store.transaction():
        listed = _Linked(store, entity_of(store, entity), name)
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
        rows = [record_json(row, fields) | ({"_link": kept[row.id]} if row.id in kept else {}) for row in page.rows]
    return json_response({"data": rows, "next": page.next})


@api.post("/<entity>/<uuid:id>/links/<name>")
@once
def add_link(entity: str, id: UUID, name: str) -> Response:
    """Link a record: `{"id": "…", "columns": {"part": "buyer"}}`; one that is linked gets the columns."""
    store = current_store()
    _Linked(store, entity_of(store, entity), name)
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
    _Linked(store, entity_of(store, entity), name)
    store.unlink(entity, id, name, target, means=MEANS)
    return Response(status=204)
