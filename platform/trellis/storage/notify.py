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

OnRevision = Callable[[str, int], object]


class Listener:
    """A thread that calls back with (slug, revision) for every tenant that changes; revision 0: it was dropped.

    It calls `after_gap` whenever it begins to listen, also after a broken connection: anything may have changed before.
    """

    def __init__(self, database: Database, callback: OnRevision, after_gap: Callable[[], object] | None = None) -> None:
        self._database = database
        self._callback = callback
        self._after_gap = after_gap
        self._stop = threading.Event()
        self.ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="trellis-revisions", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._stop.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with self._database.connect_driver() as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    self.ready.set()
                    if self._after_gap is not None:
                        self._tell(self._after_gap)
                    self._listen(connection)
            except psycopg.Error:
                if not self._stop.is_set():
                    log.warning("not listening for revisions: the database is away; trying again")
                    self._stop.wait(1)

    def _listen(self, connection: psycopg.Connection) -> None:
        while not self._stop.is_set():
            for notice in connection.notifies(timeout=0.5):
                slug, _, revision = notice.payload.partition(" ")
                self._tell(self._callback, slug, int(revision or 0))

    def _tell(self, call: Callable[..., object], *about: str | int) -> None:
        try:
            call(*about)
        except Exception:
            log.exception("a listener for revisions failed: %s", about)


def on_revision(database: Database, callback: OnRevision, after_gap: Callable[[], object] | None = None) -> Listener:
    """Call back for every published revision, and after every time that we could not listen; `close` ends it."""
    return Listener(database, callback, after_gap)
