"""Noting which transactions have written to a table, so that what was read from it is known to be old or true."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trellis.storage.catalogue import run_script
from trellis.storage.live import owner_connection
from trellis.storage.names import sql_name, sql_text

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from trellis.storage.tenant import Tenant

TRIGGER = "_report_changed"


def watch(tenant: Tenant, names: Sequence[str]) -> int:
    """Note from now on who writes to these tables; how many were not watched before.

    Making a trigger waits for those who are writing to the table, so that nobody who began before goes unnoticed; the
    transaction's number is the trigger's argument: what was read before it is not remembered.
    """
    made = 0
    for name in names:
        with owner_connection(tenant) as connection, connection.begin():
            if connection.exec_driver_sql(_HAS, (sql_name(name),)).scalar():
                continue
            run_script(connection, "SET LOCAL lock_timeout = '3s'")
            run_script(connection, _function(tenant.schema))
            run_script(connection, _trigger(connection, tenant.schema, name))
            made += 1
    return made


def forget_changes(connection: Connection, tenant: Tenant) -> None:
    """Delete the notes that are older than anything remembered."""
    where = sql_name(tenant.schema)
    connection.exec_driver_sql(f"DELETE FROM {where}._report_change WHERE at < now() - interval '1 day'")


_HAS = f"SELECT EXISTS (SELECT 1 FROM pg_trigger WHERE tgrelid = to_regclass(%s) AND tgname = '{TRIGGER}')"


def _function(schema: str) -> str:
    where = sql_name(schema)
    return f"""CREATE OR REPLACE FUNCTION {where}.{TRIGGER}() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    INSERT INTO {where}._report_change (xid, relation)
    VALUES (pg_current_xact_id()::text::bigint, TG_RELID::bigint) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$"""


def _trigger(connection: Connection, schema: str, name: str) -> str:
    since = connection.exec_driver_sql("SELECT pg_current_xact_id()::text").scalar_one()
    return (
        f"CREATE TRIGGER {TRIGGER} AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {sql_name(schema)}.{sql_name(name)}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {sql_name(schema)}.{TRIGGER}({sql_text(str(since))})"
    )
