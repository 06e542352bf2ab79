"""One run of a workflow: its row, read for work and written back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis.automation.workflows.codec import freeze, thaw
from trellis.formula.types import Ref, Value

if TYPE_CHECKING:
    from trellis.storage.tenant import Tenant

OVER = frozenset({"done", "stopped", "failed", "cancelled"})


@dataclass
class Frame:
    """A block of steps that is being done: which, and which step of it is next. `items`: of an `each`, and where."""

    block: str = ""
    next: int = 0
    items: list[Ref] | None = None
    at: int = 0
    outer: Any = None  # what `item` was outside

    def as_json(self) -> dict[str, Any]:
        """The frame as it is kept."""
        return {
            "block": self.block,
            "next": self.next,
            "items": freeze(self.items),
            "at": self.at,
            "outer": freeze(self.outer),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Frame:
        """The frame of what was kept."""
        items = stored.get("items")
        return cls(
            stored["block"],
            stored["next"],
            None if items is None else list(thaw(items)),
            stored.get("at", 0),
            thaw(stored.get("outer")),
        )


@dataclass
class Run:
    """A run in hand."""

    id: UUID
    workflow: str
    digest: str
    revision: int
    trigger: str
    entity: str | None
    record: UUID | None
    event: Mapping[str, Any] | None
    by: UUID | None
    by_name: str | None
    chain: list[list[str]]
    parent: UUID | None
    state: str
    position: list[Frame]
    variables: dict[str, Value]
    started_at: datetime
    waiting: dict[str, Any] | None = None
    wake_at: datetime | None = None
    tries: int = 0
    steps: int = 0
    error: Mapping[str, Any] | None = None
    ended_at: datetime | None = None
    logged: list[dict[str, Any]] = field(default_factory=list)  # steps whose lines are not yet written

    @property
    def ref(self) -> Ref | None:
        """The record that set it off."""
        return Ref(self.entity, self.record) if self.entity and self.record else None

    @property
    def crowd(self) -> bool:
        """One of many that began together: an import's, say."""
        return bool(self.event and self.event.get("crowd"))

    @property
    def is_over(self) -> bool:
        """Nothing is left to do."""
        return self.state in OVER

    def row(self) -> dict[str, Any]:
        """What is kept of the run."""
        return {
            "id": self.id,
            "workflow": self.workflow,
            "digest": self.digest,
            "revision": self.revision,
            "trigger": self.trigger,
            "entity": self.entity,
            "record": self.record,
            "event": self.event,
            "by": self.by,
            "by_name": self.by_name,
            "chain": self.chain,
            "parent": self.parent,
            "state": self.state,
            "position": [frame.as_json() for frame in self.position],
            "variables": freeze(self.variables),
            "waiting": freeze(self.waiting),
            "wake_at": self.wake_at,
            "tries": self.tries,
            "steps": self.steps,
            "error": self.error,
            "started_at": self.started_at,
            "ended_at": self.ended_at,
        }


def read_run(connection: sa.Connection, tenant: Tenant, id: UUID, *, lock: bool = False) -> Run | None:
    """A run; None when there is none. `lock`: nobody else works on it until the transaction ends."""
    table = tenant.tables.platform.run
    statement = sa.select(table).where(table.c.id == id)
    row = connection.execute(statement.with_for_update() if lock else statement).mappings().first()
    return run_of(dict(row)) if row is not None else None


def workflows_of(connection: sa.Connection, tenant: Tenant, runs: Collection[UUID]) -> dict[UUID, str]:
    """The workflows of several runs."""
    table = tenant.tables.platform.run
    statement = sa.select(table.c.id, table.c.workflow).where(table.c.id.in_(list(runs)))
    return {row.id: row.workflow for row in connection.execute(statement)}


def run_of(row: Mapping[str, Any]) -> Run:
    """A run's row as a run."""
    values = dict(row)
    position = [Frame.from_json(each) for each in values.pop("position")]
    variables = {key: thaw(value) for key, value in values.pop("variables").items()}
    waiting = thaw(values.pop("waiting"))
    return Run(**values, position=position, variables=variables, waiting=waiting)


def write_run(connection: sa.Connection, tenant: Tenant, run: Run) -> None:
    """Keep what a run has come to, with the lines of its steps."""
    tables = tenant.tables.platform
    values = run.row()
    connection.execute(sa.update(tables.run).where(tables.run.c.id == values.pop("id")).values(values))
    if run.logged:
        connection.execute(sa.insert(tables.run_step), run.logged)
        run.logged = []
