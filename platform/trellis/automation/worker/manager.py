"""How Procrastinate's worker gets and ends jobs here: fairly between tenants, and by our own functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from procrastinate import jobs, manager

if TYPE_CHECKING:
    from procrastinate.connector import BaseConnector

NOW = "now"  # among what the runner is given: when the job was taken, by the database's clock
TAKE = """
SELECT id, status, task_name, priority, lock, queueing_lock, args, scheduled_at, queue_name, attempts, worker_id,
    clock_timestamp() AS now
FROM take(%(worker)s, %(excluded)s::text[])
"""


class Manager(manager.JobManager):
    """Procrastinate's job manager over our functions. What becomes of a job is told by the runner."""

    def __init__(self, connector: BaseConnector, closed: Callable[[], list[str]]) -> None:
        super().__init__(connector)
        self._closed = closed  # whose jobs have to wait

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> jobs.Job | None:
        """The next job for a worker, of the tenant whose turn it is."""
        excluded = self._closed()
        row: dict[str, Any] = await self.connector.execute_query_one_async(
            query=TAKE, worker=worker_id, excluded=excluded
        )
        if row["id"] is None:
            return None
        row["args"] = {**row["args"], NOW: row.pop("now")}
        return jobs.Job.from_row(row)

    async def finish_job(self, job: jobs.Job, status: jobs.Status, delete_job: bool) -> None:
        """Nothing when all went well: the runner has said already what became of it. Else somebody does it again."""
        if status is not jobs.Status.SUCCEEDED:
            await self.connector.execute_query_async(
                query="UPDATE procrastinate_jobs SET status = 'todo', worker_id = NULL, attempts = attempts + 1,"
                " scheduled_at = now() + interval '10 seconds'"
                " WHERE id = %(job)s AND status = 'doing' AND worker_id = %(worker)s",
                job=job.id,
                worker=job.worker_id,
            )
