"""Streamable HTTP: one POST for each message, one JSON answer. No sessions, no streams, so nothing to lose."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import orjson
import structlog
from flask import Blueprint, Response, g, request
from flask_babel import gettext as _

from trellis.api import rates
from trellis.api.assistants.protocol import (
    CAPABILITIES_KEY,
    HANDSHAKE,
    HEADER_MISMATCH,
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    MODERN,
    PARSE_ERROR,
    UNSUPPORTED_VERSION,
    VERSION_KEY,
    Request,
    RpcError,
    answer,
)
from trellis.api.caller import admit, identify
from trellis.api.problems import Problem
from trellis.api.representation import dumps
from trellis.storage.tenant import RevisionChanged
from trellis.web.posted import body_within

mcp = Blueprint("assistants", __name__)
log = structlog.get_logger()
MEANS = "assistant"
LARGEST = 4 * 2**20
MOST = 20  # messages in one request, which the revision 2025-03-26 allows
STATUS = {PARSE_ERROR: 400, INVALID_REQUEST: 400, HEADER_MISMATCH: 400, UNSUPPORTED_VERSION: 400}
STATUS_OF_MODERN = {**STATUS, INVALID_PARAMS: 400, METHOD_NOT_FOUND: 404}
BATCHES = (None, "2025-03-26")


@mcp.before_request
def _begin() -> None:
    _check_origin()
    if "Authorization" not in request.headers:
        challenge = {"WWW-Authenticate": 'Bearer realm="trellis"'}
        detail = _("Send an API key: “Authorization: Bearer …”.")
        raise Problem(401, "unauthorized", detail, headers=challenge)  # a browser's session is worth nothing here
    caller = identify()
    rates.count(caller)
    g.means = MEANS
    admit(caller)


@mcp.after_request
def _end(response: Response) -> Response:
    return rates.tell(response)


@mcp.errorhandler(Problem)
def _problem(error: Problem) -> Response:
    return error.answer()


@mcp.route("/mcp", methods=["GET", "DELETE"])
def no_stream() -> Response:
    """There is no stream of our own to listen to, and no session to end."""
    return Response(status=405, headers={"Allow": "POST"})


@mcp.post("/mcp")
def message() -> Response:
    """A message of the protocol; what is only told is taken and answered by nothing."""
    if request.mimetype != "application/json":
        raise Problem(415, "media-type", _("Send JSON: “Content-Type: application/json”."))
    if not request.accept_mimetypes.accept_json:
        return Response(status=406)
    if (sent := body_within(LARGEST)) is None:
        raise Problem(413, "too-large", _("Send less at once."))
    version = request.headers.get("MCP-Protocol-Version")
    try:
        body = orjson.loads(sent)
    except orjson.JSONDecodeError:
        return _error(RpcError(PARSE_ERROR, "This is not JSON."))
    try:
        if isinstance(body, list):
            return _batch(body, version)
        told = _answered(body, version)
    except RpcError as error:
        id = body.get("id") if isinstance(body, dict) else None
        return _error(error, id if isinstance(id, (int, str)) else None, is_modern=version in MODERN)
    if told is None:
        return Response(status=202)
    status = STATUS_OF_MODERN if version in MODERN else STATUS
    return Response(dumps(told), status.get(told.get("error", {}).get("code"), 200), mimetype="application/json")


def _batch(body: list[Any], version: str | None) -> Response:
    if version not in BATCHES or not 0 < len(body) <= MOST:
        raise RpcError(INVALID_REQUEST, "Send one message at a time.")
    answers = [told for one in body if (told := _answered(one, version)) is not None]
    return Response(dumps(answers), mimetype="application/json") if answers else Response(status=202)


def _error(error: RpcError, id: Any = None, *, is_modern: bool = False) -> Response:
    status = (STATUS_OF_MODERN if is_modern else STATUS).get(error.code, 400)
    return Response(dumps(error.body(id)), status, mimetype="application/json")


def _answered(body: Any, version: str | None) -> dict[str, Any] | None:
    """The answer to one message; None to what wants none. Raises RpcError."""
    if not isinstance(body, dict) or body.get("jsonrpc") != "2.0":
        raise RpcError(INVALID_REQUEST, "This is no message of JSON-RPC 2.0.")
    if "method" not in body or "id" not in body:
        return None  # a notification, or an answer to a question that we never ask
    id, name, params = body["id"], body["method"], body.get("params")
    params = {} if params is None else params
    if not isinstance(id, (int, str)) or isinstance(id, bool) or not isinstance(name, str):
        raise RpcError(INVALID_REQUEST, "“id” is a number or a text, “method” a text.")
    if not isinstance(params, dict):
        raise RpcError(INVALID_PARAMS, "“params” is an object.")
    is_modern = version is not None and version not in HANDSHAKE
    if is_modern:
        _check_envelope(name, params, version)
    try:
        return answer(Request(id, name, params, is_modern))
    except RevisionChanged:
        raise  # the request is answered again by the newer app
    except Exception:
        log.exception("an assistant's request failed", method=name)
        problem = RpcError(INTERNAL_ERROR, f"Something went wrong on our side (request {g.get('request_id', '')}).")
        return problem.body(id)


def _check_envelope(method: str, params: Mapping[str, Any], version: str | None) -> None:
    """What the revision 2026-07-28 asks of each request: that its headers say what its body says. Raises RpcError."""
    meta = params.get("_meta")
    if not isinstance(meta, Mapping) or VERSION_KEY not in meta or CAPABILITIES_KEY not in meta:
        raise RpcError(INVALID_PARAMS, f"params._meta needs {VERSION_KEY} and {CAPABILITIES_KEY}.")
    named = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}.get(method)
    expected = [
        ("MCP-Protocol-Version", version, meta[VERSION_KEY]),
        ("Mcp-Method", request.headers.get("Mcp-Method"), method),
    ]
    if named is not None and params.get(named) is not None:
        expected.append(("Mcp-Name", _decoded(request.headers.get("Mcp-Name")), params[named]))
    for header, given, wanted in expected:
        if given != wanted:
            raise RpcError(HEADER_MISMATCH, f"The header {header} does not say what the body says.")
    if version not in MODERN:
        supported = {"supported": [*HANDSHAKE, *MODERN], "requested": version}
        raise RpcError(UNSUPPORTED_VERSION, "Unsupported protocol version", supported)


def _decoded(header: str | None) -> str | None:
    """A header's text; what no header can hold comes as base64."""
    if header is None or not (header.startswith("=?base64?") and header.endswith("?=")):
        return header
    try:
        return base64.b64decode(header[9:-2], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def _check_origin() -> None:
    """Pages of other sites may not speak through a browser to what listens here. Raises Problem."""
    origin = request.headers.get("Origin")
    if origin is None:
        return
    if origin == "null" or urlsplit(origin).netloc.lower() != request.host.lower():
        raise Problem(403, "origin", _("Requests from pages of other sites are not answered."))
