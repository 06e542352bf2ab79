"""Trying a workflow on a record: everything is done as it would be, told step by step, and taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from uuid_utils.compat import uuid7

from trellis.automation.clock import now
from trellis.automation.workflows.acting import system_of
from trellis.automation.workflows.advancing import Machine
from trellis.automation.workflows.explaining import values_of
from trellis.automation.workflows.run import Frame, Run
from trellis.formula.env import Env
from trellis.formula.types import Ref
from trellis.model.automation.workflow import Workflow
from trellis.records.graph import StoreGraph
from trellis.records.store import Store

if TYPE_CHECKING:
    from uuid import UUID

    from trellis.storage.tenant import Tenant

MOST = 50  # times that a wait is taken as over


@dataclass(frozen=True)
class Trial:
    """What a workflow would do with a record."""

    holds: bool  # its condition
    values: Mapping[str, Any]  # that the condition read
    lines: Sequence[Mapping[str, Any]]
    state: str
    error: Mapping[str, Any] | None = None


class _TakenBack(Exception):
    """The trial is over."""


def attempt(tenant: Tenant, workflow: Workflow, record: Ref | None, by: UUID | None, name: str | None) -> Trial:
    """Do everything up to the first wait, and take it back. Nothing of it is left, and nobody is told anything."""
    store = Store(tenant, system_of(tenant, by, name))
    store.session.is_trial = True
    found: list[Trial] = []
    try:
        with store.transaction() as connection:
            body = workflow.bodies[record.entity if record is not None else None]
            graph = StoreGraph(store.session)
            live = graph.follow(record) if record is not None else None
            env = Env(live, store.session.reader, graph, old=live, variables={"record": live, "old": live})
            holds = body.when is None or body.when.evaluate(env) is True
            values = values_of(body.when, env) if body.when is not None else {}
            run = _run(tenant, workflow, record, by, name)
            machine = Machine(store, connection, workflow, run)
            machine.is_trial = True
            if holds:
                machine.go()
            found.append(Trial(holds, values, run.logged, run.state, run.error))
            raise _TakenBack
    except _TakenBack:
        return found[0]


def _run(tenant: Tenant, workflow: Workflow, record: Ref | None, by: UUID | None, name: str | None) -> Run:
    return Run(
        id=uuid7(),
        workflow=workflow.key,
        digest=workflow.digest,
        revision=tenant.revision,
        trigger="trial",
        entity=record.entity if record is not None else None,
        record=record.id if record is not None else None,
        event=None,
        by=by,
        by_name=name,
        chain=[[workflow.key, ""]],
        parent=None,
        state="ready",
        position=[Frame()],
        variables={},
        started_at=now(),
    )
