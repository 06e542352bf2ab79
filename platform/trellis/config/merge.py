"""Stacks one document on another: mappings merge, scalars and lists replace, list edits edit, null removes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trellis.config.phrase import phrase
from trellis.config.problem import did_you_mean
from trellis.config.reader import Data
from trellis.config.source import Place

EDITS = frozenset({"add", "after", "before", "remove", "edit"})
Report = Callable[..., None]
"""report(code, message, mark, path, hint="")"""


def item_key(item: Data) -> str | None:
    """What names a list's item: the text itself, the only key of a mapping, or its field, list or key."""
    if isinstance(item, str):
        return item
    if isinstance(item, dict):
        if len(item) == 1:
            key, value = next(iter(item.items()))
            return value if isinstance(value, str) else key
        for name in ("field", "list", "key", "name", "as"):
            if isinstance(item.get(name), str):
                return str(item[name])
        return None
    return None if item is None or isinstance(item, list) else str(item)


def is_list_edit(data: Data) -> bool:
    """Written as an edit of the list that an earlier layer gives."""
    return isinstance(data, dict) and bool(data) and EDITS.issuperset(data) and not {"after", "before"}.issuperset(data)


def is_bare_edit(data: Data) -> bool:
    """An edit beyond doubt: also where no earlier layer shows that a list is meant."""
    return is_list_edit(data) and (isinstance(data.get("add"), list) or isinstance(data.get("remove"), list))


def merge(
    base: Data, base_place: Place, data: Data, place: Place, report: Report, path: str = ""
) -> tuple[Data, Place]:
    """What the two say together, and where each value of it was written."""
    if isinstance(base, dict) and isinstance(data, dict):
        return _merge_mappings(base, base_place, data, place, report, path)
    if isinstance(base, list) and is_list_edit(data):
        return _edit_list(base, base_place, data, place, report, path)
    if not isinstance(base, list) and is_bare_edit(data):
        report("E310", "edits a list that no earlier layer gives", place.key_mark, path)
        return base, base_place
    return data, place


def settle(data: Data, place: Place, report: Report, path: str = "") -> tuple[Data, Place]:
    """A value that no earlier layer says anything about; edits inside it have nothing to edit."""
    if not isinstance(data, dict):
        return data, place
    if is_bare_edit(data):
        report("E310", "edits a list that no earlier layer gives", place.key_mark, path)
        return [], place.holding({})
    if not any(isinstance(v, dict) for v in data.values()):
        return data, place
    merged: dict[str, Data] = {}
    children: dict[str | int, Place] = {}
    for key, value in data.items():
        merged[key], children[key] = settle(value, place.children[key], report, _join(path, key))
    return merged, place.holding(children)


def _merge_mappings(
    base: dict[str, Data], base_place: Place, data: dict[str, Data], place: Place, report: Report, path: str
) -> tuple[Data, Place]:
    merged = dict(base)
    children = dict(base_place.children)
    for key, value in data.items():
        where = place.children[key]
        inner = _join(path, key)
        if value is None and key in merged and where.style == "":
            del merged[key]
            del children[key]
        elif key in merged:
            merged[key], children[key] = merge(merged[key], children[key], value, where, report, inner)
            if isinstance(merged[key], dict):
                children[key] = children[key].under(
                    base_place.children[key].key_line, base_place.children[key].key_column
                )
        else:
            merged[key], children[key] = settle(value, where, report, inner)
    return merged, base_place.holding(children)


def _edit_list(
    base: list[Data], base_place: Place, edit: dict[str, Data], place: Place, report: Report, path: str
) -> tuple[Data, Place]:
    items = [(item, base_place.children[i]) for i, item in enumerate(base)]

    def position(name: Data, where: Place, inner: str) -> int | None:
        keys = [item_key(item) for item, _ in items]
        text = where.raw if where.raw is not None else name
        if text in keys:
            return keys.index(text)
        hint = did_you_mean(str(text), [k for k in keys if k])
        report("E310", phrase("the list has no '{name}'", name=text), where.mark, inner, hint)
        return None

    changes = edit.get("edit")
    if isinstance(changes, dict):
        for name, change in changes.items():
            where = place.children["edit"].children[name]
            at = position(name, Place(where.source, where.key_line, where.key_column, raw=name), f"{path}.edit.{name}")
            if at is not None:
                items[at] = _edit_item(*items[at], change, where, report, f"{path}.edit.{name}")
    removed = edit.get("remove")
    if removed is not None:
        names: list[Any] = removed if isinstance(removed, list) else [removed]
        for index, name in enumerate(names):
            where = place.children["remove"]
            where = where.children[index] if isinstance(removed, list) else where
            at = position(name, where, f"{path}.remove")
            if at is not None:
                del items[at]
    added = edit.get("add")
    if added is not None:
        where = place.children["add"]
        new = [(v, where.children[i]) for i, v in enumerate(added)] if isinstance(added, list) else [(added, where)]
        at = len(items)
        for word, shift in (("after", 1), ("before", 0)):
            if word in edit:
                found = position(edit[word], place.children[word], f"{path}.{word}")
                at = at if found is None else found + shift
        items[at:at] = new
    return [item for item, _ in items], place.holding({i: where for i, (_, where) in enumerate(items)})


def _edit_item(
    item: Data, item_place: Place, change: Data, place: Place, report: Report, path: str
) -> tuple[Data, Place]:
    if isinstance(item, dict) and len(item) == 1 and isinstance(next(iter(item.values())), dict):
        key = next(iter(item))
        inner, inner_place = merge(item[key], item_place.children[key], change, place, report, path)
        return {key: inner}, item_place.holding({key: inner_place})
    if isinstance(item, dict) and isinstance(change, dict):
        return merge(item, item_place, change, place, report, path)
    if isinstance(change, dict) and isinstance(item, str):
        return {item: change}, Place(item_place.source, item_place.line, item_place.column, children={item: place})
    return change, place


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
