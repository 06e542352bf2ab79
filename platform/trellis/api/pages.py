"""The page that shows what the API offers: Swagger UI over this tenant's document, shipped with the assets."""

from __future__ import annotations

from flask import Response
from flask_appbuilder import expose

from trellis.web.guard import needs
from trellis.web.navigation import address
from trellis.web.pages.base import Page


class ReferenceView(Page):
    """`/api`."""

    @expose("/api")  # type: ignore[untyped-decorator]
    @needs("api")
    def reference(self) -> Response:
        """The operations, with what this person's rights make of them; they can be tried from here."""
        return self.draw("reference.html", document=address("api/v1/openapi.json"))
