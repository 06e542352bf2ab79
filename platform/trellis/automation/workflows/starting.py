"""Beginning runs: rows, and a job for each, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from trellis.automation.clock import now
from trellis.automation.jobs import Job, defer_many
from trellis.automation.workflows.run import Frame, Run
from trellis.formula.types import Ref, Value
from trellis.model.automation.workflow import Workflow
from trellis.records.refusal import Fault

if TYPE_CHECKING:
    from trellis.storage.tenant import Tenant

ADVANCE = "workflows.advance"
DEEPEST = 10  # runs that lead to one another
FEW = 20  # records that one change makes or touches without being a crowd
BEHIND = -10  # the priority of runs that a crowd sets off: whoever changes one record does not wait for them


@dataclass(frozen=True)
class Start:
    """A run to be: which workflow, what set it off, for whom, and what led here."""

    workflow: Workflow
    trigger: str
    record: Ref | None = None
    by: UUID | None = None
    by_name: str | None = None
    event: Mapping[str, Any] | None = None
    chain: Sequence[Sequence[str]] = ()
    variables: Mapping[str, Value] = field(default_factory=dict)
    crowd: bool = False  # one of many that begin together
    again: bool = False  # also where it runs once for a record, and has: somebody wants it

    @property
    def link(self) -> list[str]:
        """The run as a link of its chain."""
        return [self.workflow.key, f"{self.record.entity}:{self.record.id}" if self.record is not None else ""]


def start(
    connection: sa.Connection, tenant: Tenant, starts: Sequence[Start], *, parent: UUID | None = None
) -> list[UUID]:
    """Begin runs; their ids. One that would go round in circles is kept as failed, with the chain that shows it."""
    moment = now()
    paused = _paused(connection, tenant, {s.workflow.key for s in starts})
    done = _done_once(connection, tenant, starts)
    runs = [
        _run(tenant, begun, moment, parent)
        for begun in starts
        if begun.workflow.key not in paused and (begun.workflow.key, begun.record) not in done
    ]
    if runs:
        connection.execute(sa.insert(tenant.tables.platform.run), [run.row() for run in runs])
        defer_many(connection, [job_of(run) for run in runs if not run.is_over])
    return [run.id for run in runs]


def job_of(run: Run, at: datetime | None = None) -> Job:
    """The job that takes a run further. Runs of one record take turns, in the order in which they began; those of a
    crowd let the tenant's others go ahead.

    One for later names its moment: a run that waits for another one by then leaves it alone.
    """
    lock = f"run:{run.entity}:{run.record}" if run.record is not None else f"run:{run.id}"
    payload = {"run": str(run.id)}
    priority = BEHIND if run.crowd else None
    return Job(ADVANCE, payload if at is None else {**payload, "at": at.isoformat()}, at, lock, priority)


def _run(tenant: Tenant, begun: Start, moment: datetime, parent: UUID | None) -> Run:
    chain = [list(link) for link in begun.chain]
    error = _circle(chain, begun)
    return Run(
        id=uuid7(),
        workflow=begun.workflow.key,
        digest=begun.workflow.digest,
        revision=tenant.revision,
        trigger=begun.trigger,
        entity=begun.record.entity if begun.record is not None else None,
        record=begun.record.id if begun.record is not None else None,
        event={**(begun.event or {}), "crowd": True} if begun.crowd else begun.event,
        by=begun.by,
        by_name=begun.by_name,
        chain=[*chain, begun.link],
        parent=parent,
        state="failed" if error else "ready",
        position=[Frame()],
        variables=dict(begun.variables),
        started_at=moment,
        error=error,
        ended_at=moment if error else None,
    )


def _circle(chain: Sequence[Sequence[str]], begun: Start) -> dict[str, Any] | None:
    """What is wrong with a chain that comes back to where it was, or never ends."""
    names = " → ".join([*(str(workflow) for workflow, _ in chain), begun.workflow.key])
    if begun.link in [list(link) for link in chain] and begun.trigger != "run":
        return _told("circle", Fault("circle", "It sets itself off again and again: {chain}.", None, {"chain": names}))
    if len(chain) >= DEEPEST:
        params = {"most": DEEPEST, "chain": names}
        return _told("deep", Fault("deep", "More than {most} workflows set each other off: {chain}.", None, params))
    return None


def _told(kind: str, fault: Fault) -> dict[str, Any]:
    said = {"message": str(fault.message), "field": None, "params": dict(fault.params)}
    return {"kind": kind, "text": str(fault), "faults": [said]}


def _paused(connection: sa.Connection, tenant: Tenant, keys: set[str]) -> set[str]:
    table = tenant.tables.platform.workflow_state
    statement = sa.select(table.c.workflow).where(table.c.workflow.in_(keys), table.c.paused_at.is_not(None))
    return set(connection.execute(statement).scalars())


def _done_once(connection: sa.Connection, tenant: Tenant, starts: Sequence[Start]) -> set[tuple[str, Ref | None]]:
    """Which of those that run once for a record have done so."""
    once = [s for s in starts if s.workflow.once and not s.again and s.record is not None]
    if not once:
        return set()
    table = tenant.tables.platform.run
    records = [s.record.id for s in once if s.record is not None]
    statement = sa.select(table.c.workflow, table.c.entity, table.c.record).distinct()
    statement = statement.where(table.c.workflow.in_({s.workflow.key for s in once}), table.c.record.in_(records))
    return {(workflow, Ref(entity, record)) for workflow, entity, record in connection.execute(statement)}
