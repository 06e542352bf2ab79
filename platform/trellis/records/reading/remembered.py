"""Rows of slow statements, remembered for as long as nothing that they are made of has changed.

What is remembered is keyed by the statement itself: its text and its parameters hold the question, the reader's rights,
their day and clock, and the configuration. It is true as long as no transaction that has changed one of the statement's
tables was committed after the snapshot that it was read with. Tables of slow statements get a trigger that notes which
transactions have written to them (storage/watching.py); whether one of these is newer than a snapshot is for
PostgreSQL to say, so no counter is shared and no writer waits for another. What nobody watches is not remembered.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.sql import visitors

from trellis.storage.names import sql_name

if TYPE_CHECKING:
    from trellis.records.session import Session

SLOW = 0.5  # seconds: the statements of a tenant that has none as slow as that are run every time
LONGEST = 3600.0  # seconds that anything is remembered: the notes of changes are kept longer
MOST_CELLS = 2_000_000  # of all that is remembered in this process
Rows = Sequence[Sequence[Any]]

on_slow: list[Callable[[Session, Sequence[str]], None]] = []
"""Who is told of a slow statement, with its tables: reports have them watched."""


@dataclass(frozen=True)
class Kept:
    """Rows, and the snapshot that they are as new as."""

    rows: Rows
    snapshot: str
    started: str  # when the server was: its numbers of transactions may begin anew
    at: float

    @property
    def cells(self) -> int:
        """How much it is."""
        return max(1, len(self.rows) * (len(self.rows[0]) if self.rows else 1))  # no rows take their place, too


_slow: set[str] = set()
_kept: OrderedDict[str, Kept] = OrderedDict()
_guard = Lock()


def remembered(session: Session, statement: Any, mark: Callable[[], str], ask: Callable[[], Rows]) -> Rows:
    """The rows of a statement: those that are remembered while they are true, else what `ask` gives."""
    schema = session.tenant.schema
    if schema not in _slow:
        began, rows = monotonic(), ask()
        if monotonic() - began >= SLOW:
            _slow.add(schema)
            _tell(session, tables_of(statement))
        return rows
    key, names = mark(), tables_of(statement)
    with session.transaction() as connection:
        kept = _known(key)
        state = connection.execute(
            _STATE, {"names": [sql_name(n) for n in names], "snapshot": kept.snapshot if kept else None}
        ).one()
        if kept is not None and state.is_true and state.is_clean and state.started == kept.started:
            return kept.rows
        began, rows = monotonic(), ask()
        if monotonic() - began >= SLOW:
            if state.watched < len(names):
                _tell(session, names)
            elif state.is_clean:
                _keep(key, Kept(rows, state.snapshot, state.started, monotonic()))
    return rows


def tables_of(statement: Any) -> list[str]:
    """Every table that a statement reads."""
    return sorted({part.name for part in visitors.iterate(statement) if isinstance(part, sa.Table)})


def forget_all() -> None:
    """Remember nothing: for tests."""
    with _guard:
        _kept.clear()
        _slow.clear()


def _tell(session: Session, names: Sequence[str]) -> None:
    for listener in on_slow:
        listener(session, names)


def _known(key: str) -> Kept | None:
    with _guard:
        found = _kept.get(key)
        if found is not None and monotonic() - found.at > LONGEST:
            del _kept[key]
            return None
        if found is not None:
            _kept.move_to_end(key)
        return found


def _keep(key: str, kept: Kept) -> None:
    with _guard:
        _kept[key] = kept
        while sum(each.cells for each in _kept.values()) > MOST_CELLS:
            _kept.popitem(last=False)


# what a transaction has written itself is in none of the snapshots, so that it neither finds nor keeps anything
_STATE = sa.text("""
WITH asked AS (SELECT to_regclass(name)::oid AS relation FROM unnest(CAST(:names AS text[])) AS name),
watched AS (
    SELECT a.relation, substring(encode(g.tgargs, 'escape') FROM '^[0-9]+')::xid8 AS since
    FROM asked a JOIN pg_trigger g ON g.tgrelid = a.relation AND g.tgname = '_report_changed' AND g.tgenabled = 'O'
),
before AS (SELECT CAST(:snapshot AS pg_snapshot) AS snapshot)
SELECT pg_current_snapshot()::text AS snapshot, pg_postmaster_start_time()::text AS started,
    pg_current_xact_id_if_assigned() IS NULL AS is_clean, (SELECT count(*) FROM watched) AS watched,
    coalesce((SELECT count(*) FROM watched WHERE pg_visible_in_snapshot(since, snapshot)) = (SELECT count(*) FROM asked)
        AND NOT EXISTS (
            SELECT 1 FROM _report_change c JOIN asked a ON c.relation = a.relation::bigint
            WHERE c.xid >= pg_snapshot_xmin(snapshot)::text::bigint
                AND NOT pg_visible_in_snapshot(c.xid::text::xid8, snapshot)
        ), false) AS is_true
FROM before
""")
