"""Who acts in a request, for the audit log, and what of persons it has read, noted once the answer is out."""

from __future__ import annotations

from typing import TYPE_CHECKING
import structlog
from flask import g, has_request_context, request

from trellis.records.privacy.access import Reading, write
from trellis.storage.audit import Actor, acting
from trellis.web.context import current_person, current_tenant
from trellis.web.readings import readings
from trellis.web.refusals import HEADER

if TYPE_CHECKING:
    from flask import Flask, Response

log = structlog.get_logger()


def set_up_auditing(app: Flask) -> None:
    """Say who acts in the requests of an app, and note at their end what was read."""
    app.before_request(_begin)
    app.after_request(_note_readings)
    app.teardown_request(_end)


def _end(_error: BaseException | None) -> None:
    acting.set(None)


def _begin() -> None:
    acting.set(request_actor)


def request_actor() -> Actor:
    """The person of this request, how they came and from where."""
    if not has_request_context():
        return Actor()
    caller = g.get("caller")
    person = caller.person if caller is not None else current_person()
    means = g.get("means") or ("api" if caller is not None else "page")
    return Actor(
        None if person is None else person.id,
        None if person is None else person.name,
        means,
        request.remote_addr,
        g.get("request_id"),
    )


def gave_out(reading: Reading) -> None:
    """Note something that was read beside what the request's address says (web/readings.py)."""
    if "readings" not in g:
        g.readings = []
    g.readings.append(reading)


def _note_readings(response: Response) -> Response:
    """Write what was read when the answer has gone out: nobody waits for it."""
    if response.status_code >= 300 or HEADER in response.headers:
        return response
    found = [*g.get("readings", ()), *readings()]
    if found and request_actor().by is not None:
        tenant, who = current_tenant(), request_actor()

        def note() -> None:
            try:
                write(tenant, who, list(dict.fromkeys(found)))
            except Exception:  # the answer is out: all that is left is to say so
                log.exception("access log not written", tenant=tenant.slug)

        response.call_on_close(note)
    return response
