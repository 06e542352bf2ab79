"""What letters lead by, where it is noted that they are read: their picture, and their links."""

from __future__ import annotations

import base64

import structlog
from flask import Response, redirect, request
from flask_appbuilder import expose
from sqlalchemy.exc import SQLAlchemyError

from trellis.automation.mail import tracing
from trellis.automation.workflows.acting import system_of
from trellis.records.store import Store
from trellis.web.context import current_tenant
from trellis.web.pages.base import Page

log = structlog.get_logger()
PICTURE = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")  # one transparent point


class TracingView(Page):
    """`/m/<token>.gif` and `/m/<token>/<number>`."""

    @expose("/m/<token>.gif")  # type: ignore[untyped-decorator]
    def picture(self, token: str) -> Response:
        """The picture, whatever the token: nobody learns here which letters there are."""
        _note(token, "open", None)
        return _unkept(Response(PICTURE, mimetype="image/gif"))

    @expose("/m/<token>/<int:number>")  # type: ignore[untyped-decorator]
    def follow(self, token: str, number: int) -> Response:
        """On to where the link of that number leads; the address itself names no place, so it leads nowhere else."""
        target = tracing.target_of(current_tenant(), token, number)
        if target is None:
            return self.draw("public/gone.html", status=410, form=None)
        _note(token, "click", number)
        onward: Response = redirect(target, 302)  # type: ignore[assignment]
        return _unkept(onward)


def _note(token: str, kind: tracing.Kind, link: int | None) -> None:
    """Whatever goes wrong with the noting, the reader goes on."""
    if request.method == "HEAD":  # no person's program asks so
        return
    tenant = current_tenant()
    store = Store(tenant, system_of(tenant), cause={"mail": "read"})
    try:
        headers = {name.lower(): value for name, value in request.headers.items()}
        tracing.note(store, token, kind, link, headers.get("user-agent", ""), headers)
    except SQLAlchemyError:
        log.warning("that a letter was read could not be noted", tenant=tenant.slug, exc_info=True)


def _unkept(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store, private"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"  # letters are read on other sites
    response.headers["X-Robots-Tag"] = "noindex"
    return response
