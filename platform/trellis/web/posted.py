"""What other systems post, who have no session: a body within its limit, headers, and a short answer."""

from __future__ import annotations

import orjson
from flask import Response, request
from werkzeug.exceptions import RequestEntityTooLarge


def body_within(most: int) -> bytes | None:
    """The request's body; None when it is larger, also when it does not say so before it comes."""
    request.max_content_length = most + 1  # what does not say how large it is ends there without a word
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge:
        return None
    return body if len(body) <= most else None


def headers() -> dict[str, str]:
    """The request's headers, their names in small letters."""
    return {name.lower(): value for name, value in request.headers.items()}


def said(status: int, text: str) -> Response:
    """A short answer for a program."""
    return Response(orjson.dumps({"status": status, "detail": text}), status, mimetype="application/json")
