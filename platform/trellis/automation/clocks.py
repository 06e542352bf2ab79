"""Clocks: what strikes at its times on one node of all, and only puts jobs into the queue."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from trellis.automation.jobs.defer import defer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy.engine import Connection

    from trellis.automation.jobs.kind import Kind
    from trellis.storage.catalogue import Catalogue, Entry

log = logging.getLogger(__name__)
logging.getLogger("apscheduler").setLevel(logging.WARNING)
CHAIR = 7_272_003  # the advisory lock of the node whose clocks strike
AGAIN_AFTER = 5.0  # seconds between two attempts to become that node


@dataclass(frozen=True)
class Clock:
    """A name, times as cron writes them (in UTC), and what to put into the queue then."""

    name: str
    cron: str
    strike: Callable[[Strike], None]

    @property
    def trigger(self) -> Any:
        """Its times, as APScheduler reads them."""
        return CronTrigger.from_crontab(self.cron, timezone=UTC)


@dataclass(frozen=True)
class Strike:
    """One stroke of a clock: the moment that it is for, and the transaction that it is noted in."""

    at: datetime
    catalogue: Catalogue
    connection: Connection

    def tenants(self) -> Iterator[Entry]:
        """Every tenant that is open."""
        return (entry for entry in self.catalogue.list() if entry.status == "active")

    def defer(self, kind: Kind | str, payload: Mapping[str, Any] | None = None, *, tenant: Entry | None = None) -> None:
        """Put a job into the queue, the platform's own or a tenant's."""
        if tenant is None or tenant.database is None:
            defer(self.connection, kind, payload, tenant=tenant)
        else:
            with self.catalogue.database_at(tenant.database).engine.begin() as connection:
                defer(connection, kind, payload, tenant=tenant)

    def defer_for_each_tenant(self, kind: Kind | str, payload: Mapping[str, Any] | None = None) -> None:
        """Put a job into the queue for every tenant that is open."""
        for entry in self.tenants():
            self.defer(kind, payload, tenant=entry)


CLOCKS: dict[str, Clock] = {}


def clock(name: str, *, cron: str) -> Callable[[Callable[[Strike], None]], Clock]:
    """Register a function as what happens at those times."""

    def register(strike: Callable[[Strike], None]) -> Clock:
        CLOCKS[name] = Clock(name, cron, strike)
        return CLOCKS[name]

    return register


def strike(catalogue: Catalogue, one: Clock, now: datetime | None = None) -> bool:
    """Strike for the latest moment that is due and was not struck for; whether there was one.

    Noted in the transaction of what it enqueues, so that nobody strikes for the same moment again.
    """
    now = now or datetime.now(UTC)
    with catalogue.database.engine.begin() as connection:
        made = (
            "INSERT INTO trellis_queue.clocks (name, struck_at) VALUES (%s, %s) ON CONFLICT (name) DO NOTHING",
            "SELECT struck_at FROM trellis_queue.clocks WHERE name = %s FOR UPDATE",
        )
        connection.exec_driver_sql(made[0], (one.name, now))
        struck_at = connection.exec_driver_sql(made[1], (one.name,)).scalar_one()
        due = latest(one, struck_at, now)
        if due is None:
            return False
        one.strike(Strike(due, catalogue, connection))
        connection.exec_driver_sql("UPDATE trellis_queue.clocks SET struck_at = %s WHERE name = %s", (due, one.name))
    return True


def latest(one: Clock, since: datetime, now: datetime) -> datetime | None:
    """The latest of the clock's moments after `since` and up to now: of many that were missed, only that one."""
    trigger = one.trigger
    due = trigger.get_next_fire_time(None, since.astimezone(UTC))
    if due is not None and due <= since:
        due = trigger.get_next_fire_time(due, since)
    found = None
    for _ in range(100_000):
        if due is None or due > now:
            return found
        found, due = due, trigger.get_next_fire_time(due, due)
    return found


class Chair:
    """A thread that tries to become the node whose clocks strike, and lets them strike while it is."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.is_held = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="trellis-clocks", daemon=True)

    def start(self) -> Chair:
        """Begin to stand for it."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Let another node take over."""
        self._stop.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with self.catalogue.database.connect_driver() as connection:
                    row = connection.execute("SELECT pg_try_advisory_lock(%s)", (CHAIR,)).fetchone()
                    if row is not None and row[0]:
                        self._preside(connection)
            except psycopg.Error:
                if not self._stop.is_set():
                    log.warning("the clocks stand still: the database is away; trying again")
            except Exception:
                log.exception("the clocks stand still; trying again")
            self._stop.wait(AGAIN_AFTER)

    def _preside(self, connection: psycopg.Connection) -> None:
        """Let the clocks strike as long as the connection, and the lock with it, is ours."""
        scheduler = BackgroundScheduler(timezone=UTC)
        for one in CLOCKS.values():
            scheduler.add_job(self._strike, one.trigger, [one], coalesce=True, misfire_grace_time=None)
        scheduler.start()
        self.is_held.set()
        try:
            for one in CLOCKS.values():  # what was missed while nobody presided
                self._strike(one)
            while not self._stop.wait(AGAIN_AFTER):
                connection.execute("SELECT 1")  # raises when the lock is lost with its connection
        finally:
            self.is_held.clear()
            scheduler.shutdown(wait=False)

    def _strike(self, one: Clock) -> None:
        try:
            strike(self.catalogue, one)
        except Exception:
            log.exception("the clock %s did not strike", one.name)
