"""A tenant: its schema and role in the database, its Model and tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import psycopg
import sqlalchemy as sa
from psycopg.pq import ExecStatus

from trellis.storage.names import sql_name, sql_text
from trellis.storage.prepared import mark

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from trellis.formula.business import Calendar
    from trellis.model.model import Model
    from trellis.model.profile import TenantProfile
    from trellis.storage.database import Database
    from trellis.storage.tables import Tables

_HEARD = "ARRAY(SELECT DISTINCT entity FROM _webhook WHERE state = 'active')"
WRITERS = 7273  # advisory locks of those who write: shared by them, exclusive for who changes the tables
BECOME = "SELECT set_config('role', %s, true), set_config('search_path', %s, true)"


class RevisionChanged(Exception):
    """The tenant is at a later revision than the one in hand; nothing was written. Get it anew and do it again."""


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

    @property
    def calendar(self) -> Calendar | None:
        """The business hours that formulas count by: those that tenant.yaml names, else those called `office`."""
        found = self.model.calendars.get(self.profile.calendar or "office")
        return found.in_zone(self.profile.time_zone) if found is not None else None

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
        mark(connection, self._mark)
        connection.exec_driver_sql(BECOME, (self.role, self._path))

    @cached_property
    def _mark(self) -> str:
        return f"{self.schema} {self.model.hash}"  # of a tenant that is dropped and made anew, too

    @cached_property
    def _path(self) -> str:
        return f"{sql_name(self.schema)}, pg_catalog"

    @cached_property
    def _beginning(self) -> bytes:
        """A transaction's beginning as one message: BEGIN and `become` take two."""
        role, path = sql_text(self.role), sql_text(self._path)
        return f"BEGIN; SELECT set_config('role', {role}, true), set_config('search_path', {path}, true)".encode()

    def hold(self, connection: Connection, *, alone: bool = False) -> frozenset[str]:
        """Keep this revision until the transaction ends: nobody writes by a configuration that is no more.

        `alone`: nobody else writes meanwhile. Waits while a revision is being applied. Raises RevisionChanged when
        another one has come in. Returns the entities that the tenant's webhooks listen to ("*": every one).
        """
        driver = connection.connection.driver_connection
        assert driver is not None
        # two statements, so that the second sees what was committed while the first one waited
        script = f"SELECT {writers_lock(self.slug, shared=not alone)}; SELECT {_described(self.schema)}, {_HEARD}"
        cursor = driver.execute(script)
        cursor.nextset()
        described, heard = cursor.fetchone()
        live = revision_of(described)
        if live is not None and live != self.revision:
            raise RevisionChanged(f"{self.slug} is at revision {live} by now, this was meant for {self.revision}")
        return frozenset(heard)

    def wait_for_apply(self) -> None:
        """Wait until no revision is being applied."""
        with self.database.engine.begin() as connection:
            connection.exec_driver_sql(f"SELECT {writers_lock(self.slug, shared=True)}")

    def _begin(self, connection: Connection) -> None:
        """Begin a transaction of this tenant's. The short way is the driver's own; a failure is told the long way."""
        connection.begin()
        mark(connection, self._mark)
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        try:
            if driver.pgconn.exec_(self._beginning).status == ExecStatus.TUPLES_OK:
                return
            driver.rollback()
        except psycopg.Error:
            pass  # a connection that died
        self.become(connection)

    def _connect(self) -> Connection:
        """A connection whose transaction is this tenant's; one that died in the pool is replaced without a word."""
        for attempt in (1, 2):
            connection = self.database.engine.connect()
            try:
                self._begin(connection)
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


def writers_lock(slug: str, *, shared: bool = False) -> str:
    """The call that takes the lock between those who write a tenant's records and who changes its tables."""
    return f"pg_advisory_xact_lock{'_shared' if shared else ''}(hashtextextended({sql_text(slug)}, {WRITERS}))"


def describe_schema(schema: str, slug: str, revision: int) -> str:
    """The statement that notes the revision at the schema, where the tenant's role can read it."""
    return f"COMMENT ON SCHEMA {sql_name(schema)} IS {sql_text(f'Trellis tenant {slug}, revision {revision}')}"


def revision_of(description: str | None) -> int | None:
    """The revision that is noted at a schema."""
    number = (description or "").rpartition(" ")[2]
    return int(number) if number.isdigit() else None


def _described(schema: str) -> str:
    return f"obj_description(to_regnamespace({sql_text(sql_name(schema))})::oid, 'pg_namespace')"
