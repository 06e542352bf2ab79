"""A tenant that many tests use one after the other: each finds it as it was when it was made.

Making one costs PostgreSQL some hundred tables, taking back what a test wrote a few milliseconds. For tests that write
records and leave the configuration and the tables' shape alone.
"""

from __future__ import annotations

from trellis.storage.catalogue import Catalogue, run_script
from trellis.storage.names import sql_name, sql_text
from trellis.storage.queue import forget
from trellis.storage.tenant import Tenant

TABLES = "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'r' ORDER BY relname"
COLUMNS = (
    "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute"
    " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''"
)
COUNTERS = "SELECT schemaname, sequencename, start_value, last_value FROM pg_sequences WHERE schemaname = %s"
WAITING = "SELECT count(*) FROM trellis_queue.procrastinate_jobs WHERE queue_name = %s"


class Again:
    """A tenant, and the statements that take back what was written to it."""

    def __init__(self, catalogue: Catalogue, tenant: Tenant) -> None:
        self.catalogue, self.tenant = catalogue, tenant
        schema, kept = sql_name(tenant.schema), sql_name(f"kept_{tenant.slug}")
        undo = ["SET LOCAL session_replication_role = replica"]  # no trigger and no foreign key looks on
        with catalogue.database.engine.begin() as connection:
            assert not connection.exec_driver_sql(WAITING, (tenant.role,)).scalar(), "its jobs would be lost"
            run_script(connection, f"CREATE SCHEMA {kept}")
            for name in connection.exec_driver_sql(TABLES, (schema,)).scalars().all():
                table, copy = f"{schema}.{sql_name(name)}", f"{kept}.{sql_name(name)}"
                undo.append(f"DELETE FROM {table}")
                if connection.exec_driver_sql(f"SELECT EXISTS (SELECT FROM {table})").scalar():
                    columns = connection.exec_driver_sql(COLUMNS, (table,)).scalar()
                    run_script(connection, f"CREATE TABLE {copy} AS SELECT {columns} FROM {table}")
                    undo.append(f"INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT * FROM {copy}")
            for where, name, start, last in connection.exec_driver_sql(COUNTERS, (tenant.schema,)):
                counter = sql_text(f"{sql_name(where)}.{sql_name(name)}")
                undo.append(f"SELECT setval({counter}, {last or start}, {last is not None})")
        self.undo = ";\n".join(undo)

    def take_back(self) -> bool:
        """Leave it as it was; False when it has another configuration by now, and is of no use any more."""
        if self.catalogue.entry(self.tenant.slug).revision != self.tenant.revision:
            return False
        with self.catalogue.database.engine.begin() as connection:
            forget(connection, self.tenant.role)
            run_script(connection, self.undo)
        return True
