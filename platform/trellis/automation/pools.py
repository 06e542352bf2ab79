"""The clock of pools: what nobody looks after goes back, by an index of what is due, and its owner is told before."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis.automation.beats import Beat
from trellis.automation.clock import now
from trellis.automation.distributing import distribute_free
from trellis.automation.jobs import Work, defer, kind
from trellis.automation.pool_words import tell_about
from trellis.automation.workflows.acting import system_of
from trellis.automation.workflows.people import users
from trellis.formula.types import Ref
from trellis.model.pool import LOCKED_UNTIL, Pool, ReleaseRule
from trellis.records.graph import LiveRecord, StoreGraph, title_of
from trellis.records.pools import clock as clocks
from trellis.records.pools.keeping import (
    RELEASE,
    Touch,
    dates,
    holding_rules,
    read_clocks,
    set_due,
    settle,
)
from trellis.records.pools.usage import midnight
from trellis.records.pools.which import pools_of
from trellis.records.refusal import Forbidden, Missing, Refused
from trellis.records.session import Session
from trellis.records.writing import write
from trellis.storage.hooks import after_apply

if TYPE_CHECKING:
    from trellis.model.model import Model
    from trellis.storage.tenant import Tenant

LOOK, SETTLE = "pools.look", "pools.settle"
AT_ONCE = 200  # records in one transaction
BEAT = Beat("pools", LOOK)
NOTICE = "pool"
AGAIN = timedelta(days=1)  # what could not be taken back is tried again then


def _set(connection: sa.Connection, tenant: Tenant, before: Tenant | None) -> None:
    """Let the clock run where there are pools; what a changed pool means for old records is settled by a job."""
    BEAT.keep(connection, tenant, wanted=bool(pools_of(tenant.model).of))
    if pools_of(tenant.model).of and before is not None and _digest(tenant.model) != _digest(before.model):
        defer(connection, SETTLE, {}, lock="pools", tenant=tenant)


after_apply.append(_set)


def _digest(model: Model) -> str:
    return " ".join(f"{pool.key}:{pool.digest}" for pools in pools_of(model).of.values() for pool in pools)


@kind(LOOK)
def look(work: Work) -> None:
    """Take back and give out, some hundreds at once, and look again in a while."""
    BEAT.strike(work, _strike)


def _strike(connection: sa.Connection, tenant: Tenant) -> bool:
    """Take back what is due, then give out what is to be given out; whether there may be more."""
    return release_due(connection, tenant) or distribute_free(connection, tenant)


@kind(SETTLE)
def settle_all(work: Work) -> None:
    """Set the clocks of all records by a configuration that is new: no date gets earlier, none lies before tomorrow."""
    with work.finishing() as connection:
        settle_tenant(connection, work.tenant)


def settle_tenant(connection: sa.Connection, tenant: Tenant) -> None:
    """The same within a transaction, some hundred records in a statement."""
    with Session(tenant, system_of(tenant)).within(connection) as session:
        for entity in pools_of(tenant.model).of:
            table = tenant.tables.entity[entity]
            page = sa.select(table.c.id).where(table.c.deleted_at.is_(None)).order_by(table.c.id).limit(AT_ONCE * 5)
            ids = list(session.execute(page).scalars())
            while ids:
                settle(session, entity, {id: Touch() for id in ids}, not_before=midnight(session, 1))
                ids = list(session.execute(page.where(table.c.id > ids[-1])).scalars())


def release_due(connection: sa.Connection, tenant: Tenant) -> bool:
    """Warn about and take back what is due by now; whether there may be more."""
    table = tenant.tables.platform.pool_clock
    due = sa.select(table.c.entity, table.c.record).where(table.c.due_at <= now())
    rows = connection.execute(due.order_by(table.c.due_at).limit(AT_ONCE).with_for_update(skip_locked=True)).all()
    with Session(tenant, system_of(tenant)).within(connection) as session:
        for row in rows:
            if row.entity not in pools_of(session.model).of:
                set_due(session, row.entity, row.record, None)
                continue
            _one(session, row.entity, row.record)
    return len(rows) == AT_ONCE


def _one(session: Session, entity: str, id: UUID) -> None:
    """Look at one record: it goes back, or its owner is told that it will, or it is looked at later."""
    try:
        with session.write():
            draft = write.open_for_update(session, entity, id, means="workflow")
            _look(session, draft.record, draft)
    except (Refused, Forbidden) as error:
        fault = error.faults[0].message if isinstance(error, Refused) and error.faults else str(error)
        _tell_admins(session, entity, id, str(fault))
        set_due(session, entity, id, session.reader.now + AGAIN)
    except Missing:
        set_due(session, entity, id, None)  # in the bin: it begins anew when it comes back


def _look(session: Session, record: LiveRecord, draft: Any) -> None:
    entity, moment = record.entity, session.reader.now
    pools = pools_of(session.model).of[entity]
    clock = read_clocks(session, entity, [record.id]).get(record.id)
    owner = record.value(pools[0].owner)
    if clock is None or owner is None or clock.owner != owner.id:
        settle(session, entity, {record.id: Touch()})  # it changed hands where nobody looked
        return
    locked = record.value(LOCKED_UNTIL)
    returns, due = dates(pools, record, clock, locked, moment)
    rules = holding_rules(pools, record)
    if returns is None:
        settle(session, entity, {record.id: Touch()})
        set_due(session, entity, record.id, moment + AGAIN if due is not None else None)
        return
    if returns > moment:
        if any(warning <= moment for warning in clocks.warnings(returns, clock, rules)):
            _warn(session, record, owner, returns)
        set_due(session, entity, record.id, due)
        return
    pool, rule = clocks.bringing(clock, rules)[0]
    _release(session, draft, pool, rule, owner)


def _release(session: Session, draft: Any, pool: Pool, rule: ReleaseRule, owner: Ref) -> None:
    record = draft.record
    title = title_of(record)
    before = session.cause
    session.cause = {"pool": pool.key, "act": RELEASE, "reason": rule.key, "rule": rule.key}
    try:
        write.prepare(session, draft, {pool.owner: None})
        write.check_all(session, [draft])
        write.refuse([draft])
        write.store_changed(session, [draft])
    finally:
        session.cause = before
    tell_about(
        session,
        [owner.id],
        record,
        lambda _, at: _("“%(title)s” has gone back to the pool %(pool)s.", title=title, pool=at(pool.label)),
    )


def _warn(session: Session, record: LiveRecord, owner: Ref, returns: datetime) -> None:
    title = title_of(record)
    tell_about(
        session,
        [owner.id],
        record,
        lambda _, at: _(
            "“%(title)s” goes back to the pool on %(at)s unless somebody looks after it.", title=title, at=at(returns)
        ),
    )


def _tell_admins(session: Session, entity: str, id: UUID, why: str) -> None:
    """A record that should go back and cannot: its pool's admins are told what stands in the way."""
    record = StoreGraph(session).follow(Ref(entity, id))
    pool = pools_of(session.model).of[entity][0]
    people = [one for role in sorted(pool.admins.roles) for one in users(session, role=role)]
    if record is not None and people:
        title = title_of(record)
        tell_about(
            session,
            people,
            record,
            lambda _, at: _("“%(title)s” should go back to the pool and cannot: %(why)s", title=title, why=_(why)),
        )
