"""How a workflow fares: one that fails again and again is paused, so that it does no more harm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from trellis.automation.clock import now

if TYPE_CHECKING:
    from uuid import UUID

    from trellis.automation.workflows.run import Run
    from trellis.storage.tenant import Tenant

TOO_OFTEN = 10  # failures in a row


def ended(connection: sa.Connection, tenant: Tenant, run: Run) -> None:
    """Count a failure; a run that came to its end sets the count back."""
    table = tenant.tables.platform.workflow_state
    if run.state == "failed":
        made = insert(table).values(workflow=run.workflow, failures=1)
        counted = made.on_conflict_do_update(
            index_elements=[table.c.workflow], set_={"failures": table.c.failures + 1}
        ).returning(table.c.failures, table.c.paused_at)
        failures, paused = connection.execute(counted).one()
        if failures >= TOO_OFTEN and paused is None:
            pause(connection, tenant, run.workflow, reason="failing")
    elif run.state == "done":
        connection.execute(
            sa.update(table).where(table.c.workflow == run.workflow, table.c.failures > 0).values(failures=0)
        )


def pause(
    connection: sa.Connection, tenant: Tenant, workflow: str, *, reason: str = "by_hand", by: UUID | None = None
) -> None:
    """Let nothing set a workflow off until it is resumed; its runs go on."""
    table = tenant.tables.platform.workflow_state
    values = {"paused_at": now(), "paused_by": by, "reason": reason}
    made = insert(table).values(workflow=workflow, **values)
    connection.execute(made.on_conflict_do_update(index_elements=[table.c.workflow], set_=values))


def resume(connection: sa.Connection, tenant: Tenant, workflow: str) -> None:
    """Let a workflow be set off again."""
    table = tenant.tables.platform.workflow_state
    values = {"paused_at": None, "paused_by": None, "reason": None, "failures": 0}
    connection.execute(sa.update(table).where(table.c.workflow == workflow).values(values))
