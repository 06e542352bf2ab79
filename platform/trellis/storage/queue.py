"""The queue's tables and functions, in two schemas of their own in every database that holds tenants.

`trellis_queue` is Procrastinate's, with a few tables beside it; tenants cannot look into it. `trellis_jobs` holds the
functions that a tenant's role may call: each works on the jobs of the role that calls it, and of no other.
"""

from __future__ import annotations

from importlib import metadata, resources
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa
from uuid_utils.compat import uuid7

from trellis.formula.clock import alarm
from trellis.storage.names import sql_text
from trellis.storage.queue_functions import FUNCTIONS, TABLES, VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection, Engine

SCHEMA = "trellis_queue"
OPEN = "trellis_jobs"  # what tenants may call
ORDER = 7_272_002  # the advisory lock under which the queue is installed and upgraded
PATH = f"SET LOCAL search_path TO {SCHEMA}, pg_catalog"


def install_queue(engine: Engine) -> None:
    """Make the queue, or bring an earlier version's up to this one; what is waiting in it stays."""
    wanted = f"Procrastinate {metadata.version('procrastinate')}, Trellis {VERSION}"
    with engine.begin() as connection:
        if _installed(connection) == wanted:
            return
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ORDER)))
        found = _installed(connection)
        if found == wanted:
            return
        _install(connection, found)
        _script(connection, f"COMMENT ON SCHEMA {SCHEMA} IS {sql_text(wanted)}")


def enqueue(connection: Connection, jobs: Sequence[dict[str, Any]], role: str | None = None) -> None:
    """Put jobs into the queue, in the connection's transaction; `trellis.automation.jobs` is the way to say it.

    Within a tenant's transaction they are the tenant's; the platform's own login names the role, or takes none.
    """
    text = orjson.dumps(jobs).decode()
    connection.exec_driver_sql(f"SELECT {OPEN}.defer(%s::jsonb, %s)", (text, role))


def row(
    kind: str,
    payload: Mapping[str, Any],
    *,
    at: datetime | None = None,
    lock: str | None = None,
    priority: int = 0,
) -> dict[str, Any]:
    """A job as `enqueue` takes it."""
    # uid: the same through every try; what goes to the outside carries it, so that it is recognised the second time
    args = {"uid": str(uuid7()), "payload": dict(payload), "tries": 0}
    when = alarm(at) if at is not None else None
    return {"kind": kind, "priority": priority, "lock": lock, "at": when, "args": args}


def forget(connection: Connection, role: str) -> None:
    """Remove everything that waits for a tenant: it is being dropped."""
    if connection.execute(sa.select(sa.func.to_regclass(f"{SCHEMA}.procrastinate_jobs"))).scalar() is not None:
        connection.exec_driver_sql(f"SELECT {SCHEMA}.forget(%s)", (role,))


def _installed(connection: Connection) -> str | None:
    return connection.exec_driver_sql(
        "SELECT obj_description(to_regnamespace(%s)::oid, 'pg_namespace')", (SCHEMA,)
    ).scalar()


def _install(connection: Connection, found: str | None) -> None:
    _script(
        connection,
        f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}; REVOKE ALL ON SCHEMA {SCHEMA} FROM PUBLIC;"
        f"CREATE SCHEMA IF NOT EXISTS {OPEN}; GRANT USAGE ON SCHEMA {OPEN} TO PUBLIC; {PATH}",
    )
    if found is None:
        _script(connection, (resources.files("procrastinate.sql") / "schema.sql").read_text("utf-8"))
    else:
        for script in _migrations(found):
            _script(connection, script)
    _script(connection, TABLES)
    _script(connection, FUNCTIONS)
    _script(connection, "SET LOCAL search_path TO DEFAULT")


def _migrations(found: str) -> list[str]:
    """Procrastinate's own scripts since the version that is installed, in order."""
    since = tuple(int(n) for n in found.removeprefix("Procrastinate ").partition(",")[0].split(".")[:3])
    folder = resources.files("procrastinate.sql") / "migrations"
    named = sorted((p.name, p) for p in folder.iterdir() if p.name.endswith(".sql"))
    return [p.read_text("utf-8") for name, p in named if tuple(int(n) for n in name.split("_")[0].split(".")) > since]


def _script(connection: Connection, script: str) -> None:
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute(script)
