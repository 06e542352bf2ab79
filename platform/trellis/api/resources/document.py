"""The OpenAPI document of this tenant, for this caller's rights."""

from __future__ import annotations

from flask import Response, request

from trellis.api.app import api
from trellis.api.openapi.document import document
from trellis.web.context import current_language, current_store


@api.get("/openapi.json")
def openapi() -> Response:
    """OpenAPI 3.1."""
    base = f"{request.script_root}/api/v1"
    return Response(
        document(current_store(), base=base, language=current_language()),
        mimetype="application/openapi+json" if "openapi" in request.headers.get("Accept", "") else "application/json",
    )
