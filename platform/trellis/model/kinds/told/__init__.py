"""What each key of each kind of document is for: one sentence, and where it helps what holds without it and an example.

They go into the JSON Schemas, for editors, and into the language reference. A sentence is found by the end of a key's
path, the longest first: `fit.*.points` of a scoring before `points` of anything.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from trellis.model.kinds.told import access, clocks, common, entity, field, layers, reports, scenario, steps, widgets
from trellis.model.kinds.told.sentence import Told, told_as

__all__ = ["Told", "tell", "told"]

FAMILIES = (common, entity, field, layers, access, steps, clocks, reports, widgets, scenario)
Path = tuple[str, ...]


@cache
def sentences() -> dict[Path, Told]:
    """Every sentence by the end of a path."""
    found: dict[Path, Told] = {}
    for family in FAMILIES:
        for keys, given in family.TOLD.items():
            for key in keys.split():
                path = tuple(key.replace(":", ".").split("."))
                if path in found:
                    raise ValueError(f"{key} is told twice")
                found[path] = told_as(given)
    return found


def told(path: Path, least: int = 1) -> Told | None:
    """What a key is for, by its path: its kind, the way inside, the key itself; by so much of the path at least."""
    known = sentences()
    return next((known[path[start:]] for start in range(len(path) - least + 1) if path[start:] in known), None)


def tell(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A kind's schema with a description, and where there is one a default and an example, at every key."""
    made: dict[str, Any] = _told(schema, (name,))
    return made


def _told(schema: Any, path: Path) -> Any:
    if not isinstance(schema, dict):
        return schema
    made = dict(schema)
    if isinstance(cases := schema.get("x-cases"), dict):
        inner = {name: _told(case, path) for name, case in cases["cases"].items()}
        made["x-cases"] = {**cases, "cases": inner}
        if "otherwise" in cases:
            made["x-cases"]["otherwise"] = _told(cases["otherwise"], path)
    if isinstance(properties := schema.get("properties"), dict):
        made["properties"] = {key: _property(part, (*path, key)) for key, part in properties.items()}
    if isinstance(more := schema.get("additionalProperties"), dict):
        made["additionalProperties"] = _told(more, (*path, "*"))
    if isinstance(items := schema.get("items"), dict):
        made["items"] = _told(items, path)
    if isinstance(branches := schema.get("anyOf"), list):
        made["anyOf"] = [_told(branch, path) for branch in branches]
    if isinstance(forms := schema.get("x-forms"), dict):
        keys = {key: _told(form, (*path, key)) for key, form in forms["keys"].items()}
        made["x-forms"] = {**forms, "keys": keys}
    return made


def _property(schema: Any, path: Path) -> Any:
    made = _told(schema, path)
    has_own = isinstance(made, dict) and made.get("description")
    if not isinstance(made, dict) or (found := told(path, 2 if has_own else 1)) is None:
        return made
    more: dict[str, Any] = {} if has_own else {"description": found.doc}
    if found.default:
        more["x-default"] = found.default
    if found.example:
        more["x-example"] = found.example
    return {**made, **more}
