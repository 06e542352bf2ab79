"""The queue: steps a second of one worker process, also beside a million that wait; a save that somebody listens to."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

import sqlalchemy as sa

from bench.fill import contact_id
from bench.registry import Result, measure
from trellis.automation import jobs
from trellis.automation.worker import Worker, WorkerSettings

if TYPE_CHECKING:
    from bench.setting import Bench

STEPS = 1500
LATER = 1_000_000
SLOWEST = 10.0  # ms: a hundred steps a second
ROUNDS, SAVES = 12, 25


@jobs.kind("bench.step")
def step(work: jobs.Work) -> None:
    """What a step does at least: something in the tenant's tables, and its own end with it."""
    with work.finishing() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM _preference")


@measure("queue")
def queue(bench: Bench) -> Iterator[Result]:
    """From asking to done, with one worker of four threads; each step ends in a transaction of its tenant."""
    alone = _steps(bench)
    yield Result(
        "step of a job", alone, goal=None, note=f"{1000 / alone:,.0f} steps/s in one process; 100 are asked for"
    )
    with _a_million_later(bench):
        beside = _steps(bench)
    yield Result("step beside 1,000,000 that wait", beside, alone, ratio=beside / alone, goal=1.5)


def _steps(bench: Bench) -> float:
    """Milliseconds for each step."""
    with bench.tenant.begin() as connection:
        jobs.defer_many(connection, [jobs.Job(step, {"n": n}) for n in range(STEPS)])
    worker = Worker(bench.catalogue, WorkerSettings(threads=4, poll=0.2, clocks=False)).start()
    worker.ready.wait(30)
    began = time.perf_counter()
    while _waiting(bench):
        time.sleep(0.1)
    seconds = time.perf_counter() - began
    worker.close()
    return seconds * 1000 / STEPS


def _waiting(bench: Bench) -> bool:
    query = "SELECT 1 FROM trellis_queue.procrastinate_jobs WHERE status = 'todo' AND queue_name = %s LIMIT 1"
    with bench.database.engine.begin() as connection:
        return connection.exec_driver_sql(query, (bench.tenant.role,)).first() is not None


@contextmanager
def _a_million_later(bench: Bench) -> Iterator[None]:
    fill = """
    INSERT INTO trellis_queue.later (at, queue, kind, args)
    SELECT now() + (n %% 1000 + 60) * interval '1 hour', %s, 'bench.step',
        jsonb_build_object('uid', gen_random_uuid(), 'payload', '{}'::jsonb, 'tries', 0)
    FROM generate_series(1, %s) AS n
    """
    with bench.database.engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        connection.exec_driver_sql(fill, (bench.tenant.role, LATER))
    try:
        yield
    finally:
        with bench.database.engine.begin() as connection:
            connection.exec_driver_sql("TRUNCATE trellis_queue.later")


@measure("save-heard")
def save_heard(bench: Bench) -> Iterator[Result]:
    """The same save with an active webhook on the entity and without: what writing an event costs."""
    chance, hooks = random.Random(5), bench.tenant.tables.platform.webhook
    row = {"id": uuid4(), "name": "bench", "url": "https://example.com", "entity": "contact", "owner": uuid4()}
    with bench.tenant.begin() as connection:
        connection.execute(sa.insert(hooks).values(**row, events=["updated"], secret="", state="paused"))

    def saves(listening: bool) -> float:
        with bench.tenant.begin() as connection:
            connection.execute(sa.update(hooks).values(state="active" if listening else "paused"))
        began = time.perf_counter()
        for _ in range(SAVES):
            title = f"Title {chance.random():.9f}"
            bench.store().update("contact", contact_id(chance.randint(1, bench.rows)), {"job_title": title})
        return (time.perf_counter() - began) * 1000 / SAVES

    try:
        saves(True), saves(False)
        pairs = [(saves(True), saves(False)) for _ in range(ROUNDS)]
    finally:
        with bench.tenant.begin() as connection:
            connection.execute(sa.delete(hooks))
            connection.execute(sa.delete(bench.tenant.tables.platform.event))
        with bench.database.engine.begin() as connection:
            connection.exec_driver_sql("SELECT trellis_queue.forget(%s)", (bench.tenant.role,))
    heard, unheard = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    yield Result(
        "save that a webhook listens to", heard, unheard, ratio=ratio, note="against one that nobody listens to"
    )
