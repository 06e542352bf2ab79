"""A tenant: its schema and role in the database, its Model and tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from trellis.storage.names import sql_name

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from trellis.model.model import Model
    from trellis.model.profile import TenantProfile
    from trellis.storage.database import Database
    from trellis.storage.tables import Tables

BECOME = "SELECT set_config('role', %s, true), set_config('search_path', %s, true)"


@dataclass(frozen=True, eq=False)
class Tenant:
    """One tenant as of one revision; publishing a configuration makes a new Tenant.

    The wall between tenants is the database's: within `begin`, everything runs as the tenant's role, which has
    rights on its own schema only. The session's login may go back to itself (RESET ROLE), so what comes from
    people goes into statements as bound parameters, never as text.
    """

    slug: str
    schema: str
    role: str
    profile: TenantProfile
    model: Model
    tables: Tables
    revision: int
    status: str  # active, suspended
    database: Database

    @property
    def is_active(self) -> bool:
        """Open for people and for work; a suspended tenant keeps its data and serves nothing."""
        return self.status == "active"

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction as this tenant: committed at the end, rolled back on an exception."""
        connection = self._connect()
        try:
            yield connection
            connection.commit()
        finally:
            connection.close()  # rolls back what was not committed

    def become(self, connection: Connection) -> None:
        """Make the connection's transaction this tenant's, in one statement."""
        connection.exec_driver_sql(BECOME, (self.role, f"{sql_name(self.schema)}, pg_catalog"))

    def _connect(self) -> Connection:
        """A connection whose transaction is this tenant's; one that died in the pool is replaced without a word."""
        for attempt in (1, 2):
            connection = self.database.engine.connect()
            try:
                self.become(connection)
            except sa.exc.DBAPIError as error:
                connection.close()
                if attempt == 2 or not error.connection_invalidated:
                    raise
            except BaseException:
                connection.close()
                raise
            else:
                return connection
        raise AssertionError("unreachable")
