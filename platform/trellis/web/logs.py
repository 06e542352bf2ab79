"""Structured logs: one JSON line for each event, with the request's id and the tenant; never a secret."""

from __future__ import annotations

import logging
import re
import sys
import time
from typing import TYPE_CHECKING, Any, TextIO
from uuid import uuid4

import structlog
from flask import g, request
from flask.signals import got_request_exception  # noqa: F401 - what extensions listen to

from trellis.web.metrics import observe

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from flask import Flask, Response

REQUEST_ID = re.compile(r"[A-Za-z0-9_.-]{8,64}")
SECRET = re.compile(r"pass(word)?|secret|token|authorization|cookie|api_?key|csrf", re.IGNORECASE)

log = structlog.get_logger()


def set_up_logs(*, stream: TextIO | None = None, level: str = "INFO", pretty: bool = False) -> None:
    """Write events as JSON lines, or for a person at a terminal."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        hide_secrets,
        structlog.processors.StackInfoRenderer(),
    ]
    # never with the values of local variables: passwords are among them
    traceback = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))
    last: list[Any] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if pretty
        else [traceback, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level)),
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(stream=stream or sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")


def hide_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blank out values whose name says that they are secret."""
    for name in event:
        if SECRET.search(name) and event[name] is not None:
            event[name] = "…"
    return event


def request_id_of(given: str | None) -> str:
    """The id that a proxy gave the request, if it is harmless, else a new one."""
    return given if given and REQUEST_ID.fullmatch(given) else uuid4().hex


def set_up_request_log(app: Flask) -> None:
    """Give every request an id, tell it to the browser, and log how the request went."""
    app.before_request(_begin)
    app.after_request(_finish)


def _begin() -> None:
    g.request_id = request.environ.get("trellis.request_id") or request_id_of(request.headers.get("X-Request-Id"))
    g.began = time.perf_counter()
    g.tenant_slug = request.environ.get("trellis.tenant", "")
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id, tenant=g.tenant_slug)


def _finish(response: Response) -> Response:
    seconds = time.perf_counter() - g.get("began", time.perf_counter())
    response.headers["X-Request-Id"] = g.get("request_id", "")
    observe(g.get("tenant_slug", ""), request.endpoint or "", request.method, response.status_code, seconds)
    log.info(
        "request", method=request.method, path=_shown_path(), status=response.status_code, ms=round(seconds * 1000, 1)
    )
    return response


def _shown_path() -> str:
    """The path without what is secret in it: the token of a link that sets a password."""
    path = request.path
    for name, value in (request.view_args or {}).items():
        if SECRET.search(name):
            path = path.replace(str(value), "…")
    return path
