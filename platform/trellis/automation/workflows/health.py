"""How a workflow fares: one that fails again and again is paused, so that it does no more harm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from trellis.automation.channels import Recipient
from trellis.automation.clock import now
from trellis.automation.mail.words import words
from trellis.automation.notices import tell
from trellis.automation.workflows.acting import system_of
from trellis.automation.workflows.people import USER, people_of
from trellis.records.session import Session

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
            _tell(connection, tenant, run.workflow)
    elif run.state == "done":
        connection.execute(
            sa.update(table).where(table.c.workflow == run.workflow, table.c.failures > 0).values(failures=0)
        )


def _tell(connection: sa.Connection, tenant: Tenant, key: str) -> None:
    """Tell the administrators, each in their language."""
    workflow, user = tenant.model.workflows.get(key), tenant.model.entities.get(USER)
    if user is None or "roles" not in user.fields:
        return

    def said(person: Recipient) -> str:
        _ = words(person.language)
        label = workflow.label.in_language(person.language) if workflow is not None else key
        return _("“%(workflow)s” failed ten times in a row and is paused. Look at its last runs.", workflow=label)

    with Session(tenant, system_of(tenant)).within(connection) as session:
        admins = people_of(session, {"role": "admin"})
    tell(connection, tenant, admins, said, kind="workflow", address=f"admin/workflows/{key}")


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
