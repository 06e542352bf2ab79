"""Small things that the frame of every page needs: the tenant's colour."""

from __future__ import annotations

from flask import Response
from flask_appbuilder import expose

from trellis.web.branding import brand_css
from trellis.web.context import current_tenant
from trellis.web.pages.base import Page

FOR_EVER = "public, max-age=31536000, immutable"


class FrameView(Page):
    """The tenant's stylesheet; its address changes with its content."""

    @expose("/theme.css")  # type: ignore[untyped-decorator]
    def theme(self) -> Response:
        """The tenant's colour as a stylesheet."""
        response = Response(brand_css(current_tenant().profile), mimetype="text/css")
        response.headers["Cache-Control"] = FOR_EVER
        return response
