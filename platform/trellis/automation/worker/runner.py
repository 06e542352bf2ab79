"""One try of one job: whatever comes of it, the queue knows afterwards."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson

from trellis.automation.jobs.kind import KINDS, Kind
from trellis.automation.jobs.retry import Backoff, GiveUp, Later
from trellis.automation.jobs.work import Lost, Work
from trellis.formula.clock import alarm_in, told
from trellis.storage.tenant import RevisionChanged

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from trellis.automation.worker.tenants import Tenants
    from trellis.storage.database import Database

log = logging.getLogger(__name__)
PLATFORM = "trellis"  # the queue of what no tenant asked for
UNKNOWN = Backoff(tries=10, first=30)  # a kind of a later version: a worker that knows it may come
CLOSED = timedelta(minutes=1)
LONGEST_ERROR = 2000


@dataclass(frozen=True)
class Taken:
    """A job as a worker took it from the queue."""

    id: int
    worker: int
    queue: str
    kind: str
    args: Mapping[str, Any]
    now: datetime  # by the database's clock, when it was taken: it is due, whatever this machine's clock shows


class Runner:
    """Does jobs of one database. Safe to share between threads."""

    def __init__(self, tenants: Tenants, database: Database) -> None:
        self.tenants = tenants
        self.database = database

    def run(self, taken: Taken) -> None:
        """Try a job, and mark it as done, put it off or bury it. Raises only when the database is away."""
        with told(taken.now):
            self._run(taken)

    def _run(self, taken: Taken) -> None:
        tries = int(taken.args.get("tries", 0))
        kind = KINDS.get(taken.kind)
        if kind is None:
            self._failed(taken, None, None, tries, f"this worker knows no kind of job {taken.kind}")
            return
        work = None
        try:
            tenant = None
            if taken.queue != PLATFORM and (tenant := self.tenants.get(taken.queue)) is None:
                self._put_off(taken, CLOSED, tries)  # suspended a moment ago; jobs of one that is dropped are gone
                return
            work = Work(
                kind=taken.kind,
                payload=taken.args.get("payload", {}),
                uid=UUID(taken.args["uid"]),
                tries=tries,
                job=taken.id,
                worker=taken.worker,
                catalogue=self.tenants.catalogue,
                of=tenant,
            )
            kind.do(work)
            if not work.is_done:
                self._call("SELECT trellis_queue.done(%s, %s)", (taken.id, taken.worker))
        except Lost:
            log.warning("job %s %s was done by another worker", taken.kind, taken.id)
        except RevisionChanged:
            self.tenants.forget(taken.queue)
            self._put_off(taken, timedelta(), tries)
        except Later as later:
            if later.counts:
                self._failed(taken, kind, work, tries, str(later), after=later.after)
            else:
                self._put_off(taken, later.after, tries)
        except GiveUp as reason:
            self._bury(taken, kind, work, tries + 1, str(reason) or "given up")
        except Exception as error:
            # the text of an error may hold values of records: it goes to the dead letter, not to the log
            log.warning("job %s %s failed: %s", taken.kind, taken.id, type(error).__name__)
            self._failed(taken, kind, work, tries, f"{type(error).__name__}: {error}")

    def _failed(
        self,
        taken: Taken,
        kind: Kind | None,
        work: Work | None,
        tries: int,
        error: str,
        *,
        after: timedelta | None = None,
    ) -> None:
        wait = (kind.retry if kind is not None else UNKNOWN).wait(tries + 1)
        if wait is None:
            self._bury(taken, kind, work, tries + 1, error)
        else:
            self._put_off(taken, after or wait, tries + 1, error, in_line=kind is not None and kind.ordered)

    def _put_off(
        self, taken: Taken, after: timedelta, tries: int, error: str | None = None, *, in_line: bool = False
    ) -> None:
        args = {**taken.args, "tries": tries}
        if error:
            args["error"] = error[:LONGEST_ERROR]
        at = alarm_in(after)
        query = "SELECT trellis_queue.postpone(%s, %s, %s, %s::jsonb, %s)"
        self._call(query, (taken.id, taken.worker, at, orjson.dumps(args).decode(), in_line))

    def _bury(self, taken: Taken, kind: Kind | None, work: Work | None, tries: int, error: str) -> None:
        log.error("job %s %s is given up after %s tries", taken.kind, taken.id, tries)
        if kind is not None and kind.on_death is not None and work is not None:
            try:
                kind.on_death(work, error)
            except Exception:
                log.exception("what follows the death of a job %s failed", taken.kind)
        args = orjson.dumps({**taken.args, "tries": tries}).decode()
        query = "SELECT trellis_queue.bury(%s, %s, %s::jsonb, %s)"
        self._call(query, (taken.id, taken.worker, args, error[:LONGEST_ERROR]))

    def _call(self, query: str, parameters: tuple[Any, ...]) -> None:
        with self.database.engine.begin() as connection:
            connection.exec_driver_sql("SET LOCAL search_path TO trellis_queue, pg_catalog")
            connection.exec_driver_sql(query, parameters)
