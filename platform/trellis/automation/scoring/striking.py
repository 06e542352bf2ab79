"""Time takes of what behaviour has earned, by an index of what is due; a new configuration counts everything anew."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from trellis.automation.beats import Beat
from trellis.automation.clock import now
from trellis.automation.jobs import Work, defer, kind
from trellis.automation.scoring import earning
from trellis.automation.scoring.keeping import keep, read_accounts, rescore, scorings_of
from trellis.automation.workflows.acting import system_of
from trellis.records.session import Session
from trellis.storage.hooks import after_apply

if TYPE_CHECKING:
    from trellis.model.model import Model
    from trellis.storage.tenant import Tenant

WEAR, RECOUNT = "scoring.wear", "scoring.recount"
AT_ONCE = 200
BEAT = Beat("scoring", WEAR)


def _set(connection: sa.Connection, tenant: Tenant, before: Tenant | None) -> None:
    """Let time take where there is something to take; what has changed in a scoring is counted anew by a job."""
    scorings = [one for some in scorings_of(tenant.model).of.values() for one in some]
    BEAT.keep(connection, tenant, wanted=any(one.decay is not None for one in scorings))
    known = _digests(before.model) if before is not None else {}
    for one in scorings:
        if before is not None and known.get(one.key) != one.digest:
            defer(connection, RECOUNT, {"scoring": one.key}, lock="scoring.recount", tenant=tenant)


after_apply.append(_set)


def _digests(model: Model) -> dict[str, str]:
    return {one.key: one.digest for some in scorings_of(model).of.values() for one in some}


@kind(WEAR)
def wear(work: Work) -> None:
    """Take what is due, some hundreds at once."""
    BEAT.strike(work, wear_due)


def wear_due(connection: sa.Connection, tenant: Tenant) -> bool:
    """Take what is due by now, and write the scores that change; whether there may be more."""
    table = tenant.tables.platform.score
    due = sa.select(table.c.scoring, table.c.record).where(table.c.due_at <= now()).order_by(table.c.due_at)
    rows = connection.execute(due.limit(AT_ONCE).with_for_update(skip_locked=True)).all()
    by_scoring: dict[str, list[UUID]] = defaultdict(list)
    for row in rows:
        by_scoring[row.scoring].append(row.record)
    with Session(tenant, system_of(tenant)).within(connection) as session:
        for key, ids in by_scoring.items():
            scoring = tenant.model.scorings.get(key)
            if scoring is None or not scoring.active:
                gone = sa.update(table).where(table.c.scoring == key, table.c.record.in_(ids))
                connection.execute(gone.values(due_at=None))
                continue
            for id, account in read_accounts(session, scoring, ids, hold=True).items():
                keep(session, scoring, id, earning.wear(scoring, account, session.reader.now))
            rescore(session, scoring, ids)
    return len(rows) == AT_ONCE


@kind(RECOUNT)
def recount(work: Work) -> None:
    """Count records anew by a configuration that is new, some hundreds in a job, and go on with the next ones."""
    tenant, key = work.tenant, work.payload["scoring"]
    after = work.payload.get("after")
    with work.finishing() as connection:
        last = recount_some(connection, tenant, key, UUID(after) if after else None)
        if last is not None:
            defer(connection, RECOUNT, {"scoring": key, "after": str(last)}, lock="scoring.recount")


def recount_some(connection: sa.Connection, tenant: Tenant, key: str, after: UUID | None = None) -> UUID | None:
    """Count some hundred records anew; the last of them, None when there are no more."""
    scoring = tenant.model.scorings.get(key)
    if scoring is None or not scoring.active:
        return None
    table = tenant.tables.entity[scoring.entity]
    page = sa.select(table.c.id).where(table.c.deleted_at.is_(None)).order_by(table.c.id).limit(AT_ONCE)
    ids = list(connection.execute(page if after is None else page.where(table.c.id > after)).scalars())
    with Session(tenant, system_of(tenant)).within(connection) as session:
        for id, account in read_accounts(session, scoring, ids, hold=True).items():
            keep(session, scoring, id, account)  # the time of its next loss may be another
        rescore(session, scoring, ids)
    return ids[-1] if len(ids) == AT_ONCE else None
