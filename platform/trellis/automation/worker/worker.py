"""A worker: a thread with Procrastinate's loop in it, which takes jobs and does them in a few threads more."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import procrastinate
from procrastinate.worker import Worker as Loop

from trellis.automation.clocks import Chair
from trellis.automation.jobs.kind import KINDS
from trellis.automation.worker.drain import promote
from trellis.automation.worker.manager import NOW, Manager
from trellis.automation.worker.runner import Runner, Taken
from trellis.automation.worker.tenants import Tenants
from trellis.storage.database import NAME, RETIRE_AFTER
from trellis.storage.notify import Listener, on_revision
from trellis.storage.queue import SCHEMA

if TYPE_CHECKING:
    from trellis.storage.catalogue import Catalogue
    from trellis.storage.database import Database

log = logging.getLogger(__name__)
logging.getLogger("procrastinate").setLevel(logging.WARNING)  # it would write every job's payload into the log
AGAIN_AFTER = 2.0  # seconds, when the database went away
MOST = 1000  # jobs put into the queue at once when their time has come


@dataclass(frozen=True)
class WorkerSettings:
    """How a worker works. Times in seconds."""

    threads: int = 4
    heartbeat: float = 5
    silent: float = 20  # after which a worker is thought dead, and others do its jobs
    poll: float = 5  # when no notice comes
    tick: float = 1  # how often it is looked whether the time of jobs has come
    clocks: bool = True  # whether it may be the one whose clocks strike
    often: int = 5  # as often a job may be lost with its worker before it is held to be at fault


class Worker:
    """Works on every tenant of the catalogue until it is closed, which waits for the jobs at hand."""

    def __init__(self, catalogue: Catalogue, settings: WorkerSettings | None = None) -> None:
        self.catalogue = catalogue
        self.settings = settings or WorkerSettings()
        self.tenants = Tenants(catalogue)
        self._stop = threading.Event()
        self._loops: set[Loop] = set()
        self._thread = threading.Thread(target=self._run, name="trellis-worker", daemon=True)
        self._listener: Listener | None = None
        self._chair = Chair(catalogue)
        self.ready = threading.Event()

    def start(self) -> Worker:
        """Begin to work beside whatever else this process does."""
        self._listener = on_revision(
            self.catalogue.database, lambda slug, revision: self.tenants.refresh(), self.tenants.refresh
        )
        self._thread.start()
        if self.settings.clocks:
            self._chair.start()
        return self

    def close(self, timeout: float | None = 30) -> None:
        """Take no more jobs, and wait for those at hand."""
        self._stop.set()
        if self.settings.clocks:
            self._chair.close()
        for loop in list(self._loops):
            loop.stop()  # type: ignore[no-untyped-call]
        self._thread.join(timeout)
        if self._listener is not None:
            self._listener.close()

    def join(self) -> None:
        """Wait until somebody closes the worker."""
        while self._thread.is_alive():
            self._thread.join(1)

    def _run(self) -> None:
        # psycopg does not work on the loop that Windows has by itself
        factory = asyncio.SelectorEventLoop if sys.platform == "win32" else None
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(self._work())

    async def _work(self) -> None:
        """One loop for each database that tenants lie in."""
        running: dict[str, asyncio.Task[None]] = {}
        while not self._stop.is_set():
            try:
                entries = await asyncio.to_thread(self.tenants.entries)
                for address in {None, *(e.database for e in entries.values())}:
                    database = self.catalogue.database_at(address)
                    if (key := address or "") not in running:
                        running[key] = asyncio.create_task(self._serve(database))
            except Exception:
                log.exception("the worker cannot read the list of tenants; trying again")
            await self._pause(5)
        await asyncio.gather(*running.values(), return_exceptions=True)

    async def _serve(self, database: Database) -> None:
        """Work on one database, and begin anew when it was away."""
        while not self._stop.is_set():
            try:
                await self._serve_once(database)
            except Exception as error:
                if self._stop.is_set():
                    return
                log.warning("the worker lost its database (%s); trying again", type(error).__name__)
            await self._pause(AGAIN_AFTER)

    async def _serve_once(self, database: Database) -> None:
        runner = Runner(self.tenants, database)
        connector = procrastinate.PsycopgConnector(
            conninfo=database.url.set(drivername="postgresql").render_as_string(hide_password=False),
            kwargs={
                "application_name": f"{NAME} worker",
                "options": f"-c search_path={SCHEMA},pg_catalog -c timezone=UTC -c statement_timeout=60s",
                "prepare_threshold": None,
            },
            min_size=1,
            max_size=self.settings.threads + 2,
            max_lifetime=RETIRE_AFTER,
        )
        app = procrastinate.App(connector=connector)
        app.job_manager = Manager(connector, self.tenants.known_closed)
        _register(app, runner)
        async with app.open_async():
            loop = app._worker(
                concurrency=self.settings.threads,
                install_signal_handlers=False,
                fetch_job_polling_interval=self.settings.poll,
                update_heartbeat_interval=self.settings.heartbeat,
                stalled_worker_timeout=self.settings.silent,
                abort_job_polling_interval=3600,
            )
            beside = [asyncio.create_task(work) for work in (self._chores(database), self._watch(loop))]
            self._loops.add(loop)
            try:
                if not self._stop.is_set():
                    await loop.run()  # type: ignore[no-untyped-call]
            finally:
                self._loops.discard(loop)
                for task in beside:
                    task.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await task

    async def _watch(self, loop: Loop) -> None:
        """Say when the loop is at work, and stop it, also when it was asked to before it had begun."""
        while True:
            if loop.worker_id is not None:
                self.ready.set()
            if self._stop.is_set():
                loop.stop()  # type: ignore[no-untyped-call]
            await asyncio.sleep(0.05 if not self.ready.is_set() or self._stop.is_set() else 0.5)

    async def _chores(self, database: Database) -> None:
        """Every second: jobs whose time has come, and jobs whose worker has died."""
        count = 0
        while True:
            try:
                await asyncio.to_thread(self.tenants.entries)  # who is closed, for the loop that must not wait
                while await asyncio.to_thread(promote, database, None, None, MOST) == MOST:
                    pass
                if count % 5 == 0:
                    await asyncio.to_thread(rescue, database, self.settings)
            except Exception as error:
                log.warning("the worker's chores failed (%s); trying again", type(error).__name__)
            count += 1
            await asyncio.sleep(self.settings.tick)

    async def _pause(self, seconds: float) -> None:
        for _ in range(int(seconds / 0.1)):
            if self._stop.is_set():
                return
            await asyncio.sleep(0.1)


def rescue(database: Database, settings: WorkerSettings) -> int:
    """Give the jobs of workers that have been silent for too long to others; how many they were."""
    with database.engine.begin() as connection:
        query = "SELECT trellis_queue.rescue(%s, %s)"
        return int(connection.exec_driver_sql(query, (settings.silent, settings.often)).scalar_one())


class _Names(dict[str, Any]):
    """Every name of a job leads to the runner, which knows what to do with one that is unknown."""

    def __init__(self, make: Callable[[str], Any]) -> None:
        super().__init__()
        self._make = make

    def get(self, name: str, default: Any = None) -> Any:
        if name not in self:
            self[name] = self._make(name)
        return self[name]


def _register(app: procrastinate.App, runner: Runner) -> None:
    def make(name: str) -> Any:
        def run(context: procrastinate.JobContext, **args: Any) -> None:
            job = context.job
            assert job.id is not None
            assert job.worker_id is not None
            runner.run(Taken(job.id, job.worker_id, job.queue, job.task_name, args, args.pop(NOW)))

        return procrastinate.tasks.Task(run, blueprint=app, name=name, queue="", pass_context=True)

    app.tasks = _Names(make)
    for name in KINDS:
        app.tasks.get(name)
