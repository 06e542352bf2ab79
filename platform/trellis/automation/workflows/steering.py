"""What an administrator does with a run: pause, go on, cancel, begin again from a step."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from trellis.automation.jobs import defer_many
from trellis.automation.workflows import approvals
from trellis.automation.workflows.advancing import end
from trellis.automation.workflows.run import Frame, Run, read_run, write_run
from trellis.automation.workflows.starting import job_of

if TYPE_CHECKING:
    from trellis.storage.tenant import Tenant


class NotPossible(Exception):
    """The run is in no state for it."""


def pause(connection: sa.Connection, tenant: Tenant, id: UUID) -> None:
    """Let a run stand still where it is. Raises NotPossible."""
    run = _run(connection, tenant, id)
    if run.is_over or run.state == "paused":
        raise NotPossible
    run.state = "paused"
    write_run(connection, tenant, run)


def resume(connection: sa.Connection, tenant: Tenant, id: UUID) -> None:
    """Let a paused run go on; what it waits for it waits for still. Raises NotPossible."""
    run = _run(connection, tenant, id)
    if run.state != "paused":
        raise NotPossible
    run.state = "waiting" if run.waiting is not None else "ready"
    run.wake_at = None  # the job that was to wake it may have come meanwhile, and found it paused
    write_run(connection, tenant, run)
    defer_many(connection, [job_of(run)])


def cancel(connection: sa.Connection, tenant: Tenant, id: UUID) -> None:
    """End a run; what it has done stays done. Raises NotPossible."""
    run = _run(connection, tenant, id)
    if run.is_over:
        raise NotPossible
    approvals.close(connection, tenant, id)
    end(connection, tenant, run, "cancelled")
    write_run(connection, tenant, run)


def again(connection: sa.Connection, tenant: Tenant, id: UUID) -> None:
    """Let a run that has failed go on from the step that failed. Raises NotPossible."""
    run = _run(connection, tenant, id)
    if run.state != "failed" or (run.error or {}).get("kind") != "failed":
        raise NotPossible
    run.position = run.position or [Frame()]
    run.state, run.error, run.ended_at, run.tries = "ready", None, None, 0
    write_run(connection, tenant, run)
    defer_many(connection, [job_of(run)])


def _run(connection: sa.Connection, tenant: Tenant, id: UUID) -> Run:
    run = read_run(connection, tenant, id, lock=True)
    if run is None:
        raise NotPossible
    return run
