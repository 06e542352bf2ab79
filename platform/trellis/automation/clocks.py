"""Clocks: what strikes at its times on one node of all, and only puts jobs into the queue."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
from apscheduler.triggers.cron import CronTrigger

from trellis.automation.jobs.defer import defer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy.engine import Connection

    from trellis.automation.jobs.kind import Kind
    from trellis.storage.catalogue import Catalogue, Entry

log = logging.getLogger(__name__)
CHAIR = 7_272_003  # the advisory lock of the node whose clocks strike
AGAIN_AFTER = 5.0  # seconds between two attempts to become that node, or to strike after a failure
TICK = 1.0  # seconds between two looks at the database's clock


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

    def next_after(self, moment: datetime) -> datetime:
        """Its first moment after that one."""
        moment = moment.astimezone(UTC)
        due = self.trigger.get_next_fire_time(None, moment)
        if due is not None and due <= moment:
            due = self.trigger.get_next_fire_time(due, moment)
        if due is None:
            raise ValueError(f"{self.cron} never comes again")
        return due  # type: ignore[no-any-return]


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
SET_BACK: list[Callable[[Strike], None]] = []


def clock(name: str, *, cron: str) -> Callable[[Callable[[Strike], None]], Clock]:
    """Register a function as what happens at those times."""

    def register(strike: Callable[[Strike], None]) -> Clock:
        CLOCKS[name] = Clock(name, cron, strike)
        return CLOCKS[name]

    return register


def set_back(do: Callable[[Strike], None]) -> Callable[[Strike], None]:
    """Register what is done when the database's clock turns out to have been set back."""
    SET_BACK.append(do)
    return do


def strike(catalogue: Catalogue, one: Clock, now: datetime | None = None) -> bool:
    """Strike for the latest moment that is due and was not struck for; whether there was one.

    Noted in the transaction of what it enqueues, so that nobody strikes for the same moment again. The time is the
    database's: nodes' clocks never agree. When that one has been set back by more than one stroke, it goes on from
    there; a stroke that was done ahead of time is not done again.
    """
    with catalogue.database.engine.begin() as connection:
        now = now or connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
        assert now is not None
        made = (
            "INSERT INTO trellis_queue.clocks (name, struck_at) VALUES (%s, %s) ON CONFLICT (name) DO NOTHING",
            "SELECT struck_at FROM trellis_queue.clocks WHERE name = %s FOR UPDATE",
            "UPDATE trellis_queue.clocks SET struck_at = %s WHERE name = %s",
        )
        connection.exec_driver_sql(made[0], (one.name, now))
        struck_at = connection.exec_driver_sql(made[1], (one.name,)).scalar_one()
        if struck_at > now and one.next_after(one.next_after(now)) <= struck_at:
            due = None
            connection.exec_driver_sql(made[2], (now, one.name))
            _tell_set_back(Strike(now, catalogue, connection))
        else:
            due = latest(one, struck_at, now)
        if due is None:
            return False
        one.strike(Strike(due, catalogue, connection))
        connection.exec_driver_sql(made[2], (due, one.name))
    return True


def _tell_set_back(strike: Strike) -> None:
    for do in SET_BACK:
        do(strike)


def latest(one: Clock, since: datetime, now: datetime) -> datetime | None:
    """The latest of the clock's moments after `since` and up to now: of many that were missed, only that one."""
    found, due = None, one.next_after(since)
    for _ in range(100_000):
        if due > now:
            return found
        found, due = due, one.next_after(due)
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
                        try:
                            self._preside(connection)
                        finally:
                            self.is_held.clear()
            except psycopg.Error:
                if not self._stop.is_set():
                    log.warning("the clocks stand still: the database is away; trying again")
            except Exception:
                log.exception("the clocks stand still; trying again")
            self._stop.wait(AGAIN_AFTER)

    def _preside(self, connection: psycopg.Connection) -> None:
        """Let the clocks strike as long as the connection, and the lock with it, is ours.

        The time is asked for again and again: nothing sleeps until a moment, which a clock that jumps would pass by.
        """
        due: dict[str, datetime] = {}  # what was missed while nobody presided is struck for at once
        before = None
        while True:
            row = connection.execute("SELECT clock_timestamp()").fetchone()  # raises when the lock is lost with it
            assert row is not None
            if before is not None and row[0] < before:
                log.warning("the database's clock has been set back by %s", before - row[0])
                due.clear()
                with self.catalogue.database.engine.begin() as made:
                    _tell_set_back(Strike(row[0], self.catalogue, made))
            before = row[0]
            for one in list(CLOCKS.values()):
                if one.name not in due or due[one.name] <= before:
                    is_well = self._strike(one)
                    due[one.name] = one.next_after(before) if is_well else before + timedelta(seconds=AGAIN_AFTER)
            self.is_held.set()
            if self._stop.wait(TICK):
                return

    def _strike(self, one: Clock) -> bool:
        try:
            strike(self.catalogue, one)
        except Exception:
            log.exception("the clock %s did not strike; trying again", one.name)
            return False
        return True
