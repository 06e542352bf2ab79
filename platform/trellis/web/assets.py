"""What the asset build made: addresses of files by name, drawings of icons."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import orjson
from markupsafe import Markup, escape

DIST = Path(__file__).parent / "static" / "dist"
ADDRESS = "/static/dist/"
UNKNOWN = '<rect x="5" y="5" width="14" height="14" rx="3"/>'  # a shape that says nothing, for a name that no icon has


class AssetsMissing(RuntimeError):
    """The pages' files have not been built."""

    def __init__(self) -> None:
        super().__init__("The pages' styles and scripts are not built yet: run `make assets`.")


def _manifest() -> dict[str, str]:
    """Names with their hashes; read again when the build has run while we serve."""
    try:
        return _read_manifest((DIST / "manifest.json").stat().st_mtime_ns)
    except FileNotFoundError as missing:
        raise AssetsMissing from missing


@lru_cache(maxsize=1)
def _read_manifest(_changed: int) -> dict[str, str]:
    manifest: dict[str, str] = json.loads((DIST / "manifest.json").read_text("utf-8"))
    return manifest


@lru_cache(maxsize=1)
def _drawings() -> dict[str, str]:
    try:
        drawings: dict[str, str] = orjson.loads((DIST / "icons.json").read_bytes())
    except FileNotFoundError:
        return {}
    return drawings


def asset(name: str) -> str:
    """The address of a built file: asset("main.css") carries the hash of its content."""
    return ADDRESS + _manifest()[name]


@lru_cache(maxsize=2048)
def icon(name: str, classes: str = "") -> Markup:
    """A Tabler icon as SVG in the page, hidden from screen readers; `classes` such as "icon-sm" or "t-good"."""
    drawing = _drawings().get(name, UNKNOWN)
    filled = " icon-filled" if name.endswith("-filled") else ""
    more = f" {escape(classes)}" if classes and classes != "icon" else ""
    return Markup(f'<svg class="icon{filled}{more}" viewBox="0 0 24 24" aria-hidden="true">{drawing}</svg>')
