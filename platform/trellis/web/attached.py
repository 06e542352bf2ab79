"""Answers that are files: their names may be in any script, which a header only carries encoded."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from flask import Response


def named(response: Response, name: str, *, inline: bool = False) -> Response:
    """Give an answer the name that its file has, to be kept or, `inline`, to be looked at."""
    kind = "inline" if inline else "attachment"
    response.headers["Content-Disposition"] = f"{kind}; filename*=UTF-8''{quote(name, safe='')}"
    return response
