"""The PostgreSQL that comes along: shared, stopped by the last, sound after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from tests.conftest import FAST

from trellis.storage.database import Database, DatabaseUnusable

HOLD = """
import signal, sys, time
from pathlib import Path
from trellis.storage.database import Database
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell turns off for what runs behind it
database = Database.open(None, Path(sys.argv[1]))
with database.engine.begin() as connection:
    connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS kept (a int)")
    connection.exec_driver_sql("INSERT INTO kept VALUES (1)")
print("ready", flush=True)
try:
    time.sleep(60)
except KeyboardInterrupt:
    pass
"""


@pytest.fixture
def var():
    """A folder whose server is stopped after the test, whatever happened."""
    with tempfile.TemporaryDirectory(prefix="trellis-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        yield folder
        for pid in servers(folder):
            psutil.Process(pid).kill()


def servers(var: Path) -> list[int]:
    """The server processes that run on the data in a folder."""
    folder = str((var / "postgres").resolve())
    found = []
    for process in psutil.process_iter(["name", "cmdline"]):
        if process.info["name"] == "postgres" and folder in (process.info["cmdline"] or ()):
            found.append(process.pid)
    return found


@contextmanager
def hold(var: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the database open; it is gone afterwards, whatever happened."""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "platform")}
    started = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(var)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert started.stdout is not None
    try:
        assert started.stdout.readline() == "ready\n"
        yield started
    finally:
        started.kill()
        started.wait()
        started.stdout.close()


def rows(database: Database) -> int:
    with database.engine.begin() as connection:
        return connection.exec_driver_sql("SELECT count(*) FROM kept").scalar()


def test_a_killed_process_leaves_a_sound_database_and_the_next_one_stops_it(var):
    with hold(var) as other:
        other.send_signal(signal.SIGKILL)
    database = Database.open(None, var, settings=FAST)
    assert rows(database) == 1
    database.close()
    assert servers(var) == []


def test_a_killed_server_comes_back(var):
    with hold(var) as other:
        killed = [psutil.Process(pid) for pid in servers(var)]
        for pid in (other.pid, *(process.pid for process in killed)):
            os.kill(pid, signal.SIGKILL)
    psutil.wait_procs(killed, timeout=30)  # a signal is sent before it is obeyed
    database = Database.open(None, var, settings=FAST)
    assert rows(database) == 1
    database.close()
    assert servers(var) == []


def test_processes_share_one_server_and_the_last_stops_it(var):
    with hold(var) as other:
        (server,) = servers(var)
        database = Database.open(None, var, settings=FAST)
        assert servers(var) == [server]
        database.close()
        assert servers(var) == [server]
        other.send_signal(signal.SIGINT)
        other.wait(60)  # the server writes everything down first, which takes its time on a busy disk
        assert servers(var) == []


def test_the_second_start_makes_nothing_anew(var):
    Database.open(None, var, settings=FAST).close()
    made = (var / "postgres" / "PG_VERSION").stat().st_mtime_ns
    Database.open(None, var, settings=FAST).close()
    assert (var / "postgres" / "PG_VERSION").stat().st_mtime_ns == made


def test_a_pid_file_that_names_a_stranger_is_no_obstacle(var):
    Database.open(None, var, settings=FAST).close()
    (var / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n{var}\n1\n5432\n\n\n1 1\nready\n")
    database = Database.open(None, var, settings=FAST)
    database.close()


def test_two_holds_in_one_process(var):
    first, second = Database.open(None, var, settings=FAST), Database.open(None, var)
    first.close()
    with second.engine.begin() as connection:
        assert connection.exec_driver_sql("SELECT lower('ÄΣß')").scalar() == "äσß"
    second.close()
    assert servers(var) == []


def test_another_kind_of_database_is_refused(tmp_path):
    with pytest.raises(DatabaseUnusable, match="sqlite"):
        Database.open("sqlite:///x.db", tmp_path)
