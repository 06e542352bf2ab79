"""What a package does beyond its own records: what whoever installs it should know before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from trellis.config.layer import read_documents

if TYPE_CHECKING:
    from trellis.packaging.package import Package

STEPS = {
    "request": "calls other servers",
    "send": "sends messages",
    "delete": "deletes records",
    "webhook": "takes webhooks",
    "form": "has public forms",
    "email": "takes mail",
    "secret": "wants secrets from the environment",
}
MOVING = ("workflow", "sequence", "assignment")


def reach(package: Package) -> list[str]:
    """What it does, in a few words each."""
    return sorted(set(_found(package)))


def _found(package: Package) -> Iterator[str]:
    for document in read_documents(package.layer).documents:
        if document.kind in MOVING:
            for key in _keys(document.data):
                if key in STEPS:
                    yield STEPS[key]
        allow = document.data.get("allow")
        if document.kind == "role" and isinstance(allow, list) and "admin" in allow:
            yield f"makes administrators (role {document.key})"
        if document.kind == "dashboard" and "page" in set(_keys(document.data)):
            yield f"shows pages of other sites (dashboard {document.key})"
        if document.kind == "report" and "mail" in document.data:
            yield "mails reports"


def _keys(data: Any) -> Iterator[str]:
    """Every key of a mapping and of what is in it, but for the names of values that are set."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield str(key)
            if key not in ("set", "values"):
                yield from _keys(value)
    elif isinstance(data, list):
        for value in data:
            yield from _keys(value)
