"""Things that are made once, such as statements: building one takes longer than running it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import Any

MOST = 2000


class Shelf:
    """What was made, by its key; beyond so many, what was not asked for the longest goes. Threads share it."""

    def __init__(self, most: int = MOST) -> None:
        self._made: OrderedDict[tuple[object, ...], Any] = OrderedDict()
        self._most = most

    def __len__(self) -> int:
        return len(self._made)

    def known(self, key: tuple[object, ...]) -> Any:
        """What is kept for the key; None when nothing is."""
        found = self._made.get(key)
        if found is not None:
            with suppress(KeyError):  # another thread has just let it go
                self._made.move_to_end(key)
        return found

    def keep(self, key: tuple[object, ...], made: Any) -> None:
        """Keep something for the key."""
        self._made[key] = made
        while len(self._made) > self._most:
            self._made.popitem(last=False)


_shelf = Shelf()
known = _shelf.known
keep = _shelf.keep


def kept(key: tuple[object, ...], make: Callable[[], Any]) -> Any:
    """What was made for the key, which begins with the Model's hash (or is a session's view_key); made if new."""
    found = known(key)
    if found is None:
        found = make()
        keep(key, found)
    return found
