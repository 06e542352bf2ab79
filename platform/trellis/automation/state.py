"""What is in the queue: how much waits, for how long, and what was given up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from trellis.storage.database import Database
    from trellis.storage.tenant import Tenant


@dataclass(frozen=True)
class Depth:
    """One tenant's share of the queue. `oldest` is the age in seconds of the job that has waited longest."""

    waiting: int = 0
    running: int = 0
    later: int = 0
    dead: int = 0
    oldest: float = 0.0


@dataclass(frozen=True)
class DeadLetter:
    """A job that was given up."""

    id: int
    at: datetime
    kind: str
    payload: dict[str, Any]
    tries: int
    error: str


def depths(database: Database) -> dict[str, Depth]:
    """The queue's depth by the role of each tenant that has anything in it."""
    with database.engine.begin() as connection:
        return {
            row.queue: Depth(row.waiting, row.running, row.later, row.dead, float(row.oldest or 0))
            for row in connection.exec_driver_sql(_DEPTHS)
        }


def depth(tenant: Tenant) -> Depth:
    """How much of one tenant's there is in the queue."""
    with tenant.begin() as connection:
        row = connection.exec_driver_sql("SELECT * FROM trellis_jobs.depth()").one()
    return Depth(row.waiting, row.running, row.later, row.dead, float(row.oldest))


def workers(database: Database, silent: float = 20) -> int:
    """How many workers have been heard of lately."""
    with database.engine.begin() as connection:
        query = (
            "SELECT count(*) FROM trellis_queue.procrastinate_workers"
            " WHERE last_heartbeat > now() - make_interval(secs => %s)"
        )
        return int(connection.exec_driver_sql(query, (silent,)).scalar_one())


def dead_letters(tenant: Tenant, limit: int | None = None) -> list[DeadLetter]:
    """A tenant's jobs that were given up, the latest first; the newest so many, or all."""
    with tenant.begin() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM trellis_jobs.dead(%s)", (limit,))
        return [_letter(row) for row in rows]


def revive(tenant: Tenant, ids: Sequence[int] | None = None) -> int:
    """Try dead letters once more, all of them or some; how many they were."""
    with tenant.begin() as connection:
        return int(connection.exec_driver_sql("SELECT trellis_jobs.revive(%s)", (_listed(ids),)).scalar_one())


def discard(tenant: Tenant, ids: Sequence[int] | None = None) -> int:
    """Throw dead letters away, all of them or some; how many they were."""
    with tenant.begin() as connection:
        return int(connection.exec_driver_sql("SELECT trellis_jobs.discard(%s)", (_listed(ids),)).scalar_one())


def _listed(ids: Sequence[int] | None) -> list[int] | None:
    return None if ids is None else list(ids)


def _letter(row: Any) -> DeadLetter:
    return DeadLetter(row.id, row.at, row.kind, row.args.get("payload", {}), int(row.args.get("tries", 0)), row.error)


# a job knows when it was put in by the time in its uid (UUIDv7), which needs no other row
_DEPTHS = """
WITH jobs AS (
    SELECT queue_name AS queue,
        count(*) FILTER (WHERE status = 'todo') AS waiting,
        count(*) FILTER (WHERE status = 'doing') AS running,
        min(id) FILTER (WHERE status = 'todo') AS first
    FROM trellis_queue.procrastinate_jobs WHERE status IN ('todo', 'doing') GROUP BY queue_name
), waits AS (
    SELECT queue, count(*) AS later FROM trellis_queue.later GROUP BY queue
), lost AS (
    SELECT queue, count(*) AS dead FROM trellis_queue.dead GROUP BY queue
)
SELECT coalesce(jobs.queue, waits.queue, lost.queue) AS queue,
    coalesce(waiting, 0) AS waiting, coalesce(running, 0) AS running, coalesce(later, 0) AS later,
    coalesce(dead, 0) AS dead,
    (SELECT extract(epoch FROM now() - min(e.at)) FROM trellis_queue.procrastinate_events e
     WHERE e.job_id = jobs.first) AS oldest
FROM jobs FULL JOIN waits USING (queue) FULL JOIN lost ON lost.queue = coalesce(jobs.queue, waits.queue)
"""
