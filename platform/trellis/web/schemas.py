"""JSON Schemas of the language over HTTP, for editors: `# yaml-language-server: $schema=…/schemas/entity.json`."""

from __future__ import annotations

from functools import lru_cache

import orjson
from flask import Response, abort

from trellis.model.compile.editor import schemas

HOUR = 3600


def schema_response(name: str, entities: tuple[str, ...] = ()) -> Response:
    """One kind's schema (`trellis`: any document); `entities` complete where an entity is meant. 404 for no kind."""
    body = _written(entities).get(name)
    if body is None:
        abort(404)
    response = Response(body, mimetype="application/schema+json")
    response.headers["Cache-Control"] = f"private, max-age={HOUR}"
    return response


@lru_cache(maxsize=16)
def _written(entities: tuple[str, ...]) -> dict[str, bytes]:
    return {name: orjson.dumps(schema) for name, schema in schemas(entities).items()}
