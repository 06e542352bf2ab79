"""Doing what is in the queue: in any number of processes, or beside the serving of pages."""

import trellis.automation.events.dispatch  # noqa: F401 - every worker tells events
from trellis.automation.worker.drain import drain
from trellis.automation.worker.worker import Worker, WorkerSettings

__all__ = ["Worker", "WorkerSettings", "drain"]
