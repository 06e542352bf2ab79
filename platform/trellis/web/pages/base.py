"""What every page has in common."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, render_template
from flask_appbuilder import BaseView


class Page(BaseView):  # type: ignore[misc]
    """A page: routes are its own (no prefix with the class's name), templates are ours."""

    route_base = ""
    needs_right: str | None = None

    def draw(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """Render a template as the answer."""
        response = make_response(render_template(template, **values))
        response.status_code = status
        return response
