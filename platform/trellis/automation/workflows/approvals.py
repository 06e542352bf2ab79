"""Approvals: who is asked, what they say, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from trellis.automation import notices
from trellis.automation.clock import now
from trellis.automation.jobs import defer_many
from trellis.automation.workflows.run import read_run
from trellis.automation.workflows.starting import job_of
from trellis.formula.types import Ref
from trellis.model.automation.steps import Approve, every_step
from trellis.records.kept import kept

if TYPE_CHECKING:
    from trellis.model.model import Model
    from trellis.storage.tenant import Tenant

Row = Mapping[str, Any]
ADDRESS = "approvals"  # the page of what one is asked


class NotAsked(Exception):
    """The person is not asked, or no longer: somebody else has decided, or it was withdrawn."""


@dataclass(frozen=True)
class Ask:
    """What a step asks."""

    run: UUID
    place: str
    about: Ref | None
    title: str
    text: str = ""
    locks: bool = False
    asked_by: UUID | None = None
    due: datetime | None = None


def may_be_asked_about(model: Model, entity: str) -> bool:
    """Whether any workflow asks for approvals about records of an entity."""

    def make() -> frozenset[str | None]:
        bodies = (pair for workflow in model.workflows.values() for pair in workflow.bodies.items())
        return frozenset(e for e, body in bodies if any(isinstance(s, Approve) for s in every_step(body.steps)))

    return entity in kept((model.hash, "approvals"), make)


def ask(connection: sa.Connection, tenant: Tenant, what: Ask, people: Sequence[UUID], *, in_turn: bool) -> None:
    """Ask people, all together or one after the other; whoever is asked is told."""
    rows: list[dict[str, Any]] = []
    for turn, user in enumerate(people):
        rows.append(
            {
                "id": uuid7(),
                "run": what.run,
                "place": what.place,
                "turn": turn if in_turn else 0,
                "user": user,
                "entity": what.about.entity if what.about is not None else None,
                "record": what.about.id if what.about is not None else None,
                "title": what.title,
                "text": what.text,
                "locks": what.locks,
                "asked_by": what.asked_by,
                "state": "queued" if in_turn and turn else "pending",
                "created_at": now(),
                "due_at": what.due,
            }
        )
    connection.execute(sa.insert(tenant.tables.platform.approval), rows)
    asked = [row["user"] for row in rows if row["state"] == "pending"]
    notices.tell(connection, tenant, asked, what.title, kind="approval", about=what.about, address=ADDRESS)


def of_step(connection: sa.Connection, tenant: Tenant, run: UUID, place: str) -> list[Row]:
    """Everybody that a step has asked, in their order."""
    table = tenant.tables.platform.approval
    statement = sa.select(table).where(table.c.run == run, table.c.place == place)
    return [dict(row) for row in connection.execute(statement.order_by(table.c.turn, table.c.id)).mappings()]


def outcome_of(asked: Sequence[Row], need: str | int) -> Literal["approved", "rejected"] | None:
    """What has come of it, once it is certain: so many yeses, or too many noes for that."""
    people = [one for one in asked if one["state"] != "delegated"]
    count = len(people) if need == "all" else 1 if need == "any" else min(int(need), len(people))
    yes = sum(one["state"] == "approved" for one in people)
    no = sum(one["state"] == "rejected" for one in people)
    if yes >= count:
        return "approved"
    return "rejected" if len(people) - no < count else None


def next_turn(connection: sa.Connection, tenant: Tenant, asked: Sequence[Row]) -> None:
    """Ask the next one in turn, once the one before has answered."""
    if any(one["state"] == "pending" for one in asked):
        return
    waiting = next((one for one in asked if one["state"] == "queued"), None)
    if waiting is None:
        return
    table = tenant.tables.platform.approval
    connection.execute(sa.update(table).where(table.c.id == waiting["id"]).values(state="pending"))
    _tell(connection, tenant, waiting, [waiting["user"]])


def remind(connection: sa.Connection, tenant: Tenant, asked: Sequence[Row]) -> None:
    """Tell those who have not answered once more."""
    for one in asked:
        if one["state"] == "pending":
            _tell(connection, tenant, one, [one["user"]])


def close(connection: sa.Connection, tenant: Tenant, run: UUID, place: str | None = None) -> None:
    """Nobody is asked any more."""
    table = tenant.tables.platform.approval
    still = table.c.state.in_(("pending", "queued"))
    statement = sa.update(table).where(table.c.run == run, still).values(state="over")
    connection.execute(statement if place is None else statement.where(table.c.place == place))


def decide(
    connection: sa.Connection,
    tenant: Tenant,
    id: UUID,
    user: UUID,
    outcome: Literal["approved", "rejected"],
    *,
    comment: str = "",
    answers: Mapping[str, Any] | None = None,
) -> None:
    """Say yes or no. Raises NotAsked. The first answer counts, however many are given at one moment."""
    row = _mine(connection, tenant, id, user)
    table = tenant.tables.platform.approval
    values = {"state": outcome, "decided_at": now(), "decided_by": user, "comment": comment or None}
    connection.execute(sa.update(table).where(table.c.id == id).values(**values, answers=dict(answers or {})))
    notices.settle(connection, tenant, user, row["title"], kind="approval")
    _wake(connection, tenant, row)


def delegate(connection: sa.Connection, tenant: Tenant, id: UUID, user: UUID, to: UUID, comment: str = "") -> None:
    """Let somebody else answer in one's place. Raises NotAsked."""
    row = _mine(connection, tenant, id, user)
    table = tenant.tables.platform.approval
    values = {"state": "delegated", "decided_at": now(), "decided_by": user, "comment": comment or None}
    connection.execute(sa.update(table).where(table.c.id == id).values(**values))
    new = {**row, "id": uuid7(), "user": to, "state": "pending", "created_at": now()}
    connection.execute(sa.insert(table).values(**new))
    _tell(connection, tenant, new, [to])


def recall(connection: sa.Connection, tenant: Tenant, run: UUID, user: UUID) -> None:
    """Withdraw what one has asked for: the step ends as rejected. Raises NotAsked."""
    table = tenant.tables.platform.approval
    still = table.c.state.in_(("pending", "queued"))
    rows = connection.execute(sa.select(table).where(table.c.run == run, still).with_for_update()).mappings().all()
    if not rows or any(row["asked_by"] != user for row in rows):
        raise NotAsked
    values = {"state": "rejected", "decided_at": now(), "decided_by": user}
    connection.execute(sa.update(table).where(table.c.run == run, still).values(**values))
    _wake(connection, tenant, dict(rows[0]))


def pending_for(connection: sa.Connection, tenant: Tenant, user: UUID, limit: int = 100) -> list[Row]:
    """What somebody is asked, the oldest first."""
    table = tenant.tables.platform.approval
    statement = sa.select(table).where(table.c.user == user, table.c.state == "pending")
    return [dict(row) for row in connection.execute(statement.order_by(table.c.id).limit(limit)).mappings()]


def about(connection: sa.Connection, tenant: Tenant, record: Ref) -> list[Row]:
    """What is being asked about a record."""
    table = tenant.tables.platform.approval
    same = (table.c.entity == record.entity, table.c.record == record.id)
    still = table.c.state.in_(("pending", "queued"))
    return [dict(r) for r in connection.execute(sa.select(table).where(*same, still).order_by(table.c.id)).mappings()]


def _mine(connection: sa.Connection, tenant: Tenant, id: UUID, user: UUID) -> Row:
    table = tenant.tables.platform.approval
    statement = sa.select(table).where(table.c.id == id, table.c.user == user, table.c.state == "pending")
    row = connection.execute(statement.with_for_update()).mappings().first()
    if row is None:
        raise NotAsked
    return dict(row)


def _wake(connection: sa.Connection, tenant: Tenant, row: Row) -> None:
    run = read_run(connection, tenant, row["run"])
    if run is not None and not run.is_over:
        defer_many(connection, [job_of(run)])


def _tell(connection: sa.Connection, tenant: Tenant, row: Row, people: Sequence[UUID]) -> None:
    about = Ref(row["entity"], row["record"]) if row["entity"] else None
    notices.tell(connection, tenant, people, row["title"], kind="approval", about=about, address=ADDRESS)
