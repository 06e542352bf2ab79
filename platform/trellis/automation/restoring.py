"""What a tenant that comes from a backup does by itself: its runs go on. It tells no others, twice or from a copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trellis.storage.hooks import after_restore

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.engine import Connection

    from trellis.storage.tenant import Tenant

AT_ONCE = 1000


def stay_silent(connection: Connection, tenant: Tenant) -> None:
    """Pause the webhooks, and let go of the events that nobody had been told of when the backup was made."""
    import sqlalchemy as sa  # the command line reads this module at every start

    tables = tenant.tables.platform
    paused = sa.update(tables.webhook).where(tables.webhook.c.state == "active")
    connection.execute(paused.values(state="paused", reason="restored", state_at=sa.func.now()))
    connection.execute(sa.delete(tables.event))


def go_on(connection: Connection, tenant: Tenant) -> None:
    """Ask for the runs that were at work or waited: backups hold no jobs."""
    import sqlalchemy as sa

    from trellis.automation.jobs import defer_many
    from trellis.automation.workflows.run import run_of, write_run
    from trellis.automation.workflows.starting import job_of
    from trellis.automation.workflows.steps.requesting import unanswered

    table = tenant.tables.platform.run
    at_work = sa.select(table).where(table.c.ended_at.is_(None), table.c.state != "paused").order_by(table.c.id)
    after: UUID | None = None
    while True:
        some = at_work.limit(AT_ONCE) if after is None else at_work.where(table.c.id > after).limit(AT_ONCE)
        runs = [run_of(dict(row)) for row in connection.execute(some).mappings()]
        if not runs:
            return
        for run in runs:
            unanswered(run)
            write_run(connection, tenant, run)
        defer_many(connection, [job_of(run, run.wake_at) for run in runs], tenant=tenant)
        after = runs[-1].id


after_restore.extend((stay_silent, go_on))
