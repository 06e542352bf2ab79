"""Where values were written: a tree of places that stands beside the plain data of a document."""

from __future__ import annotations

from functools import cached_property

from trellis.config.problem import Mark


class Source:
    """The text of one file as it was read, so that a snippet never needs the file again."""

    def __init__(self, file: str, text: str, layer: str = "") -> None:
        self.file = file
        self.text = text
        self.layer = layer

    @cached_property
    def lines(self) -> list[str]:
        """The lines without their ends."""
        return self.text.split("\n")

    def line(self, number: int) -> str:
        """Line `number`, from 1; empty outside of the file."""
        return self.lines[number - 1].rstrip("\r") if 0 < number <= len(self.lines) else ""

    def mark(self, line: int, column: int) -> Mark:
        """The place of a line and column that count from 1."""
        return Mark(self.file, line, column, self.layer)


class Place:
    """Where a value and its key stand in a file, with the characters of a scalar and the places of what it holds."""

    __slots__ = ("children", "column", "key_column", "key_line", "line", "raw", "source", "style")

    def __init__(
        self,
        source: Source,
        line: int,
        column: int,
        *,
        raw: str | None = None,
        style: str = "",
        children: dict[str | int, Place] | None = None,
        key_line: int = 0,
        key_column: int = 0,
    ) -> None:
        self.source = source
        self.line = line
        self.column = column
        self.raw = raw  # the characters of a scalar
        self.style = style  # "" plain, ' or " quoted, | or > block
        self.children = {} if children is None else children
        self.key_line = key_line
        self.key_column = key_column

    @property
    def mark(self) -> Mark:
        """Where the value begins."""
        return self.source.mark(self.line, self.column)

    @property
    def key_mark(self) -> Mark:
        """Where the value's key begins; the value itself when it has none."""
        return self.source.mark(self.key_line, self.key_column) if self.key_line else self.mark

    def under(self, key_line: int, key_column: int) -> Place:
        """The same value under a key that stands at this line and column."""
        place = Place(self.source, self.line, self.column, raw=self.raw, style=self.style, children=self.children)
        place.key_line, place.key_column = key_line, key_column
        return place

    def holding(self, children: dict[str | int, Place]) -> Place:
        """The same place with other children."""
        place = self.under(self.key_line, self.key_column)
        place.children = children
        return place
