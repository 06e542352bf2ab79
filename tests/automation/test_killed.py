"""Workers that are killed at any moment: no job is lost, and what ends with its job is done exactly once."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.automation import counting

from trellis.automation import jobs, state
from trellis.storage.tenant import Tenant

JOBS = 150  # of each kind
ROOT = Path(__file__).parents[2]


class Workers:
    """Processes that work until they are killed."""

    def __init__(self, tenant: Tenant, module: str = "tests.automation.counting") -> None:
        self.module = module
        self.address = tenant.database.url.render_as_string(hide_password=False)
        self.running: list[subprocess.Popen[str]] = []

    def start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", self.module, self.address]
        env = {"PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}", "PATH": ""}
        started = subprocess.Popen(
            command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert started.stdout is not None
        assert started.stdout.readline().strip() == "ready"
        self.running.append(started)
        return started

    def stop(self, one: subprocess.Popen[str], how: signal.Signals = signal.SIGKILL) -> int:
        one.send_signal(how)
        code = one.wait(30)
        if one.stdout is not None:
            one.stdout.close()
        self.running.remove(one)
        return code


@pytest.fixture
def workers(tenant: Tenant) -> Iterator[Workers]:
    made = Workers(tenant)
    yield made
    for one in list(made.running):
        made.stop(one)


def counts(tenant: Tenant, whose: object) -> dict[str, int]:
    with tenant.begin() as connection:
        rows = connection.exec_driver_sql('SELECT key, value FROM _preference WHERE "user" = %s', (whose,))
        return {key: int(value) for key, value in rows}


def left(tenant: Tenant) -> int:
    depth = state.depths(tenant.database).get(tenant.role, state.Depth())
    return depth.waiting + depth.running + depth.later


def test_killed_workers_lose_nothing_and_double_nothing(tenant: Tenant, workers: Workers) -> None:
    with tenant.begin() as connection:
        for kind in (counting.once, counting.often):
            jobs.defer_many(connection, [jobs.Job(kind, {"n": n}) for n in range(JOBS)])
    chance, kills = random.Random(7), 0
    deadline = time.monotonic() + 90
    worker = workers.start()
    while left(tenant) and time.monotonic() < deadline:
        time.sleep(chance.uniform(0.02, 0.3))
        if kills < 4:
            workers.stop(worker)
            kills += 1
            worker = workers.start()
    assert kills == 4
    assert left(tenant) == 0
    assert counts(tenant, counting.ONCE) == {str(n): 1 for n in range(JOBS)}
    often = counts(tenant, counting.OFTEN)
    assert set(often) == {str(n) for n in range(JOBS)}
    # one for each thread of each killed worker, at the most
    assert sum(often.values()) - JOBS <= kills * 3
    assert state.dead_letters(tenant) == []


def test_a_worker_that_is_asked_to_stop_finishes_what_it_has_begun(tenant: Tenant, workers: Workers) -> None:
    with tenant.begin() as connection:
        jobs.defer_many(connection, [jobs.Job(counting.often, {"n": n}) for n in range(JOBS)])
    worker = workers.start()
    while not counts(tenant, counting.OFTEN):
        time.sleep(0.01)
    workers.stop(worker, signal.SIGTERM)
    depth = state.depths(tenant.database).get(tenant.role, state.Depth())
    done = counts(tenant, counting.OFTEN)
    assert depth.running == 0
    assert depth.waiting == JOBS - len(done)
    assert set(done.values()) == {1}
