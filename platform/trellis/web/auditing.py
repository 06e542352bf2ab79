"""Who acts in a request, for the audit log, and what of persons it has read, noted once the answer is out."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from flask import g, has_request_context, request

from trellis.records.privacy.access import How, Reading, write
from trellis.storage.audit import Actor, acting
from trellis.web.context import current_person, current_tenant

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


def opened(entity: str, id: UUID, how: How = "record") -> None:
    """Note that a record was opened; written after the answer, and only if it holds personal data."""
    _readings().append(Reading(how, entity, id))


def listed(entity: str, count: int, filter: str = "", how: How = "list") -> None:
    """Note that a list was read: how many records it showed, and by what filter."""
    _readings().append(Reading(how, entity, None, count, filter or None))


def _readings() -> list[Reading]:
    if "readings" not in g:
        g.readings = []
    found: list[Reading] = g.readings
    return found


def _note_readings(response: Response) -> Response:
    """Write what was read when the answer has gone out: nobody waits for it."""
    readings = g.pop("readings", None)
    if readings and response.status_code < 400:
        tenant, who = current_tenant(), request_actor()

        def note() -> None:
            try:
                write(tenant, who, list(dict.fromkeys(readings)))
            except Exception:  # the answer is out: all that is left is to say so
                log.exception("access log not written", tenant=tenant.slug)

        response.call_on_close(note)
    return response
