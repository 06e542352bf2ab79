"""A published configuration: clocks that its service levels say otherwise are judged anew, some hundreds at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis.automation.jobs import Work, defer, kind
from trellis.automation.service_levels import keeping
from trellis.automation.service_levels.clock import MET
from trellis.automation.workflows.acting import system_of
from trellis.formula.sql.scope import SqlScope
from trellis.model.service_level import ServiceLevel
from trellis.records.reading.pointing import Linked
from trellis.records.session import Session
from trellis.records.writing.batch import matching
from trellis.storage.hooks import after_apply

if TYPE_CHECKING:
    from trellis.storage.tenant import Tenant

SETTLE = "service_levels.settle"
AT_ONCE = 500


def _published(connection: sa.Connection, tenant: Tenant, before: Tenant | None) -> None:
    table = tenant.tables.platform.service
    if before is None:
        return  # there are no records yet
    known = tenant.model.service_levels
    connection.execute(sa.delete(table).where(table.c.sla.not_in(list(known)) if known else sa.true()))
    for key in known:
        defer(connection, SETTLE, {"sla": key, "after": None}, lock=f"settle:{key}", tenant=tenant)


after_apply.append(_published)


@kind(SETTLE)
def settle(work: Work) -> None:
    """Judge the next records whose clocks are another configuration's, or are missing."""
    tenant, key, after = work.tenant, work.payload["sla"], work.payload["after"]
    level = tenant.model.service_levels.get(key)
    with work.finishing() as connection:
        if level is None:
            return
        with Session(tenant, system_of(tenant)).within(connection) as session:
            ids = matching(session, level.entity, [_unsettled(session, level, after)], limit=AT_ONCE)
            if not ids:
                return
            table = session.table(level.entity)
            held = sa.select(table.c.id).where(table.c.id.in_(ids)).order_by(table.c.id)
            session.execute(held.with_for_update(key_share=True))
            keeping.judge(session, level.entity, ids, quietly=True)
        if len(ids) == AT_ONCE:
            defer(connection, SETTLE, {"sla": key, "after": str(ids[-1])}, lock=f"settle:{key}")


def _unsettled(session: Session, level: ServiceLevel, after: str | None) -> Linked:
    """Records that the service level is for and that have no clock, or one that runs by another configuration."""
    clock = session.tables.platform.service

    def condition(scope: SqlScope) -> sa.ColumnElement[bool]:
        id = scope.alias.c.id
        mine = sa.and_(clock.c.entity == level.entity, clock.c.record == id, clock.c.sla == level.key)
        runs = clock.c.digest != level.digest, clock.c.standing.is_distinct_from(MET)
        applies: Any = level.when.predicate(scope) if level.when is not None else sa.true()
        missing = sa.and_(applies, ~sa.exists().where(mine))
        found = [sa.or_(missing, sa.exists().where(mine, *runs))]
        if after is not None:
            found.append(id > UUID(after))
        return sa.and_(*found)

    return Linked(condition)
