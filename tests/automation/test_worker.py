"""A worker in its thread: it hears of jobs, looks after the clock, and goes on when the database was away."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from trellis.automation import jobs, state
from trellis.automation.worker import Worker, WorkerSettings
from trellis.automation.worker import worker as module
from trellis.automation.worker.drain import registered, take
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant

NEVER = 3600.0


class Done(list[int]):
    """What was done, and a way to wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()

    def note(self, n: int) -> None:
        with self._changed:
            self.append(n)
            self._changed.notify_all()

    def wait_for(self, count: int) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: len(self) >= count, 30)


@pytest.fixture
def done() -> Iterator[Done]:
    before, made = dict(jobs.KINDS), Done()

    @jobs.kind("test.done")
    def do(work: jobs.Work) -> None:
        made.note(work.payload["n"])

    yield made
    jobs.KINDS.clear()
    jobs.KINDS.update(before)


def ask(tenant: Tenant, n: int, at: datetime | None = None) -> None:
    with tenant.begin() as connection:
        jobs.defer(connection, "test.done", {"n": n}, at=at)


@pytest.fixture
def worker(catalogue: Catalogue, tenant: Tenant, done: Done) -> Iterator[Worker]:
    """It looks for jobs only when it is told of them."""
    settings = WorkerSettings(threads=2, poll=NEVER, tick=0.1, heartbeat=0.5, clocks=False)
    started = Worker(catalogue, settings).start()
    assert started.ready.wait(30)
    yield started
    started.close()


def test_it_is_told_of_jobs(worker: Worker, tenant: Tenant, done: Done) -> None:
    ask(tenant, 1)
    assert done.wait_for(1)
    ask(tenant, 2)
    assert done.wait_for(2)


def test_it_does_what_is_due_later(worker: Worker, tenant: Tenant, done: Done) -> None:
    ask(tenant, 1, datetime.now(UTC) + timedelta(seconds=0.5))
    assert done.wait_for(1)


def test_it_goes_on_when_its_connections_were_cut(
    catalogue: Catalogue, tenant: Tenant, done: Done, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it is told while it is not listening it finds by looking."""
    monkeypatch.setattr(module, "AGAIN_AFTER", 0.2)
    worker = Worker(catalogue, WorkerSettings(threads=2, poll=0.5, tick=0.1, heartbeat=0.5, clocks=False)).start()
    try:
        assert worker.ready.wait(30)
        _cut_and_ask(tenant, done)
    finally:
        worker.close()


def _cut_and_ask(tenant: Tenant, done: Done) -> None:
    ask(tenant, 1)
    assert done.wait_for(1)
    with tenant.database.connect_driver() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'trellis worker' AND pid <> pg_backend_pid()"
        )
    for n in range(2, 8):  # whichever of its connections has not noticed yet
        ask(tenant, n)
    assert done.wait_for(7)
    assert sorted(done) == list(range(1, 8))


def test_it_stops_when_it_is_closed(catalogue: Catalogue, tenant: Tenant, done: Done) -> None:
    worker = Worker(catalogue, WorkerSettings(clocks=False)).start()
    assert worker.ready.wait(30)
    before = state.workers(tenant.database)
    worker.close()
    assert state.workers(tenant.database) == before - 1
    ask(tenant, 1)
    assert state.depths(tenant.database)[tenant.role].waiting == 1


def test_a_job_that_kills_its_workers_is_a_dead_letter(catalogue: Catalogue, tenant: Tenant, done: Done) -> None:
    ask(tenant, 1)
    for _ in range(3):
        with registered(tenant.database) as worker:
            assert take(tenant.database, worker, [], tenant.role) is not None
        module.rescue(tenant.database, WorkerSettings(often=3))
    [letter] = state.dead_letters(tenant)
    assert letter.error == "its worker died 3 times"


def test_who_was_thought_dead_undoes_what_it_did(catalogue: Catalogue, tenant: Tenant, done: Done) -> None:
    ask(tenant, 1)
    with registered(tenant.database) as late:
        taken = take(tenant.database, late, [], tenant.role)
        assert taken is not None
    module.rescue(tenant.database, WorkerSettings())  # `late` is no more: somebody else gets it
    with registered(tenant.database) as other:
        again = take(tenant.database, other, [], tenant.role)
        assert again is not None
        assert again.id == taken.id
        work = jobs.Work("test.done", {}, uuid4(), 0, taken.id, taken.worker, catalogue, tenant)
        with pytest.raises(jobs.Lost), work.finishing() as connection:
            connection.exec_driver_sql("INSERT INTO _sequence VALUES ('x', 'x', 'x', 1)")
    with tenant.begin() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM _sequence").scalar_one() == 0
