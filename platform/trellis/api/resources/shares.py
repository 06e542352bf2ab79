"""Who a record is shared with: a person or a team, reading or changing, up to a day."""

from __future__ import annotations

from datetime import date
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
from trellis.formula.types import Ref
from trellis.model.fields.relations import ref_json
from trellis.records.sharing.shares import KINDS, LEVELS, Share
from trellis.records.store import as_id
from trellis.web.context import current_store


@api.get("/<entity>/<uuid:id>/shares")
def list_shares(entity: str, id: UUID) -> Response:
    """Who a record is shared with."""
    store = current_store()
    entity_of(store, entity)
    return json_response({"data": [_share(one) for one in store.shares(entity, id)], "next": None})


@api.post("/<entity>/<uuid:id>/shares")
@once
def add_share(entity: str, id: UUID) -> Response:
    """Share a record; with somebody whom it is shared with already, change what that opens."""
    store = current_store()
    entity_of(store, entity)
    body = _body(("with", "level", "until"))
    whom = take(body, "with", dict)
    if not whom or whom.get("entity") not in KINDS or not isinstance(whom.get("id"), str):
        raise bad_request(_('“with” is a person or a team: {"entity": "user", "id": "…"}.'), "with")
    made = store.share(
        entity, id, Ref(whom["entity"], as_id(whom["id"])), _level(body, "read"), _until(body), means=MEANS
    )
    return json_response(_share(made), 201)


@api.patch("/<entity>/<uuid:id>/shares/<uuid:share>")
@once
def change_share(entity: str, id: UUID, share: UUID) -> Response:
    """Change what a share opens, or how long."""
    store = current_store()
    entity_of(store, entity)
    body = _body(("level", "until"))
    given: dict[str, Any] = {"level": _level(body, "read")} if "level" in body else {}
    if "until" in body:
        given["until"] = _until(body)
    return json_response(_share(store.change_share(entity, id, share, given, means=MEANS)))


@api.delete("/<entity>/<uuid:id>/shares/<uuid:share>")
@once
def end_share(entity: str, id: UUID, share: UUID) -> Response:
    """End a share."""
    store = current_store()
    entity_of(store, entity)
    store.end_share(entity, id, share, means=MEANS)
    return Response(status=204)


def _body(known: tuple[str, ...]) -> dict[str, Any]:
    body: dict[str, Any] = read_body()
    for name in body:
        if name not in known:
            raise bad_request(_("There is no “%(name)s” here.", name=name), name)
    return body


def _level(body: dict[str, Any], usual: str) -> str:
    level: str = take(body, "level", str, usual)
    if level not in LEVELS:
        raise bad_request(_("“level” is read or write."), "level")
    return level


def _until(body: dict[str, Any]) -> date | None:
    text = take(body, "until", str)
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise bad_request(_("“%(name)s” is a day like 2026-12-24.", name="until"), "until") from error


def _share(one: Share) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "with": ref_json(one.whom),
        "level": one.level,
        "until": one.until.isoformat() if one.until is not None else None,
        "over": one.is_over,
        "at": one.at,
        "by": ref_json(one.by) if one.by is not None else None,
    }
