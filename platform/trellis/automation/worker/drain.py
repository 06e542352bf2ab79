"""Doing everything that waits, here and now, without threads: for tests, imports of demo data and the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from trellis.automation.worker.runner import Runner, Taken
from trellis.automation.worker.tenants import Tenants

if TYPE_CHECKING:
    from trellis.storage.catalogue import Catalogue
    from trellis.storage.database import Database
    from trellis.storage.tenant import Tenant


def drain(
    catalogue: Catalogue, tenant: Tenant | None = None, *, ahead: timedelta = timedelta(), most: int = 10_000
) -> int:
    """Do the jobs that wait, and those that come of them; how many they were.

    `tenant`: only this one's. `ahead`: also what would be due after that long.
    """
    database = tenant.database if tenant is not None else catalogue.database
    only = tenant.role if tenant is not None else None
    tenants = Tenants(catalogue)
    runner = Runner(tenants, database)
    with registered(database) as worker:
        for done in range(most):
            promote(database, only=only, ahead=ahead)
            taken = take(database, worker, tenants.closed(), only)
            if taken is None:
                return done
            runner.run(taken)
    raise RuntimeError(f"more than {most} jobs: does one ask for itself again and again?")


def promote(
    database: Database,
    until: datetime | None = None,
    only: str | None = None,
    most: int = 1000,
    *,
    ahead: timedelta = timedelta(),
) -> int:
    """Put jobs whose time has come into the queue, by the database's clock; how many they were."""
    query = "SELECT trellis_queue.promote(%s, coalesce(%s, clock_timestamp()) + %s, %s)"
    with database.engine.begin() as connection:
        return int(connection.exec_driver_sql(query, (most, until, ahead, only)).scalar_one())


def take(database: Database, worker: int, closed: list[str], only: str | None = None) -> Taken | None:
    """The next job for a worker; None when there is none."""
    with database.engine.begin() as connection:
        row = connection.exec_driver_sql(
            "SELECT id, queue_name, task_name, args, clock_timestamp() AS now"
            " FROM trellis_queue.take(%s, %s::text[], %s)",
            (worker, closed, only),
        ).one()
    return None if row.id is None else Taken(row.id, worker, row.queue_name, row.task_name, row.args, row.now)


@contextmanager
def registered(database: Database) -> Iterator[int]:
    """Be a worker for a while; it gives no sign of life, so that it is good for an hour."""
    made = (
        "INSERT INTO trellis_queue.procrastinate_workers (last_heartbeat) VALUES (now() + interval '1 hour')"
        " RETURNING id"
    )
    with database.engine.begin() as connection:
        worker = int(connection.exec_driver_sql(made).scalar_one())
    try:
        yield worker
    finally:
        with database.engine.begin() as connection:
            gone = "DELETE FROM trellis_queue.procrastinate_workers WHERE id = %s"
            connection.exec_driver_sql(gone, (worker,))
