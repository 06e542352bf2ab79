"""Refusals as application/problem+json (RFC 9457), in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from flask import Response, g
from flask_babel import gettext as _

from trellis.records.refusal import Fault, Forbidden, Missing, Refused, Stale
from trellis.web.faults import fault_text

MIME = "application/problem+json"


class Problem(Exception):
    """An answer that is a refusal. `detail` is written for the reader already."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.errors = errors
        self.headers = dict(headers or {})
        self.more = more

    def answer(self) -> Response:
        """The problem as a response."""
        body: dict[str, Any] = {
            "type": f"urn:trellis:problem:{self.kind}",
            "title": title_of(self.status),
            "status": self.status,
            "detail": self.detail,
            "instance": f"urn:trellis:request:{g.get('request_id', '')}",
            **self.more,
        }
        if self.errors:
            body["errors"] = list(self.errors)
        return Response(orjson.dumps(body, default=str), self.status, self.headers, mimetype=MIME)


def title_of(status: int) -> str:
    """What a status means."""
    titles = {
        400: _("The request cannot be read"),
        401: _("Not signed in"),
        403: _("Not allowed"),
        404: _("Not found"),
        405: _("Not possible here"),
        409: _("Changed in between"),
        412: _("Changed in between"),
        413: _("Too large"),
        415: _("Not a kind of content that is read here"),
        422: _("Refused"),
        428: _("A condition is missing"),
        429: _("Too many requests"),
    }
    return str(titles.get(status) or _("Something went wrong on our side"))


def errors_of(faults: Sequence[Fault]) -> list[dict[str, Any]]:
    """The faults, each with its field, code and message."""
    return [_error(fault) for fault in faults]


def _error(fault: Fault) -> dict[str, Any]:
    error: dict[str, Any] = {"field": fault.field, "code": fault.code, "message": fault_text(fault)}
    if fault.code == "filter":  # where in the formula
        error |= {key: fault.params[key] for key in ("offset", "length") if fault.params.get(key) is not None}
    return error


def refused(error: Refused) -> Response:
    """What breaks rules: 422; a save of an old version: 412."""
    if isinstance(error, Stale):
        detail = _("The record has changed since it was read. Read it again and repeat your change.")
        return Problem(412, "stale", detail, version=error.version).answer()
    errors = errors_of(error.faults)
    detail = " ".join(dict.fromkeys(str(e["message"]) for e in errors))
    return Problem(422, "refused", detail, errors=errors).answer()


def missing(error: Missing) -> Response:
    """What is not there, or not for this caller."""
    return Problem(404, "not-found", _("There is no such record, or you may not see it.")).answer()


def forbidden(error: Forbidden) -> Response:
    """What the caller sees but may not do."""
    detail = _("Your key or role does not allow “%(action)s” here.", action=error.action)
    return Problem(403, "forbidden", detail, action=error.action, entity=error.entity).answer()


def bad_request(detail: str, field: str | None = None) -> Problem:
    """A request whose shape is wrong."""
    return Problem(400, "bad-request", detail, errors=[{"field": field, "code": "invalid", "message": detail}])
