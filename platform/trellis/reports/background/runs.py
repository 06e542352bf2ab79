"""The runs of a person: asking for one, seeing how it goes, ending it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from trellis.automation.clock import now
from trellis.automation.jobs import defer, kind
from trellis.records.refusal import Fault, Forbidden, Missing, Refused
from trellis.reports.seen import RIGHT
from trellis.storage.hooks import after_restore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection

    from trellis.automation.jobs import Work
    from trellis.records.store import Store
    from trellis.storage.tenant import Tenant

RUN, FORGET = "reports.run", "reports.forget"
KEPT = timedelta(days=1)
MOST = 5  # of one person's that wait or run at a time
OPEN = ("waiting", "running")
Parts = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Run:
    """One run, without its rows."""

    id: UUID
    user: UUID
    key: UUID | None
    report: str
    label: str
    parts: tuple[tuple[str, str], ...]
    language: str
    state: str
    asked_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    until: datetime
    fault: Mapping[str, Any] | None
    rights: str | None

    @property
    def is_open(self) -> bool:
        """Whether it still waits or runs."""
        return self.state in OPEN

    @property
    def why(self) -> Fault | None:
        """Why it failed."""
        if self.fault is None:
            return None
        return Fault(self.fault["code"], self.fault["message"], None, self.fault.get("params") or {})


def start(store: Store, report: str, label: str, parts: Parts, *, key: UUID | None = None) -> Run:
    """Ask for a run; who waits for one that is the same gets that. Raises Forbidden, Refused."""
    user, tenant = store.principal.id, store.tenant
    if user is None or not store.session.permit.allows(RIGHT):
        raise Forbidden("report", RIGHT)
    table, given = tenant.tables.platform.report_run, [list(part) for part in parts]
    with store.transaction() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"report-run {user}", 0))))
        waiting = _runs(connection, tenant, table.c.user == user, table.c.state.in_(OPEN))
        for one in waiting:
            if (one.report, list(map(list, one.parts)), one.key) == (report, given, key):
                return one
        if len(waiting) >= MOST:
            message = "{most} of your reports wait already: cancel one, or wait until one is ready."
            raise Refused([Fault("many", message, None, {"most": MOST})])
        moment, id = now(), uuid7()
        values = {"id": id, "user": user, "key": key, "report": report, "label": label, "parts": given}
        values |= {"language": store.principal.reader.language, "state": "waiting"}
        connection.execute(sa.insert(table).values(**values, asked_at=moment, until=moment + KEPT))
        defer(connection, RUN, {"run": str(id)}, lock=f"report-run:{user}")
        defer(connection, FORGET, {}, at=moment + KEPT)
        return _runs(connection, tenant, table.c.id == id)[0]


def runs_of(store: Store, *, key: UUID | None = None) -> list[Run]:
    """A person's runs that are not forgotten, the newest first; of a program, those that its key has asked for."""
    table, user = store.tenant.tables.platform.report_run, store.principal.id
    with store.transaction() as connection:
        return _runs(connection, store.tenant, table.c.user == user, table.c.key.is_not_distinct_from(key))


def run_of(store: Store, id: UUID | str, *, key: UUID | None = None) -> Run:
    """One of the person's own. Raises Missing."""
    try:
        wanted = id if isinstance(id, UUID) else UUID(id)
    except ValueError:
        raise Missing(f"run {id}") from None
    found = next((one for one in runs_of(store, key=key) if one.id == wanted), None)
    if found is None:
        raise Missing(f"run {id}")
    return found


def cancel(store: Store, run: Run) -> None:
    """End one that waits or runs; what it has computed so far is not kept."""
    tenant, table = store.tenant, store.tenant.tables.platform.report_run
    with store.transaction() as connection:
        mine = table.c.id == run.id, table.c.user == store.principal.id, table.c.state.in_(OPEN)
        connection.execute(sa.update(table).where(*mine).values(state="cancelled", ended_at=now()))
    with tenant.database.engine.begin() as connection:  # a tenant's role may end nobody's statement
        ending = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = %s"
        connection.exec_driver_sql(ending, (name_of(run.id),))


def forget(store: Store, run: Run) -> None:
    """Delete one that has ended."""
    table = store.tenant.tables.platform.report_run
    with store.transaction() as connection:
        mine = table.c.id == run.id, table.c.user == store.principal.id, table.c.state.not_in(OPEN)
        connection.execute(sa.delete(table).where(*mine))


def read_run(connection: Connection, tenant: Tenant, id: UUID) -> Run | None:
    """A run, whoever's it is."""
    return next(iter(_runs(connection, tenant, tenant.tables.platform.report_run.c.id == id)), None)


def name_of(id: UUID) -> str:
    """What a run's connection is called in pg_stat_activity, so that its statement can be ended."""
    return f"trellis report {id}"


def _runs(connection: Connection, tenant: Tenant, *about: sa.ColumnElement[bool]) -> list[Run]:
    table = tenant.tables.platform.report_run
    columns = [c for c in table.c if c.name != "rows"]
    query = sa.select(*columns).where(*about, table.c.until > now()).order_by(table.c.asked_at.desc(), table.c.id)
    return list(_read(connection, query))


def _read(connection: Connection, query: sa.Select[Any]) -> Iterator[Run]:
    for row in connection.execute(query).mappings():
        values = dict(row)
        values["parts"] = tuple((str(name), str(value)) for name, value in values["parts"])
        yield Run(**values)


@kind(FORGET)
def forget_old(work: Work) -> None:
    """Delete the runs whose day is over."""
    table = work.tenant.tables.platform.report_run
    with work.finishing() as connection:
        connection.execute(sa.delete(table).where(table.c.until <= now()))


def _start_empty(connection: Connection, tenant: Tenant) -> None:
    """What was computed for people of another time is nothing for a company that comes back from a backup."""
    connection.execute(sa.delete(tenant.tables.platform.report_run))
    connection.execute(sa.delete(tenant.tables.platform.report_change))


after_restore.append(_start_empty)
