"""An import that sets workflows off for every row: what it costs, and whether anybody else waits for it."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import psutil  # type: ignore[import-untyped]

import trellis.automation.workflows.engine  # noqa: F401 (writes the events)
from bench.fill import fill
from bench.registry import Result, measure
from bench.setting import PERSON, ROOT, VAR, layers
from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.storage.names import sql_name

if TYPE_CHECKING:
    from bench.setting import Bench
    from trellis.storage.tenant import Tenant

FLOODED, OTHER = "bench-flooded", "bench-beside"
PEOPLE = 20
MOST = 100_000  # rows
ALONE = 20  # single changes before the flood
EVERY = 2.0  # seconds between two of them meanwhile
MINUTES = 180.0
TRELLIS = [sys.executable, "-c", "from trellis.cli import main; main()"]
FLOWS = """
workflow: tidy
on: {before: lead, created: true}
steps: [{set: {need: '="{company} wants an offer"'}}]
---
workflow: greet
on: {record: lead, created: true}
when: source == "website"
steps: [{set: {rating: 3}}, {log: "{name} is welcome"}]
---
workflow: answer
on: {record: account, created: true}
steps: [{set: {description: answered}}]
"""
HEAD = "name,company,email,phone,owner,source\n"
ROW = "Nina Neu{n},Company {n},n{n}@new.example,+4917{n:08},p{who}@bench.example,{source}\n"
QUIET = "Nina Neu{n},Company {n},n{n}@other.example,+4915{n:08},p{who}@bench.example,referral\n"
APPLIES = 10  # to one row of so many
WRONG = {
    "leads without a run, or with two": """
        SELECT count(*) FROM (SELECT l.id FROM lead l LEFT JOIN _run r ON r.record = l.id
        WHERE l.source = 'website' GROUP BY l.id HAVING count(r.id) <> 1) x""",
    "steps missing or done twice": """
        SELECT count(*) FROM (SELECT r.id FROM _run r LEFT JOIN _run_step s ON s.run = r.id
        WHERE r.workflow = 'greet' GROUP BY r.id HAVING count(s.id) <> 2) x""",
    "leads that are not as they should be": """
        SELECT count(*) FROM lead WHERE need IS NULL OR coalesce(rating, 0) <> (source = 'website')::int * 3""",
    "runs that nobody asked for": """
        SELECT count(*) FROM _run r JOIN lead l ON l.id = r.record WHERE l.source <> 'website'""",
    "runs that did not end well": "SELECT count(*) FROM _run WHERE state <> 'done'",
    "events untold": "SELECT count(*) FROM _event",
    "dead letters": "SELECT count(*) FROM trellis_queue.dead",
}


@dataclass
class Imported:
    """What one import came to."""

    rows: int
    seconds: float
    memory: float  # MB, at most

    @property
    def speed(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds


@measure("flood")
def flood(bench: Bench) -> Iterator[Result]:
    """`trellis import` of as many leads as there are contacts, at most 100,000, beside one `trellis worker`.

    Both are processes of their own. Each row passes a workflow on `before`, and is told to those that come after the
    commit; for one row in ten a run begins, which changes it once more.
    """
    rows = min(bench.rows, MOST)
    for slug in (FLOODED, OTHER):
        if slug in {entry.slug for entry in bench.catalogue.list()}:
            bench.catalogue.drop(slug)
    flooded, other = (bench.catalogue.create(slug, layers(slug, flows=FLOWS), "bench") for slug in (FLOODED, OTHER))
    for tenant in (flooded, other):
        fill(tenant, 20, PERSON, people=PEOPLE)
    try:
        with _trellis(bench, "worker") as worker:
            yield from _flood(bench, flooded, other, worker, rows)
    finally:
        for slug in (FLOODED, OTHER):
            bench.catalogue.drop(slug)


def _flood(
    bench: Bench, flooded: Tenant, other: Tenant, worker: subprocess.Popen[bytes], rows: int
) -> Iterator[Result]:
    alone = []
    for _ in range(ALONE):
        alone.append(_change(other))
        _until(lambda: not _is_busy(other))
    single = statistics.median(_waits(other, alone))
    quiet = _import(bench, flooded, max(rows // 10, 100), QUIET)
    beside: dict[Tenant, list[UUID]] = {other: [], flooded: []}

    def change() -> None:
        for tenant, made in beside.items():
            made.append(_change(tenant))

    began = time.perf_counter()
    loud = _import(bench, flooded, rows, ROW, "--automation", meanwhile=change)
    _until(lambda: not _is_busy(flooded), meanwhile=change)
    seconds = time.perf_counter() - began
    _until(lambda: not _is_busy(other))
    yield Result(
        "import that sets workflows off",
        loud.speed,
        quiet.speed,
        unit="rows/s",
        ratio=quiet.speed / loud.speed,
        note=f"{loud.rows:,} rows in {loud.seconds:,.0f} s with {loud.memory:.0f} MB; {quiet.rows:,} that set none off,"
        f" with {quiet.memory:.0f} MB",
    )
    runs, steps = (_number(flooded, f"SELECT count(*) FROM {table}") for table in ("_run", "_run_step"))
    note = f"{runs:,} runs of {steps:,} steps, {steps / seconds:.0f} steps/s; a worker of {_megabytes(worker):.0f} MB"
    yield Result("until all its runs are done", seconds, unit="s", note=f"{note}; wrong: {_wrong(flooded)}")
    for tenant, name in ((other, "another tenant's change meanwhile"), (flooded, "a change in the same tenant")):
        waits = _waits(tenant, beside[tenant])
        note = f"until its run is done; {len(waits)} of {len(beside[tenant])}, the longest {max(waits):,.0f} ms"
        yield Result(name, statistics.median(waits), single, ratio=statistics.median(waits) / single, note=note)


@contextmanager
def _trellis(bench: Bench, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command in a process of its own, which ends with the block."""
    address = bench.database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    given = {**os.environ, "DATABASE_URL": address, "TRELLIS_VAR": str(VAR)}
    with (VAR / f"flood-{words[0]}.log").open("wb") as log:
        process = subprocess.Popen([*TRELLIS, *words], cwd=ROOT, env=given, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)


def _import(
    bench: Bench, tenant: Tenant, rows: int, row: str, *words: str, meanwhile: Callable[[], object] | None = None
) -> Imported:
    """`trellis import` of so many leads."""
    file = VAR / "flood.csv"
    with file.open("w", encoding="utf-8") as out:
        out.write(HEAD)
        out.writelines(
            row.format(n=n, who=n % PEOPLE, source="referral" if n % APPLIES else "website") for n in range(rows)
        )
    began, memory = time.perf_counter(), 0.0
    with _trellis(bench, "import", tenant.slug, "lead", str(file), *words) as process:

        def is_over() -> bool:
            nonlocal memory
            memory = max(memory, _megabytes(process))
            return process.poll() is not None

        _until(is_over, meanwhile=meanwhile)
        seconds = time.perf_counter() - began
    if process.returncode:
        raise RuntimeError(f"the import ended with {process.returncode}: see {VAR / 'flood-import.log'}")
    return Imported(rows, seconds, memory)


def _until(is_over: Callable[[], bool], *, meanwhile: Callable[[], object] | None = None) -> None:
    """Wait, and do something again and again."""
    ends, again = time.monotonic() + MINUTES * 60, time.monotonic()
    while not is_over():
        if time.monotonic() > ends:
            raise RuntimeError("it takes too long")
        if meanwhile is not None and time.monotonic() >= again:
            again = time.monotonic() + EVERY
            meanwhile()
        time.sleep(0.3)


def _change(tenant: Tenant) -> UUID:
    """One change by hand, which sets one run off."""
    made = Store(tenant, Principal.system(Reader(currency="EUR"))).create("account", {"name": f"A{time.time_ns()}"})
    assert made.id is not None
    return made.id


def _waits(tenant: Tenant, records: list[UUID]) -> list[float]:
    """Milliseconds from the change to the end of its run."""
    query = (
        "SELECT extract(epoch FROM r.ended_at - a.created_at) * 1000 FROM _run r JOIN account a ON a.id = r.record"
        " WHERE r.workflow = 'answer' AND r.state = 'done' AND a.id = ANY (%s)"
    )
    with tenant.begin() as connection:
        return [float(row[0]) for row in connection.exec_driver_sql(query, (records,))]


def _is_busy(tenant: Tenant) -> bool:
    query = """
        SELECT 1 FROM trellis_queue.procrastinate_jobs WHERE queue_name = %(role)s
        UNION ALL SELECT 1 FROM trellis_queue.later WHERE queue = %(role)s AND kind = 'events.dispatch' LIMIT 1"""
    with tenant.database.engine.begin() as connection:
        return connection.exec_driver_sql(query, {"role": tenant.role}).first() is not None


def _number(tenant: Tenant, query: str) -> int:
    with tenant.database.connect_driver() as connection:
        connection.execute(f"SET search_path TO {sql_name(tenant.schema)}, pg_catalog; SET statement_timeout = 0")
        row = connection.execute(query).fetchone()
    return int(row[0]) if row is not None else 0


def _wrong(tenant: Tenant) -> str:
    """What was lost or doubled, in words."""
    found = {name: _number(tenant, query) for name, query in WRONG.items()}
    return ", ".join(f"{count} {name}" for name, count in found.items() if count) or "nothing"


def _megabytes(process: subprocess.Popen[bytes]) -> float:
    try:
        return float(psutil.Process(process.pid).memory_info().rss) / 2**20
    except psutil.Error:  # it has just ended
        return 0.0
