"""Home: what is mine to do, and what I looked at lately."""

from __future__ import annotations

from flask import Response
from flask_appbuilder import expose

from trellis.web.context import current_reader
from trellis.web.guard import signed_in
from trellis.web.pages.base import Page


class HomeView(Page):
    """The first page after signing in."""

    default_view = "index"

    @expose("/")  # type: ignore[untyped-decorator]
    @signed_in
    def index(self) -> Response:
        """Greeting, my open records, recent records."""
        hour = current_reader().now.astimezone(current_reader().time_zone).hour
        return self.draw("home.html", hour=hour)
