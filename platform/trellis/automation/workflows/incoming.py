"""Requests from outside that set workflows off, signed as Standard Webhooks say."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from trellis.automation.clock import now
from trellis.automation.workflows.starting import Start, start
from trellis.model.automation.triggers import OnWebhook
from trellis.model.automation.workflow import Workflow

if TYPE_CHECKING:
    from trellis.model.model import Model
    from trellis.storage.tenant import Tenant

TOLERANCE = 300  # seconds between the sender's clock and ours
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
LONGEST_ID, LONGEST_AT = 200, 12


class NotSigned(Exception):
    """The request is not signed with the secret, or at another time: the text says which."""


def hooks(model: Model, key: str) -> list[tuple[Workflow, OnWebhook]]:
    """The active workflows that listen to an address."""
    return [
        (workflow, trigger)
        for workflow in model.workflows.values()
        for trigger in workflow.triggers
        if workflow.active and isinstance(trigger, OnWebhook) and trigger.key == key
    ]


def verify(secret: str, headers: Mapping[str, str], body: bytes) -> str:
    """The id of a request that is signed with the secret. Raises NotSigned. Standard Webhooks, version 1."""
    id, at = headers.get(ID, ""), headers.get(TIMESTAMP, "")
    if not id or len(id) > LONGEST_ID or not (at.isdecimal() and len(at) <= LONGEST_AT):
        raise NotSigned(f"{ID} or {TIMESTAMP} is missing")
    if abs(now().timestamp() - int(at)) > TOLERANCE:
        raise NotSigned(f"{TIMESTAMP} is more than five minutes away")
    key = base64.b64decode(secret.removeprefix("whsec_")) if secret.startswith("whsec_") else secret.encode()
    wanted = base64.b64encode(hmac.new(key, f"{id}.{at}.".encode() + body, hashlib.sha256).digest())
    given = [part.partition(",") for part in headers.get(SIGNATURE, "").split()]
    if not any(version == "v1" and hmac.compare_digest(mark.encode(), wanted) for version, _comma, mark in given):
        raise NotSigned(f"{SIGNATURE} does not fit")
    return id


def receive(connection: sa.Connection, tenant: Tenant, key: str, id: str, payload: Any) -> int:
    """Begin the runs of a request; how many. One that came already begins none."""
    found = hooks(tenant.model, key)
    table = tenant.tables.platform.run
    mark = f"{key}:{id}"
    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtextextended(%s, 7276))", (f"{tenant.slug}:{mark}",))
    known = sa.select(table.c.id).where(table.c.workflow.in_([w.key for w, _ in found]), table.c.trigger == "webhook")
    if connection.execute(known.where(table.c.event["id"].astext == mark).limit(1)).first() is not None:
        return 0
    event = {"kind": "webhook", "id": mark}
    starts = [Start(w, "webhook", event=event, variables={trigger.into: payload}) for w, trigger in found]
    return len(start(connection, tenant, starts))
