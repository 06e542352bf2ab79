"""Durable work: a job is put into the queue in the transaction of the change that asks for it, and done once.

from trellis.automation import jobs

@jobs.kind("mail.send", retry=jobs.Backoff(tries=12))
def send(work: jobs.Work) -> None: ...

with store.transaction() as connection:
    jobs.defer(connection, send, {"mail": str(id)})
"""

from trellis.automation.jobs.defer import Job, defer, defer_many
from trellis.automation.jobs.kind import KINDS, Kind, kind
from trellis.automation.jobs.retry import Backoff, GiveUp, Later
from trellis.automation.jobs.work import Lost, Work

__all__ = ["KINDS", "Backoff", "GiveUp", "Job", "Kind", "Later", "Lost", "Work", "defer", "defer_many", "kind"]
