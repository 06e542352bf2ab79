"""Statements that a connection keeps prepared: small ones of every page, whose planning costs more than they do.

The same text means other tables, with other types, for another tenant or another Model. So what is kept carries a mark
of both, and only statements that ask for it are kept: `statement.execution_options(**KEPT)`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from psycopg import _queries

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine
    from sqlalchemy.engine.interfaces import DBAPICursor, ExecutionContext

KEPT = {"kept": True}  # the option of a statement that is kept
MOST = 40  # for each connection: the least used go first
MARK = "trellis"  # where a connection says whose transaction it is in

# psycopg looks for the places of the values in a statement's text, and remembers them of short statements only. Ours
# are long, as an entity has many fields, and come again and again.
_queries.MAX_CACHED_STATEMENT_LENGTH = 40_000
_queries.MAX_CACHED_STATEMENT_PARAMS = 1_000


def keep_prepared(engine: Engine) -> None:
    """Let the engine's connections keep what asks for it."""
    sa.event.listen(engine, "connect", _limit)
    sa.event.listen(engine, "do_execute", _execute)


def mark(connection: Connection, text: str) -> None:
    """Say whose transaction the connection is in."""
    connection.info[MARK] = text


def _limit(driver: Any, _record: Any) -> None:
    driver.prepared_max = MOST


def _execute(cursor: DBAPICursor, statement: str, parameters: Any, context: ExecutionContext) -> bool:
    """Run a statement that is kept; anything else is left to SQLAlchemy."""
    if "kept" not in context.execution_options:
        return False
    whose = context.root_connection.info.get(MARK)
    if whose is None:
        return False
    driver: Any = cursor.connection
    driver.prepare_threshold = 0  # nothing is ever kept but what goes through here: see storage/database.py
    try:
        cursor.execute(f"/* {whose} */ {statement}", parameters, prepare=True)  # type: ignore[call-arg]
    finally:
        driver.prepare_threshold = None
    return True
