"""A step of a plan: one change of the live tables, with what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any


class Phase(IntEnum):
    """The order in which steps are done: names first, then what is in the way, then what is new, then what goes."""

    RENAME = 1
    LOOSEN = 2  # keys and indexes that go
    CREATE = 3
    ADD = 4
    CONVERT = 5
    VALUES = 6
    TIGHTEN = 7  # not null
    DROP = 8
    INDEX = 9
    KEY = 10


@dataclass(frozen=True)
class Step:
    """One change. `later` is done after the transaction, so that nobody waits for it."""

    phase: Phase
    kind: str  # create_table, add_column, convert_column, rename_value, drop_column, …
    table: str
    name: str  # of the column, index or key; the table's own name otherwise
    text: str  # for people
    sql: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    rows: int = 0  # rows that are rewritten, moved or lost
    failing: int = 0  # rows that do not fit: the step is refused
    examples: tuple[str, ...] = ()  # values of such rows
    destroys: bool = False

    def as_json(self) -> dict[str, Any]:
        """The step for programs, and for the revision's record."""
        return {
            "kind": self.kind,
            "table": self.table,
            "name": self.name,
            "text": self.text,
            "rows": self.rows,
            "failing": self.failing,
            "examples": list(self.examples),
            "destroys": self.destroys,
            "sql": [*self.sql, *self.later],
        }
