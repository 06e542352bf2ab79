"""Pools: what lies in them, claiming, assigning, putting back, locking."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Response
from flask_babel import gettext as _

from trellis.api.app import api
from trellis.api.asking import read_body, take
from trellis.api.conditions import once
from trellis.api.problems import bad_request
from trellis.api.representation import json_response
from trellis.api.resources.records import MEANS
from trellis.api.scope import entity_of
from trellis.records.pools import claiming
from trellis.records.pools.claiming import Outcome
from trellis.records.pools.place import open_pools, own_usage
from trellis.records.pools.usage import size_of
from trellis.records.refusal import Forbidden, Missing
from trellis.records.store import Store, as_id
from trellis.web.context import current_store


@api.get("/<entity>/pools")
def list_pools(entity: str) -> Response:
    """The pools of an entity that one may see, with how much one may still claim."""
    store = current_store()
    entity_of(store, entity)
    pools = [pool for pool in open_pools(store) if pool.entity == entity]
    return json_response({"data": [_pool(store, pool.key) for pool in pools], "next": None})


@api.post("/<entity>/pools/<key>/claim")
@once
def claim(entity: str, key: str) -> Response:
    """Take records of a pool for oneself: `{"ids": ["…"]}`. Each has an outcome of its own."""
    store = current_store()
    _of(store, entity, key)
    return _outcomes(claiming.claim(store, key, _ids(read_body()), means=MEANS))


@api.post("/<entity>/pools/<key>/assign")
@once
def assign(entity: str, key: str) -> Response:
    """Give records of a pool to somebody: `{"ids": ["…"], "to": "…"}`; for the pool's admins."""
    store = current_store()
    _of(store, entity, key)
    body = read_body()
    to = take(body, "to", str)
    if not to:
        raise bad_request(_("“to” is the id of the person who gets them."), "to")
    return _outcomes(claiming.assign(store, key, _ids(body), as_id(to), means=MEANS))


@api.post("/<entity>/<uuid:id>/release")
@once
def release(entity: str, id: UUID) -> Response:
    """Put a record back into its pool: `{"reason": "…"}`."""
    store = current_store()
    entity_of(store, entity)
    store.read(entity, id, fields=())
    reason = take(read_body(), "reason", str, "")
    [outcome] = claiming.give_back(store, entity, [id], reason, means=MEANS)
    if outcome.error is not None:
        raise outcome.error
    return Response(status=204)


@api.post("/<entity>/<uuid:id>/lock")
@once
def lock(entity: str, id: UUID) -> Response:
    """Keep a record from going back to its pool, for as long as the pool lets one."""
    return _lock(entity, id, on=True)


@api.delete("/<entity>/<uuid:id>/lock")
@once
def unlock(entity: str, id: UUID) -> Response:
    """Let go of a record that was locked."""
    return _lock(entity, id, on=False)


def _lock(entity: str, id: UUID, *, on: bool) -> Response:
    store = current_store()
    entity_of(store, entity)
    store.read(entity, id, fields=())
    claiming.lock(store, entity, id, on=on, means=MEANS)
    return Response(status=204)


def _of(store: Store, entity: str, key: str) -> None:
    """The pool is one of the entity's. Raises Missing."""
    entity_of(store, entity)
    pool = store.tenant.model.pools.get(key)
    if pool is None or pool.entity != entity:
        raise Missing(key)


def _ids(body: dict[str, Any]) -> list[UUID]:
    given = take(body, "ids", list)
    if not given:
        raise bad_request(_("“ids” is a list of records."), "ids")
    return [as_id(str(id)) for id in given]


def _outcomes(outcomes: Sequence[Outcome]) -> Response:
    """An outcome for each record, as bulk operations give them."""
    from trellis.web.faults import refusal_text

    rows = []
    for outcome in outcomes:
        row: dict[str, Any] = {"id": str(outcome.id), "status": "done" if outcome.done else "refused"}
        if outcome.error is not None:
            row["error"] = (
                _("You are not allowed to do that.")
                if isinstance(outcome.error, Forbidden)
                else _("It is gone.")
                if isinstance(outcome.error, Missing)
                else refusal_text(outcome.error)  # type: ignore[arg-type]
            )
        rows.append(row)
    return json_response({"data": rows})


def _pool(store: Store, key: str) -> dict[str, Any]:
    pool, usage = store.tenant.model.pools[key], own_usage(store, key)
    with store.transaction():
        size = size_of(store.session, pool)
    told: dict[str, Any] = {
        "key": key,
        "label": pool.label.in_language(store.principal.reader.language),
        "records": size,
        "hidden": sorted(pool.hide),
    }
    if usage is not None:
        told["claimed_today"], told["per_day"] = usage.today, usage.per_day
        told["held"], told["holding"] = usage.held, usage.holding
        told["locked"], told["locks"] = usage.locked, usage.locks
        told["team_held"], told["team_holding"] = usage.team_held, usage.team_holding
    return told
