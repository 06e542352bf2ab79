"""Refusals, told to a browser without its console writing a fault.

Pages answer a refused save with 422, a stale one with 409, a link that was used up with 410 and one attempt too many
with 429, as HTTP has it. Chromium writes a line into its console for every answer of 400 and more, and a person who
typed a wrong date has broken nothing. So what a browser asked for leaves as 200 and carries the status in a header;
`lib/http.js` puts it back for our scripts, which see 422 and 409. What a script or htmx asks for and may not have, or
finds gone, is told in the same way (`connection.js`); a page that a browser goes to by itself keeps its 403 or 404.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

if TYPE_CHECKING:
    from flask import Flask, Response

HEADER = "X-Refused"
REFUSALS = frozenset({409, 410, 422, 429})
FOR_SCRIPTS = REFUSALS | {400, 401, 403, 404, 413}


def set_up_refusals(app: Flask) -> None:
    """Turn refusals into answers. Set up before the request log, it comes after it: the log keeps the true status."""
    app.after_request(tell_refusal)


def tell_refusal(response: Response) -> Response:
    """A refusal that a browser asked for: 200, with its status in a header. Programs get the status itself."""
    if response.status_code in (FOR_SCRIPTS if asked_by_script() else REFUSALS) and asked_by_browser():
        response.headers[HEADER] = str(response.status_code)
        response.status_code = 200
    return response


def asked_by_browser() -> bool:
    """Whether htmx, a script of ours, or a browser that sends a form waits for the answer; never the API."""
    if request.path.startswith("/api/"):
        return False
    return asked_by_script() or "text/html" in request.headers.get("Accept", "")


def asked_by_script() -> bool:
    """Whether htmx or a script of ours waits for the answer: it reads the header."""
    return "HX-Request" in request.headers or "X-Requested-With" in request.headers
