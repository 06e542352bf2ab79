"""Statements of reports: ended after a while with what to do, and played back where their rows were kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from trellis.formula.sql.parameters import read_by
from trellis.records.reading.remembered import remembered
from trellis.records.refusal import Fault, Refused

if TYPE_CHECKING:
    from trellis.records.session import Session

PATIENCE = timedelta(seconds=30)
TIMEOUT = "timeout"  # the code of the fault
Rows = Sequence[Sequence[Any]]


class Tape:
    """The rows of a report's statements, by what was asked.

    A run in the background records them. Whoever looks later asks the same questions: a statement is found again only
    where the report, the params and the reader's rights, all of which stand in it, are as they were.
    """

    def __init__(self, rows: dict[str, Rows] | None = None, *, before: Callable[[], None] | None = None) -> None:
        self.is_recording = rows is None
        self.before = before  # what is done before each statement: to look whether its answer is still wanted
        self.rows: dict[str, Rows] = {} if rows is None else rows


def rows_of(session: Session, statement: sa.Select[Any] | sa.CompoundSelect[Any]) -> Rows:
    """The rows of a statement that may take long. Raises Refused."""
    tape = session.tape
    if tape is None:
        return remembered(session, statement, lambda: mark_of(session, statement), lambda: _asked(session, statement))
    mark = mark_of(session, statement)
    found = tape.rows.get(mark)
    if found is None:
        if not tape.is_recording:
            message = "The report, or what you may see of it, has changed since this was computed. Run it again."
            raise Refused([Fault("outgrown", message)])
        if tape.before is not None:
            tape.before()
        found = tape.rows[mark] = [tuple(row) for row in _asked(session, statement)]
    return found


def _asked(session: Session, statement: sa.Select[Any] | sa.CompoundSelect[Any]) -> Rows:
    with patience(session):
        return session.execute(statement).all()


def mark_of(session: Session, statement: sa.Select[Any] | sa.CompoundSelect[Any]) -> str:
    """A statement in short: its text, its parameters for this reader, whose tables it asks."""
    with read_by(session.reader):
        compiled = statement.compile(dialect=session.tenant.database.engine.dialect)
        given = compiled.construct_params()
    asked = (session.tenant.schema, session.model.hash, str(compiled), [(k, _said(given[k])) for k in sorted(given)])
    return hashlib.sha256(repr(asked).encode()).hexdigest()


def _said(value: Any) -> Any:
    """A parameter; of many values the order says nothing, and is another in every process."""
    return sorted(map(repr, value)) if isinstance(value, (list, tuple, set, frozenset)) else value


@contextmanager
def patience(session: Session) -> Iterator[None]:
    """Statements in the block end after a while, with a message that says what to do."""
    limit = session.patience or PATIENCE
    with session.transaction() as connection:
        before = connection.execute(sa.text("SELECT current_setting('statement_timeout')")).scalar_one()
        try:
            with connection.begin_nested():
                _wait(connection, f"{int(limit.total_seconds() * 1000)}")
                yield
                _wait(connection, before)
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != "57014":
                raise
            raise Refused([_too_long(session, limit)]) from error


def _too_long(session: Session, limit: timedelta) -> Fault:
    if session.patience is None:
        message = "This takes longer than {seconds} seconds. Narrow the report by its filters, or group by less."
        return Fault(TIMEOUT, message, None, {"seconds": int(limit.total_seconds())})
    message = "This takes longer than {minutes} minutes. Narrow the report by its filters, or group by less."
    return Fault(TIMEOUT, message, None, {"minutes": max(1, int(limit.total_seconds() // 60))})


def _wait(connection: sa.Connection, value: str) -> None:
    connection.execute(sa.text("SELECT set_config('statement_timeout', :value, true)"), {"value": value})
