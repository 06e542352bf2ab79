"""Which pages of other sites may use the API from a browser: those that the tenant names; by a key, never a cookie."""

from __future__ import annotations

from flask import Response, current_app, request

from trellis.web.context import current_tenant

SENT = "Authorization, Content-Type, Accept, Accept-Language, If-Match, Idempotency-Key"
SHOWN = "ETag, Link, Location, RateLimit, RateLimit-Policy, Retry-After, Idempotency-Replayed, X-Request-ID"
KEPT = 600  # seconds that a browser remembers the answer


def preflight() -> Response:
    """The answer to a browser that asks beforehand (OPTIONS): what may be sent, if this origin may at all."""
    response = current_app.make_default_options_response()
    response.status_code = 204
    if _is_allowed():
        response.headers["Access-Control-Allow-Methods"] = ", ".join(sorted(response.allow))
        response.headers["Access-Control-Allow-Headers"] = SENT
        response.headers["Access-Control-Max-Age"] = str(KEPT)
    return response


def tell(response: Response) -> Response:
    """Let the page read the answer. Cookies are not sent along, so a person's session is worth nothing elsewhere."""
    if not current_tenant().profile.origins:
        return response
    response.vary.add("Origin")
    if _is_allowed():
        response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
        response.headers["Access-Control-Expose-Headers"] = SHOWN
    return response


def _is_allowed() -> bool:
    return request.headers.get("Origin") in current_tenant().profile.origins
