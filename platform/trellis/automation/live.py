"""Telling open pages that something is new: the database calls out, one listener a process hears it for all of them.

    with hub_of(database).listening(slug, user) as wakes:
        wakes.wait(15)

A browser that listens holds no connection to the database. What is new is not said, only for whom: the page asks for it
by itself, with the rights of whoever looks.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import UUID
from weakref import WeakKeyDictionary

import psycopg
import sqlalchemy as sa

if TYPE_CHECKING:
    from trellis.storage.database import Database
    from trellis.storage.tenant import Tenant

CHANNEL = "trellis_notices"
log = logging.getLogger(__name__)


def call(connection: sa.Connection, tenant: Tenant, people: Sequence[UUID]) -> None:
    """Call the open pages of people, when the transaction is committed."""
    for user in dict.fromkeys(people):
        connection.exec_driver_sql("SELECT pg_notify(%s, %s)", (CHANNEL, f"{tenant.slug} {user}"))


class Hub:
    """The one listener of a process on one database."""

    def __init__(self, database: Database) -> None:
        self._address = database.connect_driver
        self._waiting: dict[tuple[str, str], set[threading.Event]] = defaultdict(set)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self.ready = threading.Event()  # listening

    @property
    def count(self) -> int:
        """How many pages listen."""
        with self._lock:
            return sum(map(len, self._waiting.values()))

    @contextmanager
    def listening(self, slug: str, user: UUID) -> Iterator[threading.Event]:
        """An event that is set whenever the person is called; the first that listens starts the listener."""
        key, wakes = (slug, str(user)), threading.Event()
        with self._lock:
            self._waiting[key].add(wakes)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="trellis-live", daemon=True)
                self._thread.start()
        try:
            yield wakes
        finally:
            with self._lock:
                self._waiting[key].discard(wakes)
                if not self._waiting[key]:
                    del self._waiting[key]

    def end(self) -> None:
        """Stop listening, and wake everybody."""
        self._stop.set()
        self._wake_all()

    def close(self) -> None:
        """Stop listening, and wait until it is done."""
        self.end()
        if self._thread is not None:
            self._thread.join(timeout=5)

    @property
    def is_closed(self) -> bool:
        """Whether the process is about to end."""
        return self._stop.is_set()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with self._address() as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    self.ready.set()
                    self._wake_all()  # whatever was called while nobody heard it
                    while not self._stop.is_set():
                        for notice in connection.notifies(timeout=0.5):
                            slug, _, user = notice.payload.partition(" ")
                            self._wake((slug, user))
            except psycopg.Error:
                self.ready.clear()
                if not self._stop.is_set():
                    log.warning("not listening for notices: the database is away; trying again")
                    self._stop.wait(1)

    def _wake(self, key: tuple[str, str]) -> None:
        with self._lock:
            for wakes in self._waiting.get(key, ()):
                wakes.set()

    def _wake_all(self) -> None:
        with self._lock:
            for waiting in self._waiting.values():
                for wakes in waiting:
                    wakes.set()


_hubs: WeakKeyDictionary[Database, Hub] = WeakKeyDictionary()
_making = threading.Lock()


def hub_of(database: Database) -> Hub:
    """The process's listener on a database."""
    with _making:
        if database not in _hubs or _hubs[database].is_closed:
            _hubs[database] = Hub(database)
        return _hubs[database]


def end() -> None:
    """The process is asked to end: pages that listen are let go, so that nobody waits for them."""
    for hub in list(_hubs.values()):
        hub.end()
