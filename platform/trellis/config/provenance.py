"""Which layer, file, line and column a merged value came from."""

from __future__ import annotations

from trellis.config.merge import item_key
from trellis.config.problem import Mark
from trellis.config.reader import Data
from trellis.config.stack import Configuration


def where(configuration: Configuration, path: str) -> Mark | None:
    """Where the value at a path was written: `entity.deal.fields.amount.label`, list items by their key."""
    kind, _, rest = path.partition(".")
    key, *steps = rest.split(".")
    document = configuration.of(kind).get(key)
    if document is None:
        return None
    data: Data = document.data
    place = document.place
    if not steps:
        return place.children[kind].key_mark
    for step in steps:
        found: str | int | None = None
        if isinstance(data, dict):
            found = step if step in data else None
        elif isinstance(data, list):
            keys = [item_key(item) for item in data]
            found = keys.index(step) if step in keys else None
        if found is None:
            return None
        data, place = data[found], place.children[found]
        if isinstance(data, dict) and len(data) == 1 and step in data:  # an item such as {high: {…}}
            data, place = data[step], place.children[step]
    return place.key_mark
