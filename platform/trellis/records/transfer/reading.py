"""CSV as the world writes it: encodings, separators, headers."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

LARGEST_CELL = 10_000_000
_SEPARATORS = ",;\t|"


class Unreadable(ValueError):
    """A file that is no table of texts."""


@dataclass(frozen=True)
class Table:
    """A header, and rows with the line of the file where each begins."""

    header: tuple[str, ...]
    text: str
    delimiter: str
    has_header: bool

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Every row that is not empty, with its line."""
        reader = _csv(self.text, self.delimiter)
        before = 0
        try:
            for index, cells in enumerate(reader):
                line, before = before + 1, reader.line_num
                if (index or not self.has_header) and any(cell.strip() for cell in cells):
                    yield line, cells
        except csv.Error as fault:
            raise Unreadable(f"line {reader.line_num}: {fault}") from fault


def decode(data: bytes, encoding: str | None = None) -> str:
    """A file's text: by its mark (BOM), else UTF-8, else GB18030 or Windows-1252, whichever it looks like."""
    if encoding:
        try:
            return data.decode(encoding)
        except (LookupError, UnicodeDecodeError) as fault:
            raise Unreadable(f"the file is not {encoding}: {fault}") from fault
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            return data.decode(name, "replace")
    for name in ("utf-8", "gb18030" if _looks_chinese(data) else "cp1252", "gb18030", "cp1252"):
        try:
            return data.decode(name)
        except UnicodeDecodeError:
            continue
    raise Unreadable("the file is in no known encoding: save it as UTF-8")


def _looks_chinese(data: bytes) -> bool:
    """Whether bytes beyond ASCII come in pairs, as in GB2312; in a Western file they stand between letters."""
    pairs = single = 0
    at = 0
    sample = data[:200_000]
    while at < len(sample) - 1:
        if sample[at] < 0x80:
            at += 1
        elif sample[at + 1] >= 0x80:
            pairs, at = pairs + 1, at + 2
        else:
            single, at = single + 1, at + 1
    return pairs > single


def _csv(text: str, delimiter: str) -> Any:
    csv.field_size_limit(LARGEST_CELL)
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=delimiter == " ")


def find_delimiter(text: str) -> str:
    """The separator of the first line: the one that is there most often outside quotes."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    bare = re.sub(r'"[^"]*"', "", first)
    return max(_SEPARATORS, key=bare.count)


def read_table(
    data: bytes | str,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    header: Sequence[str] | None = None,
) -> Table:
    """A table from a file's bytes. `header` names the columns of a file that has no header of its own."""
    text = decode(data, encoding) if isinstance(data, bytes) else data.removeprefix("\ufeff")
    if "\x00" in text:
        raise Unreadable("the file holds zero bytes: it is no text")
    mark = delimiter or find_delimiter(text)
    if header is not None:
        return Table(tuple(header), text, mark, has_header=False)
    try:
        first = next(_csv(text, mark), None)
    except csv.Error as fault:
        raise Unreadable(str(fault)) from fault
    if not first:
        raise Unreadable("the file is empty")
    return Table(tuple(cell.strip() for cell in first), text, mark, has_header=True)
