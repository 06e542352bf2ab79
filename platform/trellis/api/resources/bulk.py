"""Many records in one request: each row has an outcome of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Response
from flask_babel import gettext as _

from trellis.api.app import api
from trellis.api.asking import read_body, take
from trellis.api.conditions import once
from trellis.api.problems import Problem, bad_request, errors_of
from trellis.api.representation import json_response
from trellis.api.resources.records import MEANS, given_values
from trellis.api.scope import entity_of
from trellis.model.entity import Entity
from trellis.model.fields.base import Invalid
from trellis.records.record import Outcome
from trellis.records.refusal import Fault, Missing, Refused
from trellis.records.store import Store, as_id
from trellis.records.transfer.keys import comparable, find_rows
from trellis.web.context import current_store

MOST = 5000
_MISSING = Fault("missing", "There is no such record, or you may not see it.", "id")
Rows = Sequence[Mapping[str, Any]]


class _Undone(Exception):
    """Everything is taken back: not all rows were taken, and all or nothing was asked for."""


@api.post("/<entity>/bulk")
@once
def bulk(entity: str) -> Response:
    """Create, update, upsert or delete up to 5,000 records."""
    store = current_store()
    definition = entity_of(store, entity)
    body = read_body()
    operation = _OPERATIONS.get(str(body.get("operation")))
    if operation is None:
        raise bad_request(_("“operation” is create, update, upsert or delete."), "operation")
    rows = take(body, "rows", list)
    if not rows:
        raise bad_request(_("“rows” holds the records, at least one."), "rows")
    if len(rows) > MOST:
        raise Problem(413, "too-large", _("At most %(n)d rows at once.", n=MOST))
    if not all(isinstance(row, dict) for row in rows):
        raise bad_request(_("Every row is a JSON object."), "rows")
    together = take(body, "all_or_nothing", bool, False)
    outcomes: list[Outcome] = []
    try:
        with store.transaction() as connection, connection.begin_nested():
            outcomes = operation(store, definition, rows, body)
            if together and any(o.status == "refused" for o in outcomes):
                raise _Undone
    except _Undone:
        return _answer(definition, outcomes, status=422, undone=True)
    return _answer(definition, outcomes)


def _create(store: Store, entity: Entity, rows: Rows, _body: Mapping[str, Any]) -> list[Outcome]:
    return _each(entity, rows, lambda good: store.create_many(entity.key, good, means=MEANS))


def _update(store: Store, entity: Entity, rows: Rows, _body: Mapping[str, Any]) -> list[Outcome]:
    def change(good: Rows) -> list[Outcome]:
        return _changes(store, entity, [(row.get("id"), row) for row in good])

    return _each(entity, rows, change)


def _upsert(store: Store, entity: Entity, rows: Rows, body: Mapping[str, Any]) -> list[Outcome]:
    """Change the record that has the row's value in the field `match`, or create one."""
    match = take(body, "match", str, entity.natural_key or "")
    field = entity.fields.get(match)
    readable = match in store.readable_fields(entity.key) and not store.session.permit.conceals(entity.key, match)
    if field is None or not field.is_stored or not readable:
        raise bad_request(_("“match” is the field that records are recognised by."), "match")

    def key_of(row: Mapping[str, Any]) -> Any:
        try:
            value = field.type.parse(row.get(match), store.principal.reader)
        except Invalid:
            return None
        return None if value is None else comparable(entity, match, value)

    def change(good: Rows) -> list[Outcome]:
        keys = [key_of(row) for row in good]
        found = find_rows(store.session, entity.key, match, [key for key in keys if key is not None])
        made: list[Outcome | None] = [None] * len(good)
        new = [i for i, key in enumerate(keys) if key is None or not found.get(key)]
        old = [i for i, key in enumerate(keys) if key is not None and len(found.get(key, ())) == 1]
        for i, outcome in zip(new, store.create_many(entity.key, [good[i] for i in new], means=MEANS), strict=True):
            made[i] = outcome
        changes = [(found[keys[i]][0]["id"], good[i]) for i in old]
        for i, outcome in zip(old, _changes(store, entity, changes), strict=True):
            made[i] = outcome
        several = Fault("ambiguous", "Several records have this value.", match)
        return [outcome or Outcome("refused", None, (several,)) for outcome in made]

    return _each(entity, rows, change)


def _delete(store: Store, entity: Entity, rows: Rows, _body: Mapping[str, Any]) -> list[Outcome]:
    def delete(good: Sequence[tuple[UUID, Mapping[str, Any]]]) -> Sequence[Outcome]:
        once = list(dict.fromkeys(id for id, _row in good))
        done = dict(zip(once, store.delete_many(entity.key, once, means=MEANS), strict=True))
        gone = Outcome("refused", None, (_MISSING,))
        return [done.pop(id, gone) for id, _row in good]  # named again, it is gone

    return _by_id([(row.get("id"), row) for row in rows], delete)


_OPERATIONS: dict[str, Callable[[Store, Entity, Rows, Mapping[str, Any]], list[Outcome]]] = {
    "create": _create,
    "update": _update,
    "upsert": _upsert,
    "delete": _delete,
}


def _each(entity: Entity, rows: Rows, work: Callable[[Rows], list[Outcome]]) -> list[Outcome]:
    """Do the work for the rows whose shape is right; the others are refused."""
    outcomes: list[Outcome | None] = [None] * len(rows)
    good: list[int] = []
    for i, row in enumerate(rows):
        try:
            given_values(entity, dict(row))
            good.append(i)
        except Refused as error:
            outcomes[i] = Outcome("refused", None, error.faults)
    for i, outcome in zip(good, work([rows[i] for i in good]), strict=True):
        outcomes[i] = outcome
    return [outcome for outcome in outcomes if outcome is not None]


def _changes(store: Store, entity: Entity, changes: Sequence[tuple[Any, Mapping[str, Any]]]) -> list[Outcome]:
    """Change records by their ids."""

    def change(good: Sequence[tuple[UUID, Mapping[str, Any]]]) -> Sequence[Outcome]:
        values = [(id, {k: v for k, v in row.items() if k != "id"}) for id, row in good]
        return store.update_many(entity.key, values, means=MEANS)

    return _by_id(changes, change)


def _by_id(
    rows: Sequence[tuple[Any, Mapping[str, Any]]],
    work: Callable[[Sequence[tuple[UUID, Mapping[str, Any]]]], Sequence[Outcome]],
) -> list[Outcome]:
    """Do the work for the rows that have an id; the others are refused."""
    outcomes: list[Outcome | None] = [None] * len(rows)
    good: list[int] = []
    known: list[tuple[UUID, Mapping[str, Any]]] = []
    for i, (id, row) in enumerate(rows):
        try:
            known.append((as_id(str(id)), row))
            good.append(i)
        except Missing:
            outcomes[i] = Outcome("refused", None, (_MISSING,))
    for i, outcome in zip(good, work(known), strict=True):
        outcomes[i] = outcome
    return [outcome for outcome in outcomes if outcome is not None]


def _answer(entity: Entity, outcomes: Sequence[Outcome], *, status: int = 200, undone: bool = False) -> Response:
    """An outcome for each row, in order, and how many there were of each."""
    counts: dict[str, int] = {}
    rows = []
    for outcome in outcomes:
        said = "undone" if undone and outcome.status != "refused" else outcome.status
        counts[said] = counts.get(said, 0) + 1
        row: dict[str, Any] = {"status": said, "id": None if undone or outcome.id is None else str(outcome.id)}
        if outcome.faults:
            row["errors"] = errors_of(outcome.faults)
        rows.append(row)
    return json_response({"entity": entity.key, "counts": counts, "data": rows}, status)
