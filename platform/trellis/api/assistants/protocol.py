"""The messages of the Model Context Protocol: JSON-RPC 2.0, the revisions, the methods."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from trellis import __version__
from trellis.api.assistants.tools import NoSuchTool, call_tool, list_tools

MODERN = ("2026-07-28",)  # each request carries its revision and what the client can do
HANDSHAKE = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
SERVER = {"name": "trellis", "title": "Trellis", "version": __version__}
SERVER_KEY = "io.modelcontextprotocol/serverInfo"
VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities"
CLIENT_KEY = "io.modelcontextprotocol/clientInfo"
PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602
INTERNAL_ERROR, HEADER_MISMATCH, UNSUPPORTED_VERSION = -32603, -32020, -32022
INSTRUCTIONS = (
    "This is a customer relationship management system. Begin with list_entities; before you filter or write records "
    "of an entity, ask describe_entity for its fields, choices and stages. Filters are formulas such as "
    'status == "open" and amount > 1000 and due < today(). What you may see and change is what the person may whose '
    "key is used; a refusal says what to change. Never invent values of fields: ask the person."
)


class RpcError(Exception):
    """An answer that is an error of the protocol itself; what a tool refuses is a result."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data

    def body(self, id: Any) -> dict[str, Any]:
        """The error as a message."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.data is not None:
            error["data"] = self.data
        return {"jsonrpc": "2.0", "id": id, "error": error}


@dataclass(frozen=True)
class Request:
    """One message that wants an answer."""

    id: int | str
    method: str
    params: Mapping[str, Any]
    is_modern: bool

    @property
    def client(self) -> str:
        """What the client calls itself, where the request says so."""
        meta = self.params.get("_meta")
        info = meta.get(CLIENT_KEY) if isinstance(meta, Mapping) else self.params.get("clientInfo")
        name = info.get("name") if isinstance(info, Mapping) else None
        return name[:100] if isinstance(name, str) else ""


Method = Callable[[Request], dict[str, Any]]
METHODS: dict[str, Method] = {}


def method(name: str) -> Callable[[Method], Method]:
    """Register what answers a method."""

    def register(answer: Method) -> Method:
        METHODS[name] = answer
        return answer

    return register


def answer(request: Request) -> dict[str, Any]:
    """The answer to a request, or its error."""
    try:
        found = METHODS.get(request.method)
        if found is None:
            raise RpcError(METHOD_NOT_FOUND, f"There is no method {request.method}.")
        result = found(request)
    except RpcError as error:
        return error.body(request.id)
    if request.is_modern:
        result = {"resultType": "complete", **result, "_meta": {SERVER_KEY: SERVER}}
    return {"jsonrpc": "2.0", "id": request.id, "result": result}


@method("initialize")
def _initialize(request: Request) -> dict[str, Any]:
    wanted = request.params.get("protocolVersion")
    return {
        "protocolVersion": wanted if wanted in HANDSHAKE else HANDSHAKE[-1],
        "capabilities": {"tools": {"listChanged": False}},
        "serverInfo": SERVER,
        "instructions": INSTRUCTIONS,
    }


@method("server/discover")
def _discover(request: Request) -> dict[str, Any]:
    if not request.is_modern:
        raise RpcError(METHOD_NOT_FOUND, "There is no method server/discover in this revision.")
    return {
        "supportedVersions": [*HANDSHAKE, *MODERN],
        "capabilities": {"tools": {}},
        "instructions": INSTRUCTIONS,
        **_uncached(),
    }


@method("ping")
def _ping(_request: Request) -> dict[str, Any]:
    return {}


@method("tools/list")
def _list(_request: Request) -> dict[str, Any]:
    return {"tools": list_tools(), **_uncached()}


@method("tools/call")
def _call(request: Request) -> dict[str, Any]:
    name, arguments = request.params.get("name"), request.params.get("arguments", {})
    if not isinstance(name, str) or not isinstance(arguments, Mapping):
        raise RpcError(INVALID_PARAMS, "“name” is a tool's name, “arguments” an object.")
    try:
        return call_tool(name, arguments, client=request.client)
    except NoSuchTool as missing:
        raise RpcError(INVALID_PARAMS, str(missing)) from missing


def _uncached() -> dict[str, Any]:
    """What is offered depends on the caller and on the configuration of the moment."""
    return {"ttlMs": 0, "cacheScope": "private"}
