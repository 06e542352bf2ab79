"""The built files, straight from the dispatcher: kept for ever by browsers, compressed once by the build."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from trellis.web.assets import ADDRESS, DIST

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

mimetypes.add_type("text/javascript", ".js")
mimetypes.add_type("font/woff2", ".woff2")
mimetypes.add_type("image/svg+xml", ".svg")

ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
UNNAMED = ("manifest.json", "icons.json")  # for the server only


def _content(name: str, ending: str) -> bytes | None:
    if "/" in name or "\\" in name or "\0" in name or name.startswith(".") or name in UNNAMED:
        return None
    try:
        return _read(name + ending)
    except OSError:
        return None


@lru_cache(maxsize=128)
def _read(name: str) -> bytes:
    return (DIST / name).read_bytes()


def is_static(path: str) -> bool:
    """Whether an address is one of the built files."""
    return path.startswith(ADDRESS)


def serve_static(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer with a built file, in the best compression that the browser takes."""
    name = environ["PATH_INFO"][len(ADDRESS) :]
    accepted = environ.get("HTTP_ACCEPT_ENCODING", "")
    plain = _content(name, "")
    if plain is None or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
        start_response("404 Not Found", [("Content-Type", "text/plain"), ("Cache-Control", "no-store")])
        return [b"not found"]
    headers = [
        ("Content-Type", mimetypes.guess_type(name)[0] or "application/octet-stream"),
        ("Cache-Control", "public, max-age=31536000, immutable"),
        ("X-Content-Type-Options", "nosniff"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Vary", "Accept-Encoding"),
    ]
    content = plain
    for encoding, ending in ENCODINGS:
        if encoding in accepted and (packed := _content(name, ending)) is not None:
            headers.append(("Content-Encoding", encoding))
            content = packed
            break
    headers.append(("Content-Length", str(len(content))))
    start_response("200 OK", headers)
    return [content] if environ["REQUEST_METHOD"] == "GET" else []
