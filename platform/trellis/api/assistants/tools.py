"""Tools: what an assistant can do, each a function with a name, words for the assistant and a JSON Schema.

What a tool refuses is a result with `isError`, in words that say how to do better. A tool is registered by its
module (`tool(…)` above a function); other parts of Trellis add theirs to MODULES.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import import_module
from typing import Any

import orjson
from jsonschema import Draft202012Validator

from trellis.api.assistants.words import ToolError, words_of
from trellis.api.representation import dumps
from trellis.records.refusal import Forbidden, Missing, Refused
from trellis.records.store import Store
from trellis.web.context import current_store

MODULES = ["learning", "reading", "writing", "activities", "reporting"]
"""The modules beside this one, or whole names of others, whose tools there are."""

Result = dict[str, Any]
Work = Callable[[Store, Mapping[str, Any]], Result]
client_name: ContextVar[str] = ContextVar("client_name", default="")


class NoSuchTool(LookupError):
    """No tool of this name."""


@dataclass(frozen=True)
class Tool:
    """One tool. `is_open` says whether this caller can do anything with it."""

    name: str
    title: str
    description: str
    properties: Mapping[str, Any]
    required: tuple[str, ...]
    writes: bool
    work: Work
    is_open: Callable[[Store], bool]

    @cached_property
    def schema(self) -> dict[str, Any]:
        """What it takes."""
        return {
            "type": "object",
            "properties": dict(self.properties),
            "required": list(self.required),
            "additionalProperties": False,
        }

    def body(self) -> dict[str, Any]:
        """The tool as it is listed."""
        hints = {"readOnlyHint": not self.writes, "destructiveHint": False, "openWorldHint": False}
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": self.schema,
            "annotations": {"title": self.title, **hints},
        }


TOOLS: dict[str, Tool] = {}


def tool(
    name: str,
    title: str,
    description: str,
    properties: Mapping[str, Any],
    *,
    required: tuple[str, ...] = (),
    writes: bool = False,
    is_open: Callable[[Store], bool] = lambda _store: True,
) -> Callable[[Work], Work]:
    """Register a tool."""

    def register(work: Work) -> Work:
        TOOLS[name] = Tool(name, title, description, properties, required, writes, work, is_open)
        return work

    return register


@lru_cache(maxsize=1)
def _load() -> None:
    for name in MODULES:
        import_module(name if "." in name else f"{__package__}.{name}")


def list_tools() -> list[dict[str, Any]]:
    """The tools that this caller can do something with."""
    _load()
    store = current_store()
    return [one.body() for one in TOOLS.values() if one.is_open(store)]


def call_tool(name: str, arguments: Mapping[str, Any], *, client: str = "") -> dict[str, Any]:
    """Do what a tool does. Raises NoSuchTool; whatever else is wrong is told in the result."""
    _load()
    store = current_store()
    found = TOOLS.get(name)
    if found is None or not found.is_open(store):
        raise NoSuchTool(f"There is no tool {name}; there are {', '.join(one['name'] for one in list_tools())}.")
    token = client_name.set(client)
    try:
        _check(found, arguments)
        result = found.work(store, arguments)
    except (ToolError, Refused, Missing, Forbidden) as error:
        return {"content": [{"type": "text", "text": words_of(error)}], "isError": True}
    finally:
        client_name.reset(token)
    text = dumps(result).decode()
    return {"content": [{"type": "text", "text": text}], "structuredContent": _exact(text), "isError": False}


def _exact(text: str) -> Any:
    """The result as plain JSON values: what its text says."""
    return orjson.loads(text)


def _check(found: Tool, arguments: Mapping[str, Any]) -> None:
    """Raise ToolError for arguments of another shape than the tool's, with all that is wrong."""
    problems = []
    for error in Draft202012Validator(found.schema).iter_errors(dict(arguments)):
        where = ".".join(str(part) for part in error.path)
        problems.append(f"{where}: {error.message}" if where else error.message)
    if problems:
        raise ToolError(f"The arguments of {found.name} are wrong: " + "; ".join(problems))
