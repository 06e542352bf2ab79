"""A million runs that wait: what they cost those that are at work, and those that look for them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import trellis.automation.workflows.engine  # noqa: F401 (does the runs)
from bench.registry import Result, measure
from bench.setting import layers
from trellis.automation.worker import Worker, WorkerSettings
from trellis.automation.workflows.starting import Start, start
from trellis.formula.reader import Reader
from trellis.formula.types import Ref
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.storage.names import sql_name

if TYPE_CHECKING:
    from bench.setting import Bench
    from trellis.storage.tenant import Tenant

SLUG = "bench-waiting"
RUNS, WAITING = 300, 1_000_000
FLOW = """
workflow: three-steps
on: {run: {entity: task}}
steps:
  - {log: "one"}
  - {set: {description: "two"}}
  - {wait: {until: 'description == "two"', at_most: 1 day}}
"""
FILL = """
INSERT INTO _run (id, workflow, digest, revision, trigger, entity, record, chain, state, position, waiting, wake_at)
SELECT gen_random_uuid(), 'three-steps', 'x', 1, 'record', 'task', gen_random_uuid(), '[]', 'waiting',
    '[{"block": "", "next": 2}]', '{}', now() + (n % 1000 + 60) * interval '1 hour'
FROM generate_series(1, %(many)s) n
"""
WATCH = "INSERT INTO _run_watch (run, entity, record) SELECT id, entity, record FROM _run WHERE state = 'waiting'"
LATER = """
INSERT INTO trellis_queue.later (at, queue, kind, lock, args)
SELECT wake_at, %(role)s, 'workflows.advance', 'run:' || record,
    jsonb_build_object('uid', gen_random_uuid(), 'payload', jsonb_build_object('run', id, 'at', wake_at), 'tries', 0)
FROM _run WHERE state = 'waiting'
"""


@measure("waiting")
def waiting(bench: Bench) -> Iterator[Result]:
    """Runs of three steps by one worker of four threads, alone and beside a million that wait with alarm and watch."""
    if SLUG in {entry.slug for entry in bench.catalogue.list()}:
        bench.catalogue.drop(SLUG)
    tenant = bench.catalogue.create(SLUG, layers(SLUG, waiting=FLOW), "bench")
    try:
        _steps(bench, tenant)
        alone, busy = _steps(bench, tenant)
        with bench.database.connect_driver() as connection:
            connection.execute(f"SET search_path TO {sql_name(tenant.schema)}, pg_catalog")
            connection.execute("SET statement_timeout = 0; SET synchronous_commit = off")
            for query in (FILL, WATCH, LATER):
                connection.execute(query.replace("% 1000", "%% 1000"), {"many": WAITING, "role": tenant.role})
            connection.execute("ANALYZE _run; ANALYZE _run_watch; ANALYZE trellis_queue.later")
        beside, _busy = _steps(bench, tenant)
        note = (
            f"{3000 / alone:,.0f} steps/s in one process, {3000 / busy:,.0f} in a second of its own; 100 are asked for"
        )
        yield Result("run of three steps, one worker", alone, note=note)
        note = f"{3000 / beside:,.0f} steps/s"
        yield Result("the same beside 1,000,000 that wait", beside, alone, ratio=beside / alone, goal=1.25, note=note)
    finally:
        bench.catalogue.drop(SLUG)


def _steps(bench: Bench, tenant: Tenant) -> tuple[float, float]:
    """Milliseconds for each run, from the job to its last step; and of the processor's time, were it alone."""
    store = Store(tenant, Principal.system(Reader(currency="EUR")))
    made = store.create_many("task", [{"subject": f"T{n}"} for n in range(RUNS)])
    workflow = tenant.model.workflows["three-steps"]
    with tenant.begin() as connection:
        start(connection, tenant, [Start(workflow, "run", Ref("task", one.id)) for one in made if one.id is not None])
    worker = Worker(bench.catalogue, WorkerSettings(threads=4, poll=0.2, clocks=False)).start()
    worker.ready.wait(30)
    began, busy = time.perf_counter(), time.process_time()
    while _open(tenant):
        time.sleep(0.1)
    seconds, busy = time.perf_counter() - began, time.process_time() - busy
    worker.close()
    return seconds * 1000 / RUNS, busy * 1000 / RUNS


def _open(tenant: Tenant) -> bool:
    query = "SELECT 1 FROM _run WHERE workflow = 'three-steps' AND state = 'ready' LIMIT 1"
    with tenant.begin() as connection:
        return connection.exec_driver_sql(query).first() is not None
