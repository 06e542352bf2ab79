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
    """A file that is no table of texts: `message` says why, with `params`."""

    def __init__(self, message: str, **params: object) -> None:
        super().__init__(message.format(**params))
        self.message = message
        self.params = params


@dataclass(frozen=True)
class Table:
    """A header, and rows with the line of the file where each begins."""

    header: tuple[str, ...]
    text: str
    delimiter: str
    has_header: bool

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Every row that is not empty, with its line. Raises Unreadable."""
        lines = _Lines(self.text)
        reader = _csv(lines, self.delimiter)
        before = 0
        try:
            for index, cells in enumerate(reader):
                line, before = before + 1, reader.line_num
                if before > line:
                    _check_quotes("".join(lines.taken), line, self.delimiter)
                lines.taken.clear()
                if (index or not self.has_header) and any(cell.strip() for cell in cells):
                    yield line, cells
        except csv.Error as fault:
            raise _broken(reader.line_num, fault) from fault


def decode(data: bytes, encoding: str | None = None) -> str:
    """A file's text: by its mark (BOM), else UTF-8, else GB18030 or Windows-1252, whichever it looks like."""
    if encoding:
        try:
            return data.decode(encoding)
        except (LookupError, UnicodeDecodeError) as fault:
            raise Unreadable("The file is not written in {encoding}.", encoding=encoding) from fault
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
    raise Unreadable("it is in no encoding that is known; save it as CSV in UTF-8")


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


class _Lines:
    """The lines of a file; `taken` are those of the row that is being read."""

    def __init__(self, text: str) -> None:
        self._lines = io.StringIO(text, newline="")
        self.taken: list[str] = []

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.taken.append(line)
        return line


def _csv(lines: _Lines, delimiter: str) -> Any:
    csv.field_size_limit(LARGEST_CELL)
    return csv.reader(lines, delimiter=delimiter, skipinitialspace=delimiter == " ")


def _broken(line: int, fault: csv.Error) -> Unreadable:
    return Unreadable("Line {line} is no row of a table: {reason}.", line=line, reason=str(fault))


def _check_quotes(row: str, line: int, delimiter: str) -> None:
    """Refuse a row of several lines whose quotation marks do not belong together: it has swallowed others.

    The reader takes everything up to the next quotation mark for one cell, be it a thousand rows away.
    """
    mark = re.escape(delimiter)
    opened = re.compile(rf'(?:^|[{mark}\r\n])(")')
    cell = re.compile(rf'"[^"]*(?:""[^"]*)*(?:(")[ \t]*(?=[{mark}\r\n]|$))?')
    at = 0
    while (start := opened.search(row, at)) is not None:
        whole = cell.match(row, start.start(1))
        if whole is None or whole[1] is None:
            raise Unreadable(
                "Line {line}: the quotation mark before “{text}” is not closed at the end of its cell. "
                "Close it; inside a cell, write a quotation mark twice.",
                line=line + len(re.findall(r"\r\n?|\n", row[: start.start(1)])),
                text=re.split(r"[\r\n]", row[start.end() : start.end() + 40])[0].strip(),
            )
        at = whole.end()


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
        raise Unreadable("The file holds zero bytes: it is no text.")
    mark = delimiter or find_delimiter(text)
    if header is not None:
        return Table(tuple(header), text, mark, has_header=False)
    try:
        lines = _Lines(text)
        first = next(_csv(lines, mark), None)
    except csv.Error as fault:
        raise _broken(1, fault) from fault
    if not first:
        raise Unreadable("The file is empty.")
    if len(lines.taken) > 1:
        _check_quotes("".join(lines.taken), 1, mark)
    return Table(tuple(cell.strip() for cell in first), text, mark, has_header=True)
