"""Lines about who has read personal data, written a few at a time by a thread of their own: pages wait for nothing.

A process that is killed loses the lines of its last half second; one that ends writes them first.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog

from trellis.records.privacy.access import Reading, rows_of, write_rows

if TYPE_CHECKING:
    from trellis.storage.audit import Actor
    from trellis.storage.tenant import Tenant

EVERY = 0.5  # seconds
MOST = 10_000  # lines that wait while the database is away; the oldest go
OPEN = 3600.0  # seconds: so long a page that was noted may fetch again what it shows
log = structlog.get_logger()

_waiting: list[tuple[Tenant, dict[str, Any]]] = []
_opened: OrderedDict[tuple[str, Any, str, Any], float] = OrderedDict()  # what was noted lately, and when
_guard = threading.Lock()
_writing = threading.Lock()
_wake = threading.Event()
_thread: threading.Thread | None = None


def add(tenant: Tenant, who: Actor, readings: Sequence[Reading], *, again: bool = False) -> None:
    """Note what somebody has read; of what is not personal, nothing.

    `again`: a page that is open asks once more; that is noted only where this process knows of no such page.
    """
    rows = rows_of(tenant, who, readings, datetime.now(UTC))
    with _guard:
        fresh = [row for row in rows if _open(tenant, row) or not again]
        if not fresh:
            return
        rows = fresh
        _waiting.extend((tenant, row) for row in rows)
        if len(_waiting) > MOST:
            log.error("access log overflows", lost=len(_waiting) - MOST)
            del _waiting[: len(_waiting) - MOST]
        _start()
    _wake.set()


def _open(tenant: Tenant, row: dict[str, Any]) -> bool:
    """Remember that somebody has opened a record; whether that is new."""
    key, now = (tenant.slug, row["by"], row["entity"], row["record"]), time.monotonic()
    known = _opened.get(key)
    if known is not None and now - known < OPEN:
        return False
    _opened[key] = now
    _opened.move_to_end(key)
    while len(_opened) > MOST:
        _opened.popitem(last=False)
    return True


def _start() -> None:
    """A server that forks has the thread where it is needed: in the process that answers."""
    global _thread
    if _thread is None or not _thread.is_alive():
        _thread = threading.Thread(target=_run, name="trellis-readings", daemon=True)
        _thread.start()


def _run() -> None:
    while True:
        _wake.wait()
        _wake.clear()
        threading.Event().wait(EVERY)  # what comes meanwhile goes along
        flush()


def flush() -> None:
    """Write what waits."""
    with _writing:
        with _guard:
            rows, _waiting[:] = list(_waiting), []
        by_tenant: dict[int, tuple[Tenant, list[dict[str, Any]]]] = {}
        for tenant, row in rows:
            by_tenant.setdefault(id(tenant), (tenant, []))[1].append(row)
        for tenant, some in by_tenant.values():
            try:
                write_rows(tenant, some)
            except Exception:  # the pages are out: all that is left is to say so
                log.exception("access log not written", tenant=tenant.slug, lost=len(some))


atexit.register(flush)
