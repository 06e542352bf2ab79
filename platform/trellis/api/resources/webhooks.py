"""Webhooks, for administrators: set up, tried out, stopped, sent once more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Response, request, url_for
from flask_babel import gettext as _

from trellis.api.app import api
from trellis.api.asking import read_body, take
from trellis.api.caller import current_caller
from trellis.api.problems import Problem, bad_request
from trellis.api.representation import json_response
from trellis.api.webhooks import keeping, log
from trellis.api.webhooks.delivering import Attempt
from trellis.api.webhooks.webhook import Webhook, read_webhook, read_webhooks
from trellis.identity.person import has_right
from trellis.web.context import current_tenant

MOST = 200  # messages of a page


@api.get("/webhooks")
def list_webhooks() -> Response:
    """Every webhook."""
    tenant = _admitted()
    with tenant.begin() as connection:
        found = read_webhooks(connection, tenant)
    return json_response({"data": [_webhook(one) for one in found], "next": None})


@api.post("/webhooks")
def create_webhook() -> Response:
    """Make one; its secret is in this answer, and in no other."""
    tenant = _admitted()
    made, secret = keeping.create(tenant, _wanted(read_body()), by=current_caller().person.id)
    address = url_for("api.read_one_webhook", id=made.id)
    return json_response({**_webhook(made), "secret": secret}, 201, {"Location": address})


@api.get("/webhooks/<uuid:id>")
def read_one_webhook(id: UUID) -> Response:
    """One webhook."""
    return json_response(_webhook(_read(id)))


@api.patch("/webhooks/<uuid:id>")
def change_webhook(id: UUID) -> Response:
    """Change what is given; `state` stops it (paused) and starts it (active)."""
    webhook, body = _read(id), read_body()
    state = take(body, "state", str, webhook.state)
    if state != webhook.state and state not in ("active", "paused"):
        raise bad_request(_("“%(name)s” has the wrong type.", name="state"), "state")
    keeping.change(current_tenant(), id, _wanted(body, webhook))
    if state != webhook.state:
        (keeping.resume if state == "active" else keeping.pause)(current_tenant(), id)
    return json_response(_webhook(_read(id)))


@api.delete("/webhooks/<uuid:id>")
def delete_webhook(id: UUID) -> Response:
    """End one, with its log."""
    keeping.delete(_admitted(), id)
    return Response(status=204)


@api.post("/webhooks/<uuid:id>/rotate")
def rotate_webhook(id: UUID) -> Response:
    """Another secret, which is in this answer only; `at_once` ends the old one now."""
    _read(id)
    at_once = take(read_body(), "at_once", bool, False)
    return json_response({"secret": keeping.rotate(current_tenant(), id, at_once=at_once)})


@api.post("/webhooks/<uuid:id>/test")
def test_webhook(id: UUID) -> Response:
    """Send a message that means nothing, and tell what came of it."""
    return json_response(_attempt(log.ping(_admitted(), id)))


@api.get("/webhooks/<uuid:id>/messages")
def list_messages(id: UUID) -> Response:
    """The log, the newest first."""
    _read(id)
    state, before = request.args.get("state"), request.args.get("cursor")
    if state not in (None, "waiting", "delivered", "failed"):
        raise bad_request(_("“%(name)s” has the wrong type.", name="state"), "state")
    try:
        after = UUID(before) if before else None
    except ValueError:
        raise bad_request(_("“%(name)s” has the wrong type.", name="cursor"), "cursor") from None
    rows = log.messages(current_tenant(), id, state=state, before=after, limit=MOST + 1)
    following = str(rows[MOST - 1].id) if len(rows) > MOST else None
    return json_response({"data": [_message(row) for row in rows[:MOST]], "next": following})


@api.get("/webhooks/<uuid:id>/messages/<uuid:message>")
def read_message(id: UUID, message: UUID) -> Response:
    """One message: what was sent, and every answer."""
    found, body, attempts = log.message(_admitted(), id, message)
    return json_response({**_message(found), "body": body, "attempts": [_attempt(one) for one in attempts]})


@api.post("/webhooks/<uuid:id>/replay")
def replay_webhook(id: UUID) -> Response:
    """Send once more: `messages` by their ids, or everything `since` a moment (`failed`: what of it has failed)."""
    _read(id)
    body = read_body()
    since, ids = take(body, "since", str), take(body, "messages", list)
    if (since is None) == (ids is None):
        raise bad_request(_("Say either “messages” or “since”."), "since")
    try:
        if ids is not None:
            count = log.replay(current_tenant(), id, [UUID(str(one)) for one in ids])
        else:
            at = datetime.fromisoformat(str(since))
            at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
            at = max(at, datetime.now(UTC) - timedelta(days=366))  # the log is shorter
            count = log.replay_since(current_tenant(), id, at, failed=take(body, "failed", bool, False))
    except (ValueError, OverflowError):
        name = "messages" if ids is not None else "since"
        raise bad_request(_("“%(name)s” has the wrong type.", name=name), name) from None
    return json_response({"count": count})


def _admitted() -> Any:
    """The tenant, for administrators (by a role that the key has) whose key is not narrowed to some entities."""
    caller, tenant = current_caller(), current_tenant()
    person = caller.person
    narrowed = caller.key is not None and caller.key.scopes is not None
    if narrowed or not has_right(tenant, person, "admin"):
        detail = _("Webhooks are for administrators, with a key that has no scopes.")
        raise Problem(403, "forbidden", detail)
    return tenant


def _read(id: UUID) -> Webhook:
    tenant = _admitted()
    with tenant.begin() as connection:
        return read_webhook(connection, tenant, id)


def _wanted(body: dict[str, Any], was: Webhook | None = None) -> keeping.Wanted:
    owner = take(body, "owner", str)
    try:
        whose = UUID(owner) if owner else was.owner if was else current_caller().person.id
    except ValueError:
        raise bad_request(_("“%(name)s” has the wrong type.", name="owner"), "owner") from None
    events = take(body, "events", list, list(was.events) if was else [])
    return keeping.Wanted(
        name=take(body, "name", str, was.name if was else ""),
        url=take(body, "url", str, was.url if was else ""),
        entity=take(body, "entity", str, was.entity if was else ""),
        events=tuple(dict.fromkeys(str(event) for event in events)),
        owner=whose,
        formula=take(body, "formula", (str, type(None)), was.formula if was else None),
    )


def _webhook(one: Webhook) -> dict[str, Any]:
    """Without its secret."""
    return {
        "id": str(one.id),
        "name": one.name,
        "url": one.url,
        "entity": one.entity,
        "events": list(one.events),
        "formula": one.formula,
        "owner": str(one.owner),
        "state": one.state,
        "reason": one.reason,
        "failing_since": one.failing_since,
        "created_at": one.created_at,
        "updated_at": one.updated_at,
    }


def _message(one: log.Message) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "at": one.at,
        "type": one.type,
        "record": str(one.record) if one.record else None,
        "state": one.state,
        "tries": one.tries,
        "next_at": one.next_at,
    }


def _attempt(one: Attempt) -> dict[str, Any]:
    return {"at": one.at, "ms": one.ms, "status": one.status, "error": one.error, "excerpt": one.excerpt}
