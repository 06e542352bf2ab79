"""The queue's tables and functions come to an installation that has an earlier version of them; what waits stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import FAST

from trellis.storage import queue
from trellis.storage.database import Database


@pytest.fixture
def fresh(database: Database) -> Iterator[Database]:
    """A database of its own in the run's server."""
    with database.connect_driver() as connection:
        connection.execute("DROP DATABASE IF EXISTS queue_upgrade")
        connection.execute("CREATE DATABASE queue_upgrade")
    url = database.url.set(database="queue_upgrade", drivername="postgresql").render_as_string(hide_password=False)
    opened = Database.open(url, Path(), settings=FAST)
    yield opened
    opened.close()
    with database.connect_driver() as connection:
        connection.execute("DROP DATABASE queue_upgrade WITH (FORCE)")


def waiting(database: Database) -> int:
    with database.engine.begin() as connection:
        query = "SELECT count(*) FROM trellis_queue.procrastinate_jobs"
        return int(connection.exec_driver_sql(query).scalar_one())


def test_an_earlier_version_is_upgraded_and_keeps_its_jobs(fresh: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    queue.install_queue(fresh.engine)
    with fresh.engine.begin() as connection:
        queue.enqueue(connection, [queue.row("test", {})])
        connection.exec_driver_sql("DROP FUNCTION trellis_jobs.depth")
    queue.install_queue(fresh.engine)  # it says that it is of this version: nothing is looked at
    with fresh.engine.begin() as connection:
        connection.exec_driver_sql("COMMENT ON SCHEMA trellis_queue IS 'Procrastinate 99.0.0, Trellis 0'")
    queue.install_queue(fresh.engine)
    assert waiting(fresh) == 1
    with fresh.engine.begin() as connection:
        assert connection.exec_driver_sql("SELECT waiting FROM trellis_jobs.depth()").scalar_one() == 1


def test_only_the_scripts_since_the_installed_version() -> None:
    every = queue._migrations("Procrastinate 0.0.0, Trellis 1")
    some = queue._migrations("Procrastinate 3.3.0, Trellis 1")
    assert 0 < len(some) < len(every)
    assert every[-len(some) :] == some
    assert queue._migrations("Procrastinate 99.0.0, Trellis 1") == []


def test_the_schema_is_closed_to_others(fresh: Database) -> None:
    queue.install_queue(fresh.engine)
    with fresh.engine.begin() as connection:
        rights = "SELECT has_schema_privilege('public', %s, 'USAGE')"
        assert not connection.exec_driver_sql(rights, ("trellis_queue",)).scalar_one()
        assert connection.exec_driver_sql(rights, ("trellis_jobs",)).scalar_one()
