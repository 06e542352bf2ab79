"""Who acts in a request, for the audit log, and what of persons it has read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import g, has_request_context, request

from trellis.records.privacy.access import Reading
from trellis.storage.audit import Actor, acting
from trellis.web import reading_log
from trellis.web.context import current_person, current_tenant
from trellis.web.readings import is_again, readings
from trellis.web.refusals import HEADER

if TYPE_CHECKING:
    from flask import Flask, Response


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
    """Note what was read, to be written soon: nobody waits for it."""
    if response.status_code >= 300 or HEADER in response.headers:
        return response
    found = [*g.get("readings", ()), *readings()]
    who = request_actor() if found else None
    if who is not None and who.by is not None:
        reading_log.add(current_tenant(), who, list(dict.fromkeys(found)), again=is_again())
    return response
