"""A value of the configuration with its place and path: what compilers read from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trellis.config.merge import item_key
from trellis.config.source import Place


class Item:
    """Data and its place, walked together. `path` is inside the document, `root` is the document's name."""

    __slots__ = ("data", "path", "place", "root")

    def __init__(self, data: Any, place: Place, path: str = "", root: str = "") -> None:
        self.data = data
        self.place = place
        self.path = path
        self.root = root

    def get(self, key: str) -> Item | None:
        """What stands under a key; None when it is missing or null."""
        if isinstance(self.data, dict):
            value = self.data.get(key)
            if value is not None:
                return Item(value, self.place.children[key], f"{self.path}.{key}" if self.path else key, self.root)
        return None

    def entries(self) -> Iterator[tuple[str, Item]]:
        """The keys of a mapping with what stands under them, nulls too."""
        if isinstance(self.data, dict):
            for key, value in self.data.items():
                yield key, Item(value, self.place.children[key], f"{self.path}.{key}" if self.path else key, self.root)

    def each(self) -> Iterator[Item]:
        """The items of a list; a single value counts as a list of one."""
        if isinstance(self.data, list):
            for index, value in enumerate(self.data):
                key = item_key(value) or str(index)
                yield Item(value, self.place.children[index], f"{self.path}.{key}", self.root)
        elif self.data is not None:
            yield self

    @property
    def text(self) -> str:
        """The characters as they are written."""
        if isinstance(self.data, dict | list):
            return ""
        return self.place.raw if self.place.raw is not None else str(self.data)

    def word(self, key: str, default: str = "") -> str:
        """The characters under a key."""
        found = self.get(key)
        return default if found is None else found.text

    def flag(self, key: str, default: bool = False) -> bool:
        """The boolean under a key."""
        found = self.get(key)
        return found.data if found is not None and isinstance(found.data, bool) else default

    def words(self, key: str) -> tuple[str, ...]:
        """The texts of the list under a key."""
        found = self.get(key)
        return () if found is None else tuple(i.text for i in found.each() if i.text)

    @property
    def full_path(self) -> str:
        """The path with the document's name before it, as i18n and provenance write it."""
        return f"{self.root}.{self.path}" if self.path else self.root

    def plain(self, text: str) -> Item:
        """The same place with another text, whose characters are those of the file no more."""
        return Item(
            text,
            Place(self.place.source, self.place.line, self.place.column, raw=text, style="made"),
            self.path,
            self.root,
        )

    def key(self, text: str) -> Item:
        """The key that this value stands under, at its place."""
        line, column = self.place.key_line or self.place.line, self.place.key_column or self.place.column
        return Item(text, Place(self.place.source, line, column, raw=text, style="made"), self.path, self.root)
