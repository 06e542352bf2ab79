"""Small things that the frame of every page needs: the tenant's colour and logo."""

from __future__ import annotations

from flask import Response, abort
from flask_appbuilder import expose

from trellis.web.branding import brand_css, logo_of
from trellis.web.context import current_tenant
from trellis.web.pages.base import Page

FOR_EVER = "public, max-age=31536000, immutable"


class FrameView(Page):
    """Stylesheet and logo of the tenant; their addresses change with their content."""

    @expose("/theme.css")  # type: ignore[untyped-decorator]
    def theme(self) -> Response:
        """The tenant's colour as a stylesheet."""
        response = Response(brand_css(current_tenant().profile), mimetype="text/css")
        response.headers["Cache-Control"] = FOR_EVER
        return response

    @expose("/logo")  # type: ignore[untyped-decorator]
    def logo(self) -> Response:
        """The tenant's logo."""
        logo = logo_of(current_tenant())
        if logo is None:
            abort(404)
        response = Response(logo[0], mimetype=logo[1])
        response.headers["Cache-Control"] = FOR_EVER
        # an SVG may carry scripts: as a picture they do not run, opened by itself they must not either
        response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
        return response
