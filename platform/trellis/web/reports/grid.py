"""A report's table as a letter has it: texts only, and groups one below the other, as a letter is narrow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trellis.web.reports.table import Table

INDENT = "\u2003"  # as wide as a letter is high, and kept by mail programs


def grid_of(table: Table, most: int) -> dict[str, Any]:
    """The heads, each with whether numbers stand below it, and the first lines with the total."""
    rows = [*table.rows[:most], *table.foot]
    names = _named(table, [str(head.label) for head in table.heads])
    texts = [[str(cell.html.striptags()) for cell in row.cells] for row in rows]
    numbers = [head.is_number for head in table.heads]
    groups = table.groups
    if groups > 1 and all(sum(map(bool, line[:groups])) <= 1 for line in texts):
        names, numbers = [" / ".join(names[:groups]), *names[groups:]], [False, *numbers[groups:]]
        texts = [[_below(line[:groups]), *line[groups:]] for line in texts]
    return {
        "heads": [[name, is_number] for name, is_number in zip(names, numbers, strict=True)],
        "lines": [[row.kind, line] for row, line in zip(rows, texts, strict=True)],
    }


def _below(groups: Sequence[str]) -> str:
    """The name of a group, as far in as its column stands."""
    return next((INDENT * at + text for at, text in enumerate(groups) if text), "")


def _named(table: Table, names: list[str]) -> list[str]:
    """What columns are called, with what stands over them."""
    for level in reversed(table.above):
        over = [cell.label for cell in level for _n in range(cell.width)]
        names = [f"{above} · {name}" if above else name for above, name in zip(over, names, strict=True)]
    return names
