"""Who is in a sequence and how far they have come; taking somebody in and out by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from trellis.automation.workflows import steering
from trellis.automation.workflows.run import OVER
from trellis.automation.workflows.starting import Start, start
from trellis.formula.types import Ref
from trellis.model.automation.workflow import Workflow
from trellis.records.refusal import Fault, Missing, Refused

if TYPE_CHECKING:
    from uuid import UUID

    from trellis.records.store import Store
    from trellis.storage.tenant import Tenant


@dataclass(frozen=True)
class Standing:
    """How a record stands with a sequence: its latest run, if it was ever in it."""

    workflow: Workflow
    state: str = ""  # "": never
    run: UUID | None = None
    steps: int = 0
    wake_at: datetime | None = None
    started_at: datetime | None = None

    @property
    def is_in(self) -> bool:
        """Whether it is in the sequence now."""
        return bool(self.state) and self.state not in OVER


def sequences_of(tenant: Tenant, entity: str) -> list[Workflow]:
    """The active sequences of an entity."""
    found = tenant.model.workflows.values()
    return [w for w in found if w.sequence is not None and w.active and w.sequence.entity == entity]


def standings(store: Store, record: Ref) -> list[Standing]:
    """How a record stands with each sequence of its entity."""
    known = {workflow.key: Standing(workflow) for workflow in sequences_of(store.tenant, record.entity)}
    table = store.tenant.tables.platform.run
    same = table.c.entity == record.entity, table.c.record == record.id, table.c.workflow.in_(known)
    with store.transaction() as connection:
        for row in connection.execute(sa.select(table).where(*same).order_by(table.c.id)).mappings():
            known[row["workflow"]] = Standing(
                known[row["workflow"]].workflow,
                row["state"],
                row["id"],
                row["steps"],
                row["wake_at"],
                row["started_at"],
            )
    return list(known.values())


def enrol(store: Store, record: Ref, key: str) -> None:
    """Let a record begin a sequence by hand, also once more. Raises Missing, Refused."""
    standing = _standing(store, record, key)
    if standing.is_in:
        raise Refused([Fault("running", "It is in this sequence already.")])
    tenant, principal = store.tenant, store.principal
    with store.transaction() as connection:
        begun = Start(standing.workflow, "enrol", record, by=principal.id, by_name=principal.name, again=True)
        if not start(connection, tenant, [begun]):
            raise Refused([Fault("paused", "This sequence is paused.")])


def leave(store: Store, record: Ref, key: str) -> None:
    """Take a record out of a sequence by hand. Raises Missing, Refused."""
    standing = _standing(store, record, key)
    if not standing.is_in or standing.run is None:
        raise Refused([Fault("over", "It is not in this sequence any more.")])
    with store.transaction() as connection:
        try:
            steering.cancel(connection, store.tenant, standing.run)
        except steering.NotPossible:
            raise Refused([Fault("over", "It is not in this sequence any more.")]) from None


def counts(connection: sa.Connection, tenant: Tenant, workflow: str) -> Mapping[str, Mapping[str, int]]:
    """By the place of a step, how many runs it was done for, left out in, and waits in now."""
    run, step = tenant.tables.platform.run, tenant.tables.platform.run_step
    statement = (
        sa.select(step.c.place, step.c.outcome, sa.func.count(sa.distinct(step.c.run)))
        .join(run, run.c.id == step.c.run)
        .where(run.c.workflow == workflow)
        .group_by(step.c.place, step.c.outcome)
    )
    found: dict[str, dict[str, int]] = {}
    for place, outcome, count in connection.execute(statement):
        found.setdefault(place, {})[outcome] = count
    return found


def _standing(store: Store, record: Ref, key: str) -> Standing:
    found = next((one for one in standings(store, record) if one.workflow.key == key), None)
    if found is None:
        raise Missing(key)
    return found
