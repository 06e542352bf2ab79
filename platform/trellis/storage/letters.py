"""The collation that upper and lower case go by, on servers that do not bring it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trellis.formula.sql.texts import CASE_COLLATION
from trellis.storage.database import DatabaseUnusable
from trellis.storage.names import sql_name

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

BUILT_IN = 17  # the first version of PostgreSQL that brings it
ALIKE = ("C.utf8", "C.UTF-8")  # the system's own, under the names that systems give it: letter for letter, too


def bring_letters(connection: Connection, schema: str) -> None:
    """Before PostgreSQL 17, make the collation in a tenant's schema, where its formulas and indexes find it.

    Raises DatabaseUnusable when the server's system has nothing to make it of.
    """
    if int((connection.dialect.server_version_info or (0,))[0]) >= BUILT_IN:
        return
    query = "SELECT collname FROM pg_catalog.pg_collation WHERE collname = ANY (%s) ORDER BY collname"
    found = connection.exec_driver_sql(query, (list(ALIKE),)).scalars().first()
    if found is None:
        raise DatabaseUnusable(
            "This PostgreSQL has no collation C.UTF-8: install that locale on its system and run"
            " `SELECT pg_import_system_collations('pg_catalog')`, or take PostgreSQL 17 or later."
        )
    made = f"{sql_name(schema)}.{sql_name(CASE_COLLATION)}"
    connection.exec_driver_sql(f"CREATE COLLATION {made} FROM pg_catalog.{sql_name(found)}")
