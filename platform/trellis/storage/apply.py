"""Carrying out a plan: under a lock, in one transaction, with the revision that says who, when and why."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import sqlalchemy as sa

from trellis.storage import ddl
from trellis.storage.audit.company import note_published
from trellis.storage.catalogue import Catalogue, announce, lock_tenant, revision_row, run_script
from trellis.storage.followups import follow_up, remember
from trellis.storage.hooks import after_apply
from trellis.storage.live import owner_connection
from trellis.storage.plan import Plan, find_steps
from trellis.storage.schema import revisions, tenants
from trellis.storage.step import Step
from trellis.storage.tables import tables_for
from trellis.storage.tenant import describe_schema, writers_lock

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from trellis.storage.tenant import Tenant

ATTEMPTS = 8
LOCK_TIMEOUT = "2s"  # how long others queue behind us when a table is busy; then we step back and try again
STATEMENT_TIMEOUT = "30min"
BUSY = {"55P03", "40P01"}  # lock not available, deadlock detected


class ApplyRefused(Exception):
    """A plan that is not carried out; nothing was changed. `steps` are those that are in the way."""

    def __init__(self, message: str, steps: Sequence[Step] = ()) -> None:
        super().__init__(message)
        self.steps = tuple(steps)


class WouldDestroy(ApplyRefused):
    """Data would be gone, and nobody has said that it may."""


class WouldFail(ApplyRefused):
    """Some rows do not fit what the configuration asks for."""


class PlanOutdated(ApplyRefused):
    """The tenant has changed since the plan was made."""


def apply(
    catalogue: Catalogue,
    planned: Plan,
    who: str,
    why: str = "",
    *,
    allow_destroy: bool = False,
    keep: bool = False,
    follow: bool = True,
    origin: str = "files",
) -> Tenant:
    """Carry out a plan, and return the tenant as it is then. Raises ApplyRefused.

    With `keep`, what has no place any more stays where it is. Without `follow`, the work on old records is left to
    whoever calls follow_up. `origin`: where the configuration was written, "files" or "studio".
    """
    if keep:
        planned = replace(planned, steps=_keeping(planned.steps))
    _check(planned, allow_destroy)
    origin = _origin(catalogue, planned, origin)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            applied = _apply_once(catalogue, planned, who, why, keep, origin)
            break
        except (sa.exc.DBAPIError, psycopg.Error) as error:
            cause = getattr(error, "orig", error)
            if attempt == ATTEMPTS or getattr(cause, "sqlstate", None) not in BUSY:
                raise
            time.sleep(random.uniform(0.1, 0.4) * attempt)
    _finish(applied, planned)
    if follow:
        follow_up(catalogue, applied.slug, planned.tenant, applied)
    return applied


def _origin(catalogue: Catalogue, planned: Plan, origin: str) -> str:
    """Where the tenant's own layer was written: whoever applies it unchanged (an upgrade, a repair) has not."""
    try:
        live = catalogue.revision(planned.tenant.slug, planned.tenant.revision)
    except LookupError:
        return origin
    same = live.layers and planned.layers and live.layers[-1].text() == planned.layers[-1].text()
    return live.origin if same else origin


def _check(planned: Plan, allow_destroy: bool) -> None:
    if planned.failing:
        found = "; ".join(f"{s.text} {s.failing} rows do not fit: {', '.join(s.examples)}" for s in planned.failing)
        raise WouldFail(found, planned.failing)
    if planned.destroys and not allow_destroy:
        raise WouldDestroy(" ".join(s.text for s in planned.destroys), planned.destroys)


def _apply_once(catalogue: Catalogue, planned: Plan, who: str, why: str, keep: bool, origin: str) -> Tenant:
    tenant = planned.tenant
    new = replace(
        tenant,
        model=planned.model,
        profile=planned.profile,
        tables=tables_for(planned.model),
        revision=tenant.revision + 1,
    )
    with owner_connection(tenant) as connection, connection.begin():
        run_script(
            connection,
            f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'; SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT}'",
        )
        with_lock(connection, tenant.slug)
        entry = catalogue.entry(tenant.slug)
        if entry.revision != tenant.revision:
            raise PlanOutdated(
                f"{tenant.slug} is at revision {entry.revision} by now; the plan was for {tenant.revision}"
            )
        steps = find_steps(connection, tenant.model, planned.model, planned.profile)
        if keep:
            steps = _keeping(steps)
        if _statements(steps) != _statements(planned.steps):
            raise PlanOutdated(f"the tables of {tenant.slug} have changed since the plan was made; plan again")
        # whoever writes waits from here on, and finds the new revision then: storage/tenant.py, `hold`
        connection.exec_driver_sql(f"SELECT {writers_lock(tenant.slug)}")
        run_script(connection, describe_schema(tenant.schema, tenant.slug, new.revision))
        if statements := _statements(steps):
            run_script(connection, ";\n".join(["SET CONSTRAINTS ALL IMMEDIATE", *statements]))
        run_script(connection, ";\n".join(ddl.grant_statements(tenant.schema, tenant.role, new.tables)))
        for hook in after_apply:
            hook(connection, new, tenant)
        note_published(catalogue, connection, new, tenant, who, why, len(steps))
        if entry.database is None:
            _record(connection, new, planned, who, why, origin)
    if entry.database is not None:
        with catalogue.database.engine.begin() as connection:
            _record(connection, new, planned, who, why, origin)
    return new


def with_lock(connection: Connection, slug: str) -> None:
    """Wait for another apply of the same tenant to end."""
    connection.exec_driver_sql("SET LOCAL lock_timeout = '60s'")
    lock_tenant(connection, slug)
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")


def _keeping(steps: Sequence[Step]) -> tuple[Step, ...]:
    return tuple(s for s in steps if not s.destroys)


def _statements(steps: Sequence[Step]) -> list[str]:
    return [q for s in steps for q in s.sql]


def _record(connection: Connection, new: Tenant, planned: Plan, who: str, why: str, origin: str) -> None:
    done = [s.text for s in planned.steps]
    row = revision_row(new.slug, new.revision, planned.layers, new.model, who, why, done, origin)
    connection.execute(sa.insert(revisions).values(**row))
    connection.execute(
        sa.update(tenants).where(tenants.c.slug == new.slug).values(revision=new.revision, label=new.profile.label)
    )
    if new.model.hash != planned.tenant.model.hash:
        remember(connection, new.slug, planned.tenant.revision)
    announce(connection, new.slug, new.revision)


def _finish(tenant: Tenant, planned: Plan) -> None:
    """What can be done while everybody works: indexes on big tables, checking old rows of new links."""
    later = [q for s in planned.steps for q in s.later]
    if not later:
        return
    with owner_connection(tenant, autocommit=True) as connection:
        for statement in later:
            connection.exec_driver_sql(statement)
