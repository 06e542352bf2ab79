"""Small things that the frame of every page needs: the tenant's colour, the page for when there is no connection."""

from __future__ import annotations

from flask import Response
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.web.assets import DIST, asset
from trellis.web.branding import brand_css
from trellis.web.context import current_tenant
from trellis.web.pages.base import Page

FOR_EVER = "public, max-age=31536000, immutable"


class FrameView(Page):
    """The tenant's stylesheet, and what stands in for pages without a connection."""

    @expose("/theme.css")  # type: ignore[untyped-decorator]
    def theme(self) -> Response:
        """The tenant's colour as a stylesheet."""
        response = Response(brand_css(current_tenant().profile), mimetype="text/css")
        response.headers["Cache-Control"] = FOR_EVER
        return response

    @expose("/offline")  # type: ignore[untyped-decorator]
    def offline(self) -> Response:
        """What a browser keeps for when there is no connection."""
        return self.draw(
            "errors/error.html",
            code="",
            icon_name="wifi-off",
            heading=_("You are offline"),
            advice=_("This page needs a connection. What you have saved is safe."),
            request_id=None,
            back=None,
        )

    @expose("/worker.js")  # type: ignore[untyped-decorator]
    def worker(self) -> Response:
        """The service worker; it has to lie below the tenant's own address to serve only that."""
        response = Response((DIST / asset("worker.js").rpartition("/")[2]).read_bytes(), mimetype="text/javascript")
        response.headers["Cache-Control"] = "no-cache"
        return response
