"""Statements that are made once: building one takes longer than running it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

MOST = 2000
_known: OrderedDict[tuple[object, ...], Any] = OrderedDict()


def kept(key: tuple[object, ...], make: Callable[[], Any]) -> Any:
    """What was made for the key, which begins with the Model's hash (or is a session's view_key); made if new."""
    found = known(key)
    if found is None:
        found = make()
        keep(key, found)
    return found


def known(key: tuple[object, ...]) -> Any:
    """What is kept for the key; None when nothing is."""
    return _known.get(key)


def keep(key: tuple[object, ...], made: Any) -> None:
    """Keep something for the key."""
    _known[key] = made
    while len(_known) > MOST:
        _known.popitem(last=False)
