"""Approvals: who is asked, what they say, and what comes of it."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dc_field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from trellis.automation import notices
from trellis.automation.channels import named, recipients
from trellis.automation.clock import now
from trellis.automation.jobs import defer_many
from trellis.automation.mail.places import address_of
from trellis.automation.mail.words import words
from trellis.automation.workflows.run import read_run
from trellis.automation.workflows.starting import job_of
from trellis.formula.types import Ref
from trellis.model.automation.steps import Approve, every_step
from trellis.records.kept import kept
from trellis.records.refusal import Fault, Refused

if TYPE_CHECKING:
    from trellis.model.model import Model
    from trellis.storage.tenant import Tenant

Row = Mapping[str, Any]
Outcome = Literal["approved", "rejected", "returned"]
LINK_LASTS = timedelta(days=30)  # how long a letter's link works at the most
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
    edit: Sequence[UUID] = ()  # who may change the record all the same
    asked_by: UUID | None = None
    due: datetime | None = None
    words: Mapping[UUID, tuple[str, str]] = dc_field(default_factory=dict)  # title and text, in the person's language


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
        title, text = what.words.get(user, (what.title, what.text))
        rows.append(
            {
                "id": uuid7(),
                "run": what.run,
                "place": what.place,
                "turn": turn if in_turn else 0,
                "user": user,
                "entity": what.about.entity if what.about is not None else None,
                "record": what.about.id if what.about is not None else None,
                "title": title,
                "text": text,
                "locks": what.locks,
                "edit": list(what.edit),
                "asked_by": what.asked_by,
                "state": "queued" if in_turn and turn else "pending",
                "created_at": now(),
                "due_at": what.due,
            }
        )
    connection.execute(sa.insert(tenant.tables.platform.approval), rows)
    for row in rows:
        if row["state"] == "pending":
            call_on(connection, tenant, row)


def of_step(connection: sa.Connection, tenant: Tenant, run: UUID, place: str) -> list[Row]:
    """Everybody that a step has asked, in their order."""
    table = tenant.tables.platform.approval
    statement = sa.select(table).where(table.c.run == run, table.c.place == place)
    return [dict(row) for row in connection.execute(statement.order_by(table.c.turn, table.c.id)).mappings()]


def outcome_of(asked: Sequence[Row], need: str | int) -> Outcome | None:
    """What has come of it, once it is certain: so many yeses, or too many noes for that, or it is sent back."""
    people = [one for one in asked if one["state"] != "delegated"]
    if any(one["state"] == "returned" for one in people):
        return "returned"
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
    call_on(connection, tenant, waiting)


def remind(connection: sa.Connection, tenant: Tenant, asked: Sequence[Row]) -> None:
    """Tell those who have not answered once more."""
    for one in asked:
        if one["state"] == "pending":
            call_on(connection, tenant, one)


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
    outcome: Outcome,
    *,
    comment: str = "",
    answers: Mapping[str, Any] | None = None,
) -> None:
    """Say yes or no, or send it back to who has asked. Raises NotAsked, and Refused where that cannot be.

    The first answer counts, however many are given at one moment.
    """
    row = mine(connection, tenant, id, user)
    if outcome == "returned":
        _may_return(row, comment)
    table = tenant.tables.platform.approval
    values = {"state": outcome, "decided_at": now(), "decided_by": user, "comment": comment or None}
    connection.execute(sa.update(table).where(table.c.id == id).values(**values, answers=dict(answers or {})))
    notices.settle(connection, tenant, user, row["title"], kind="approval")
    if outcome == "returned":
        _tell_of_return(connection, tenant, row, user, comment)
    _wake(connection, tenant, row)


def _may_return(row: Row, comment: str) -> None:
    if row["asked_by"] is None:
        raise Refused([Fault("returned", "Nobody has asked for this: there is nobody to send it back to.")])
    if not comment.strip():
        raise Refused([Fault("required", "Say what is missing, so that it can be put right.", "_comment")])


def _tell_of_return(connection: sa.Connection, tenant: Tenant, row: Row, user: UUID, comment: str) -> None:
    about = Ref(row["entity"], row["record"]) if row["entity"] else None
    names = {one.id: one.name for one in named(connection, tenant, [user])}
    for person in recipients(connection, tenant, [row["asked_by"]]):
        _ = words(person.language)
        params = {"name": names.get(user, ""), "title": row["title"], "comment": comment}
        said = _("%(name)s sends it back: %(title)s. %(comment)s", **params)
        notices.tell(connection, tenant, [person.id], said, kind="workflow", about=about)


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


def mine(connection: sa.Connection, tenant: Tenant, id: UUID, user: UUID) -> Row:
    """What somebody is asked, held until the transaction ends. Raises NotAsked."""
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


def call_on(connection: sa.Connection, tenant: Tenant, row: Row, text: str = "") -> None:
    """Tell somebody that they are asked; a letter brings a link of their own, which works once.

    `text`: what is said instead of the title alone, which it ends with.
    """
    table = tenant.tables.platform.approval
    connection.execute(sa.update(table).where(table.c.id == row["id"]).values(told_at=now()))
    about = Ref(row["entity"], row["record"]) if row["entity"] else None
    button, site = {}, address_of(tenant)
    if site is not None:
        secret = secrets.token_urlsafe(32)
        connection.execute(sa.update(table).where(table.c.id == row["id"]).values(token=digest(secret)))
        button = {row["user"]: f"{site}/approvals/by-mail/{secret}"}
    said = text or row["title"]
    notices.tell(connection, tenant, [row["user"]], said, kind="approval", about=about, address=ADDRESS, button=button)


def digest(secret: str) -> str:
    """What is kept of a link's secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def by_link(connection: sa.Connection, tenant: Tenant, secret: str, moment: datetime) -> Row | None:
    """What a letter's link is about, while it is still asked, of somebody who is still there."""
    table = tenant.tables.platform.approval
    mine = table.c.token == digest(secret), table.c.state == "pending", table.c.created_at > moment - LINK_LASTS
    row = connection.execute(sa.select(table).where(*mine)).mappings().first()
    return dict(row) if row is not None and recipients(connection, tenant, [row["user"]]) else None
