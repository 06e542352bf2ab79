"""Runs whose workers are killed at any moment: each step is done once, none is left out."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from tests.automation.test_killed import Workers, left
from tests.automation.workflows.test_runs import ENTITIES, at, runs
from tests.conftest import layers_of

import trellis.automation.workflows.engine  # noqa: F401 (takes part in saves and in the queue)
from trellis.automation import state
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant

RECORDS = 60
STEPS = """
workflow: steps
on: {record: deal, created: true}
steps:
  - create: job
    set: {subject: "1 {name}", about: =record}
  - wait: 1 second
  - each: =account.deals
    steps: [{log: "{item.name}"}]
  - create: job
    set: {subject: "2 {name}", about: =record}
  - set: {count: =count + 1}
"""


@pytest.fixture
def tenant(catalogue: Catalogue) -> Iterator[Tenant]:
    yield catalogue.create("runs-killed", layers_of(f"{ENTITIES}\n---\n{STEPS}", "runs-killed"), "test")
    catalogue.drop("runs-killed")


@pytest.fixture
def workers(tenant: Tenant) -> Iterator[Workers]:
    made = Workers(tenant, "tests.automation.workflows.working")
    yield made
    for one in list(made.running):
        made.stop(one)


def test_killed_workers_leave_no_step_out_and_do_none_twice(tenant: Tenant, workers: Workers) -> None:
    store = at(tenant)
    store.create_many("deal", [{"name": f"D{n}"} for n in range(RECORDS)], means="api")
    chance, kills = random.Random(11), 0
    deadline = time.monotonic() + 120
    worker = workers.start()
    while left(tenant) and time.monotonic() < deadline:
        time.sleep(chance.uniform(0.1, 0.6))
        if kills < 3:
            workers.stop(worker)
            kills += 1
            worker = workers.start()
    assert kills == 3
    assert [run.state for run in runs(tenant)] == ["done"] * RECORDS
    subjects = [row.title for row in store.list("job", columns=(), limit=200).rows]
    assert sorted(subjects) == sorted(f"{part} D{n}" for n in range(RECORDS) for part in (1, 2))
    counts: list[Any] = [row["count"] for row in store.list("deal", columns=["count"], limit=200).rows]
    assert counts == [1] * RECORDS
    table = tenant.tables.platform.run_step
    with tenant.begin() as connection:
        done = sa.select(sa.func.count()).where(table.c.outcome == "done")
        assert connection.execute(done).scalar() == RECORDS * 5
    assert state.dead_letters(tenant) == []
