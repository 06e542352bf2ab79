"""What is in a tenant's schema now, and the connection that changes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from trellis.storage.names import sql_name

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from trellis.storage.tenant import Tenant

BIG = 16_000_000  # bytes: an index on a larger table is built without blocking writers


@dataclass(frozen=True)
class Live:
    """The tables as they are: columns and size by table, and what an interrupted build has left."""

    columns: Mapping[str, frozenset[str]]
    bytes: Mapping[str, int]
    broken_indexes: frozenset[str]  # an interrupted CREATE INDEX CONCURRENTLY leaves one that is not valid
    unchecked_keys: tuple[tuple[str, str], ...]  # (table, constraint) still to be validated

    def is_big(self, table: str) -> bool:
        """Whether building an index on the table would keep writers waiting."""
        return self.bytes.get(table, 0) > BIG


@contextmanager
def owner_connection(tenant: Tenant, *, autocommit: bool = False) -> Iterator[Connection]:
    """A connection of the platform's own login whose default schema is the tenant's.

    It has a dialect of its own: Alembic and reflection ask the dialect which schema goes without saying.
    """
    options = f"-c search_path={sql_name(tenant.schema)},pg_catalog -c timezone=UTC -c statement_timeout=0"
    engine = sa.create_engine(
        tenant.database.url,
        poolclass=NullPool,
        hide_parameters=True,
        isolation_level="AUTOCOMMIT" if autocommit else "READ COMMITTED",
        connect_args={"application_name": "trellis apply", "options": options, "prepare_threshold": None},
    )
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def read_live(connection: Connection) -> Live:
    """Read the schema that the connection's search_path begins with."""
    columns: dict[str, set[str]] = {}
    sizes: dict[str, int] = {}
    for table, size, column in connection.exec_driver_sql(_COLUMNS):
        columns.setdefault(table, set()).add(column)
        sizes[table] = size
    return Live(
        columns={t: frozenset(c) for t, c in columns.items()},
        bytes=sizes,
        broken_indexes=frozenset(r[0] for r in connection.exec_driver_sql(_BROKEN)),
        unchecked_keys=tuple((r[0], r[1]) for r in connection.exec_driver_sql(_UNCHECKED)),
    )


_COLUMNS = """
SELECT c.relname, pg_relation_size(c.oid), a.attname
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
"""
_BROKEN = """
SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE c.relnamespace = current_schema()::regnamespace AND NOT i.indisvalid
"""
_UNCHECKED = """
SELECT t.relname, k.conname FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid
WHERE k.connamespace = current_schema()::regnamespace AND NOT k.convalidated ORDER BY 1, 2
"""


def rows_of(connection: Connection, table: str) -> int:
    """About how many rows a table has, by the database's own estimate; one that is new has none."""
    query = "SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = to_regclass(%s)"
    return int(connection.exec_driver_sql(query, (sql_name(table),)).scalar() or 0)
