"""Hearing of new revisions, whichever node published them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from trellis.storage.database import Database

CHANNEL = "trellis_revision"
log = logging.getLogger(__name__)

OnRevision = Callable[[str, int], None]


class Listener:
    """A thread that calls back with (slug, revision) for every tenant that changes; revision 0: it was dropped.

    After a broken connection it listens again, and calls with ("*", -1): anything may have changed meanwhile.
    """

    def __init__(self, database: Database, callback: OnRevision) -> None:
        self._database = database
        self._callback = callback
        self._stop = threading.Event()
        self.ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="trellis-revisions", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._stop.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        first = True
        while not self._stop.is_set():
            try:
                with self._database.connect_driver() as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    self.ready.set()
                    if not first:
                        self._tell("*", -1)
                    first = False
                    self._listen(connection)
            except psycopg.Error:
                if not self._stop.is_set():
                    log.warning("not listening for revisions: the database is away; trying again")
                    self._stop.wait(1)

    def _listen(self, connection: psycopg.Connection) -> None:
        while not self._stop.is_set():
            for notice in connection.notifies(timeout=0.5):
                slug, _, revision = notice.payload.partition(" ")
                self._tell(slug, int(revision or 0))

    def _tell(self, slug: str, revision: int) -> None:
        try:
            self._callback(slug, revision)
        except Exception:
            log.exception("a listener for revisions failed: %s", slug)


def on_revision(database: Database, callback: OnRevision) -> Listener:
    """Call back for every published revision; `close` the result to stop."""
    return Listener(database, callback)
