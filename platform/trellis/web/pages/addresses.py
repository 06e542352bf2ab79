"""What a form of an address asks for when another country is chosen."""

from __future__ import annotations

from dataclasses import asdict

from flask import Response, jsonify, request
from flask_appbuilder import expose

from trellis.web.context import current_store
from trellis.web.guard import signed_in
from trellis.web.pages.base import Page
from trellis.web.widgets.address import boxes


class AddressView(Page):
    """`/address`: the boxes of a country."""

    @expose("/address")  # type: ignore[untyped-decorator]
    @signed_in
    def address(self) -> Response:
        """The boxes of `?country=CN` in order, with their names; of the tenant's country when none is given."""
        found = boxes(request.args.get("country", ""), current_store().principal.reader)
        return jsonify([asdict(box) for box in found])
