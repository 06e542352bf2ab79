"""Messages that the person sees as toasts, on the next page or right away."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response, flash


def toast(
    text: str, *, kind: str = "success", undo: dict[str, Any] | None = None, link: dict[str, str] | None = None
) -> None:
    """Say something on the next page. `undo`: {"url": …} is posted when the person takes it back."""
    message: Any = {k: v for k, v in {"text": text, "undo": undo, "link": link}.items() if v}
    flash(message, kind)


def toast_now(response: Response, text: str, *, kind: str = "success", undo: dict[str, Any] | None = None) -> Response:
    """Say something with an answer to htmx."""
    message = {k: v for k, v in {"text": text, "kind": kind, "undo": undo}.items() if v}
    # a header holds ASCII only
    response.headers["HX-Trigger"] = _with(response.headers.get("HX-Trigger"), "toast", message)
    return response


def _with(header: str | None, name: str, detail: Any) -> str:
    events = orjson.loads(header) if header and header.startswith("{") else ({header: True} if header else {})
    events[name] = detail
    return "".join(
        c if ord(c) < 128 else "".join(f"\\u{u:04x}" for u in _units(c)) for c in orjson.dumps(events).decode()
    )


def _units(letter: str) -> list[int]:
    raw = letter.encode("utf-16-be")
    return [int.from_bytes(raw[i : i + 2], "big") for i in range(0, len(raw), 2)]
