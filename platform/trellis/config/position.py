"""Where a character of a scalar's value stands in the file: quotes, escapes, folded and block text included."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from trellis.config.problem import Mark
from trellis.config.source import Place, Source

_ESCAPE_LENGTHS = {"x": 4, "u": 6, "U": 10}


def locate(place: Place, offset: int) -> Mark:
    """The place in the file of the character at `offset` in the scalar's characters."""
    spots = _spots(place.source, place.line, place.column, place.style, place.raw or "")
    if not spots:
        return place.mark
    if offset < len(spots):
        line, column = spots[offset]
    else:
        line, column = spots[-1]
        column += 1
    return place.source.mark(line, column)


@lru_cache(maxsize=256)
def _spots(source: Source, line: int, column: int, style: str, raw: str) -> tuple[tuple[int, int], ...]:
    """Line and column of each character; empty when the text cannot be followed."""
    found = tuple(_block(source, line, raw) if style in ("|", ">") else _flow(source, line, column, style, raw))
    return found if len(found) == len(raw) else ()


def _block(source: Source, line: int, raw: str) -> Iterator[tuple[int, int]]:
    lines = source.lines
    at = line  # index of the first content line: the header is on `line`
    while at < len(lines) and not lines[at].strip():
        at += 1
    indent = len(lines[at]) - len(lines[at].lstrip(" ")) if at < len(lines) else 0
    row, column = line, indent
    for char in raw:
        text = lines[row].rstrip("\r") if row < len(lines) else ""
        if column < len(text) and text[column] == char:
            yield row + 1, column + 1
            column += 1
            continue
        yield row + 1, max(column, 0) + 1
        if char in "\n ":  # the end of a line, kept or folded
            row, column = row + 1, indent
            while char == " " and row < len(lines) and not lines[row].strip():
                row += 1
        else:
            return


def _flow(source: Source, line: int, column: int, style: str, raw: str) -> Iterator[tuple[int, int]]:
    lines = source.lines
    row, col = line - 1, column - 1 + (1 if style else 0)
    for char in raw:
        text = lines[row].rstrip("\r") if row < len(lines) else ""
        rest = text[col:]
        if char in " \n" and not rest.strip() and row + 1 < len(lines):  # folded: goes on in the next line
            yield row + 1, col + 1
            row += 1
            while row < len(lines) and not lines[row].strip():
                row += 1
            col = len(lines[row]) - len(lines[row].lstrip()) if row < len(lines) else 0
            continue
        yield row + 1, col + 1
        if style == "'" and rest.startswith("''"):
            col += 2
        elif style == '"' and rest.startswith("\\"):
            col += _ESCAPE_LENGTHS.get(rest[1:2], 2)
        elif rest.startswith(char):
            col += 1
        else:
            return
