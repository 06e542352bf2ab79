"""A publishing that takes longer than a page may wait: asked for, done by a worker, told on a page.

What is carried out is the plan that the person has looked at, or nothing: its seal is kept with the request. A worker
that is killed leaves the database as it was; the next one finds out whether the revision was made already.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from trellis.automation.clock import now
from trellis.automation.jobs import Backoff, defer, kind
from trellis.identity.person import ADMIN, has_right, read_person_by_id
from trellis.records.refusal import Fault
from trellis.storage.apply import ApplyRefused, PlanOutdated
from trellis.storage.catalogue import BrokenConfiguration
from trellis.storage.hooks import after_restore
from trellis.storage.plan import plan_revision
from trellis.studio import draft as drafts
from trellis.studio import planning

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from trellis.automation.jobs import Work
    from trellis.identity.person import Person
    from trellis.storage.catalogue import Catalogue
    from trellis.storage.plan import Plan
    from trellis.storage.tenant import Tenant

PUBLISH = "studio.publish"
OPEN = ("waiting", "running")
CHANGED = Fault("changed", "What would happen has changed since you looked at it. Look again, then publish.")
LOCKED_OUT = Fault(
    "locked-out", "With this you could not administer this company any more: your roles would lose the right."
)
OVERTAKEN = Fault("overtaken", "Somebody has published something meanwhile. Look again, then publish.")


@dataclass(frozen=True)
class Publishing:
    """One request to publish, and what came of it."""

    id: UUID
    person: UUID
    who: str
    why: str
    back_to: int | None
    revision: int
    seal: str
    state: str
    number: int | None
    fault: Mapping[str, Any] | None
    asked_at: datetime
    started_at: datetime | None
    ended_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether it still waits or runs."""
        return self.state in OPEN

    @property
    def reason(self) -> Fault | None:
        """Why nothing came of it."""
        if self.fault is None:
            return None
        return Fault(self.fault["code"], self.fault["message"], None, self.fault.get("params") or {})


def ask(planned: Plan, person: UUID, who: str, why: str, back_to: int | None = None) -> Publishing:
    """Have a plan carried out by a worker; while another one is open, that one is what is waited for."""
    tenant = planned.tenant
    table = tenant.tables.platform.publishing
    with tenant.begin() as connection:
        lock = sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"publishing {tenant.slug}", 0))
        connection.execute(sa.select(lock))
        if (known := _read(connection, tenant, table.c.state.in_(OPEN))) is not None:
            return known
        id = uuid7()
        values = {"id": id, "person": person, "who": who, "why": why, "back_to": back_to, "asked_at": now()}
        values |= {"revision": tenant.revision, "seal": planning.seal(planned), "state": "waiting"}
        connection.execute(sa.insert(table).values(**values))
        defer(connection, PUBLISH, {"publishing": str(id)}, lock=PUBLISH)
        asked = _read(connection, tenant, table.c.id == id)
    assert asked is not None
    return asked


def publishing_of(tenant: Tenant, id: UUID) -> Publishing | None:
    """One of the tenant's own."""
    with tenant.begin() as connection:
        return _read(connection, tenant, tenant.tables.platform.publishing.c.id == id)


def latest(tenant: Tenant) -> Publishing | None:
    """The one that was asked for last."""
    with tenant.begin() as connection:
        return _read(connection, tenant, sa.true())


def cancel(tenant: Tenant, id: UUID) -> bool:
    """Call off one that still waits; whether it was so."""
    table = tenant.tables.platform.publishing
    waiting = (table.c.id == id) & (table.c.state == "waiting")
    with tenant.begin() as connection:
        query = sa.update(table).where(waiting).values(state="cancelled", ended_at=now())
        return bool(connection.execute(query).rowcount)


def _read(connection: Connection, tenant: Tenant, about: sa.ColumnElement[bool]) -> Publishing | None:
    table = tenant.tables.platform.publishing
    query = sa.select(table).where(about).order_by(table.c.asked_at.desc(), table.c.id.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    return None if row is None else Publishing(**row)


def _died(work: Work, _error: str) -> None:
    _end(work, "failed", fault=Fault("broken", "Something went wrong on our side, and nothing was changed."))


@kind(PUBLISH, retry=Backoff(tries=3), on_death=_died)
def carry_out(work: Work) -> None:
    """Carry out what was looked at, and keep what came of it."""
    tenant, id = work.tenant, UUID(work.payload["publishing"])
    table = tenant.tables.platform.publishing
    with tenant.begin() as connection:
        asked = _read(connection, tenant, table.c.id == id)
        if asked is None or not asked.is_open:
            return
        mine = (table.c.id == id) & table.c.state.in_(OPEN)
        started = sa.update(table).where(mine).values(state="running", started_at=asked.started_at or now())
        if not connection.execute(started).rowcount:
            return  # called off at this moment
        person = read_person_by_id(connection, tenant, asked.person)
    if (made := _made_already(work.catalogue, tenant.slug, asked)) is not None:
        _done(work, asked, made)
    elif person is None or not has_right(tenant, person, ADMIN):
        _end(work, "failed", fault=Fault("rights", "You may not publish any more."))
    else:
        _publish(work, asked, person)


def _made_already(catalogue: Catalogue, slug: str, asked: Publishing) -> int | None:
    """The revision that an earlier try has made, and was killed before it could say so."""
    try:
        next_one = catalogue.revision(slug, asked.revision + 1)
    except LookupError:
        return None
    ours = (next_one.who, next_one.why) == (asked.who, asked.why) and asked.started_at is not None
    return next_one.number if ours and next_one.at >= asked.asked_at else None


def _publish(work: Work, asked: Publishing, person: Person) -> None:
    catalogue, slug = work.catalogue, work.tenant.slug
    try:
        if asked.back_to is not None:
            planned = plan_revision(catalogue, slug, asked.back_to)
        else:
            draft = drafts.read_draft(catalogue, catalogue.get(slug), asked.person)
            planned = planning.plan_layers(catalogue, slug, draft.layers)
        if planned.tenant.revision != asked.revision:
            return _end(work, "failed", fault=OVERTAKEN)
        if planning.seal(planned) != asked.seal:
            return _end(work, "failed", fault=CHANGED)
        if locks_out(planned, person):
            return _end(work, "failed", fault=LOCKED_OUT)
        applied = planning.publish(catalogue, planned, asked.who, asked.why, allow_destroy=bool(planned.destroys))
    except PlanOutdated:
        return _end(work, "failed", fault=OVERTAKEN)
    except (ApplyRefused, BrokenConfiguration, LookupError) as refused:
        said = Fault("refused", "It was refused, and nothing was changed: {reason}", None, {"reason": str(refused)})
        return _end(work, "failed", fault=said)
    return _done(work, asked, applied.revision)


def locks_out(planned: Plan, person: Person) -> bool:
    """Whether the person who publishes would lose the right to come back."""
    return not has_right(replace(planned.tenant, model=planned.model), person, ADMIN)


def _done(work: Work, asked: Publishing, number: int) -> None:
    """Say so, and throw away of the draft what is live now."""
    if asked.back_to is None:
        tenant = work.catalogue.get(work.tenant.slug)
        draft = drafts.read_draft(work.catalogue, tenant, asked.person)
        live = {path: c for path, c in draft.changes.items() if draft.live_files.get(path) == c.text}
        drafts.close(tenant, replace(draft, changes=live), asked.person)
    _end(work, "done", number=number)


def _end(work: Work, state: str, *, number: int | None = None, fault: Fault | None = None) -> None:
    table = work.tenant.tables.platform.publishing
    why = None if fault is None else {"code": fault.code, "message": str(fault.message), "params": dict(fault.params)}
    ours = (table.c.id == UUID(work.payload["publishing"])) & table.c.state.in_(OPEN)
    with work.finishing() as connection:
        values = {"state": state, "ended_at": now(), "number": number, "fault": why}
        connection.execute(sa.update(table).where(ours).values(**values))


def _start_empty(connection: Connection, tenant: Tenant) -> None:
    """What was asked for in another time is not published in a company that comes back from a backup."""
    connection.execute(sa.delete(tenant.tables.platform.publishing))


after_restore.append(_start_empty)
