"""Calling another system: the request goes by a job of its own, and the run goes on with the answer."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID

import orjson
from uuid_utils.compat import uuid7

from trellis.automation.clock import now
from trellis.automation.jobs import Backoff, GiveUp, Work, defer, defer_many, kind
from trellis.automation.outgoing import Limits, OutgoingFailed, OutgoingRefused, send
from trellis.automation.workflows.codec import freeze
from trellis.automation.workflows.context import StepContext, StepFailed
from trellis.automation.workflows.run import Run, read_run, write_run
from trellis.automation.workflows.starting import job_of
from trellis.automation.workflows.steps.registry import Done, Outcome, Suspended, does
from trellis.formula.types import Ref, Value
from trellis.model.automation import steps
from trellis.storage.secrets import MissingSecret, tenant_secret

if TYPE_CHECKING:
    import sqlalchemy as sa

    from trellis.storage.tenant import Tenant

CALL = "workflows.request"
LONGEST = 64 * 1024  # of an answer that is kept
SECONDS = 15.0


@does(steps.Request)
def _request(ctx: StepContext, step: steps.Request) -> Outcome:
    kept = ctx.run.waiting
    if kept is not None and "answer" in kept:
        answer = dict(kept["answer"])
        if answer.get("error"):
            raise StepFailed("{url} did not answer: {reason}", url=str(kept["url"]), reason=str(answer["error"]))
        if int(answer["status"]) >= 400:
            raise StepFailed("{url} answered {status}.", url=str(kept["url"]), status=answer["status"])
        return Done(answer, {"status": answer["status"]})
    if kept is not None:
        return Suspended(kept)
    env = ctx.env()
    query = {key: plain(given.evaluate(env)) for key, given in step.query.items()}
    url = str(step.url.evaluate(env) or "")
    if query:
        url += ("&" if "?" in url else "?") + urlencode({k: "" if v is None else v for k, v in query.items()})
    body = step.body.evaluate(env)
    sent = {
        "method": step.method,
        "url": url,
        "headers": {key: str(given.evaluate(env) or "") for key, given in step.headers.items()},
        "body": None if body is None else orjson.dumps(plain(body)).decode(),
        "sign": step.sign,
        "secret": step.secret,
        "seconds": step.timeout.rest.total_seconds() if step.timeout is not None else SECONDS,
    }
    mark = str(uuid7())  # by which the answer finds its question: an old one may still come, from the dead letters
    defer(ctx.connection, call, {"run": str(ctx.run.id), "place": step.place, "call": mark, **sent})
    return Suspended({"url": url, "call": mark}, told={"text": f"{step.method} {url.partition('?')[0]}"})


def plain(value: Value) -> Any:
    """A value as JSON for another system: links as ids, money as amount and currency, moments in ISO 8601."""
    if isinstance(value, Ref):
        return str(value.id)
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    stored = freeze(value)
    if isinstance(stored, dict) and len(stored) == 1:
        [(name, written)] = stored.items()
        if name == "$money":
            return {"amount": written[0], "currency": written[1]}
        if name == "$number":
            number = float(written)
            return int(number) if number.is_integer() else number
        if name == "$ref":
            return written[1]
        return written
    return stored


def _given_up(work: Work, reason: str) -> None:
    with work.tenant.begin() as connection:
        given_up = {"error": reason, "status": 0}
        answered(connection, work.tenant, UUID(work.payload["run"]), given_up, work.payload.get("call"))


@kind(CALL, retry=Backoff(tries=4, first=5, longest=120), on_death=_given_up)
def call(work: Work) -> None:
    """Send the request. The same `Idempotency-Key` goes with every try, so that the other side does it once."""
    sent = work.payload
    body = sent["body"].encode() if sent["body"] is not None else None
    headers = {"User-Agent": "Trellis", "Idempotency-Key": str(work.uid), **sent["headers"]}
    if body is not None:
        headers.setdefault("Content-Type", "application/json")
    if sent["sign"]:
        headers |= _signed(work, body or b"")
    try:
        limits = Limits(total=float(sent["seconds"]), size=LONGEST)
        answer = send(sent["method"], sent["url"], body=body, headers=headers, limits=limits)
    except OutgoingRefused as refused:
        raise GiveUp(str(refused)) from refused
    if answer.status in (408, 425, 429) or answer.status >= 500:
        raise OutgoingFailed("status", f"it answered {answer.status}")
    with work.finishing() as connection:
        told = {"status": answer.status, "body": _read(answer.body)}
        answered(connection, work.tenant, UUID(sent["run"]), told, sent.get("call"))


def answered(
    connection: sa.Connection, tenant: Tenant, id: UUID, answer: dict[str, Any], call: str | None = None
) -> None:
    """Keep the answer with the run, if it still waits for it, and let the run go on."""
    run = read_run(connection, tenant, id, lock=True)
    if run is None or run.is_over or run.waiting is None or call not in (None, run.waiting.get("call")):
        return
    run.waiting = {**run.waiting, "answer": answer}
    write_run(connection, tenant, run)
    defer_many(connection, [job_of(run)])


def unanswered(run: Run) -> None:
    """The request of a run from a backup is not sent anew by itself: whether it was sent, nobody knows."""
    if run.waiting is not None and "call" in run.waiting and "answer" not in run.waiting:
        run.waiting = {**run.waiting, "answer": {"error": "restored from a backup", "status": 0}}


def _read(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode("utf-8", "replace")


def _signed(work: Work, body: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks, by the secret that the step names in the environment."""
    try:
        secret = tenant_secret(work.tenant.slug, work.payload["secret"] or "request")
    except MissingSecret as missing:
        raise GiveUp(str(missing)) from missing
    key = base64.b64decode(secret.removeprefix("whsec_")) if secret.startswith("whsec_") else secret.encode()
    at = str(int(now().timestamp()))
    signed = hmac.new(key, f"{work.uid}.{at}.".encode() + body, hashlib.sha256).digest()
    mark = f"v1,{base64.b64encode(signed).decode()}"
    return {"webhook-id": str(work.uid), "webhook-timestamp": at, "webhook-signature": mark}
