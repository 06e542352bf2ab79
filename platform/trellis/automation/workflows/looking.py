"""What people look at: runs, their steps, and how each workflow fares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis.automation.workflows.run import OVER

if TYPE_CHECKING:
    from trellis.formula.types import Ref
    from trellis.storage.tenant import Tenant

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Health:
    """How a workflow fares: its runs by state, the last one, and whether it is paused."""

    counts: Mapping[str, int]
    last: datetime | None = None
    paused_at: datetime | None = None
    reason: str | None = None

    @property
    def running(self) -> int:
        """How many are not over."""
        return sum(count for state, count in self.counts.items() if state not in OVER)


def healths(connection: sa.Connection, tenant: Tenant, since: datetime) -> dict[str, Health]:
    """How each workflow has fared since a moment; what is not over counts whenever it began."""
    tables = tenant.tables.platform
    run, state = tables.run, tables.workflow_state
    recent = sa.or_(run.c.started_at >= since, run.c.ended_at.is_(None))
    counted = sa.select(
        run.c.workflow, run.c.state, sa.func.count().label("n"), sa.func.max(run.c.started_at).label("at")
    )
    counts: dict[str, dict[str, int]] = {}
    last: dict[str, datetime] = {}
    for row in connection.execute(counted.where(recent).group_by(run.c.workflow, run.c.state)).mappings():
        counts.setdefault(row["workflow"], {})[row["state"]] = row["n"]
        last[row["workflow"]] = max(row["at"], last.get(row["workflow"], row["at"]))
    paused = {row["workflow"]: row for row in connection.execute(sa.select(state)).mappings()}
    keys = counts.keys() | paused.keys()
    return {
        key: Health(
            counts.get(key, {}),
            last.get(key),
            paused[key]["paused_at"] if key in paused else None,
            paused[key]["reason"] if key in paused else None,
        )
        for key in keys
    }


def runs(
    connection: sa.Connection,
    tenant: Tenant,
    *,
    workflow: str | None = None,
    record: Ref | None = None,
    state: str | None = None,
    before: UUID | None = None,
    limit: int = 50,
) -> Sequence[Row]:
    """Runs, the newest first."""
    table = tenant.tables.platform.run
    statement = sa.select(table).order_by(table.c.id.desc()).limit(limit)
    if workflow is not None:
        statement = statement.where(table.c.workflow == workflow)
    if record is not None:
        statement = statement.where(table.c.entity == record.entity, table.c.record == record.id)
    if state is not None:
        statement = statement.where(table.c.state == state)
    if before is not None:
        statement = statement.where(table.c.id < before)
    return [dict(row) for row in connection.execute(statement).mappings()]


def run_row(connection: sa.Connection, tenant: Tenant, id: UUID) -> Row | None:
    """One run."""
    table = tenant.tables.platform.run
    row = connection.execute(sa.select(table).where(table.c.id == id)).mappings().first()
    return dict(row) if row is not None else None


def steps_of(connection: sa.Connection, tenant: Tenant, run: UUID) -> Sequence[Row]:
    """What the steps of a run came to, in their order."""
    table = tenant.tables.platform.run_step
    statement = sa.select(table).where(table.c.run == run).order_by(table.c.id)
    return [dict(row) for row in connection.execute(statement).mappings()]


def children_of(connection: sa.Connection, tenant: Tenant, run: UUID) -> Sequence[Row]:
    """The runs that a run's steps began and wait for."""
    table = tenant.tables.platform.run
    statement = sa.select(table).where(table.c.parent == run).order_by(table.c.id)
    return [dict(row) for row in connection.execute(statement).mappings()]
