"""A worker of its own for tests that kill it: `python -m tests.automation.counting <database address>`."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path
from uuid import UUID

from trellis.automation import jobs
from trellis.automation.worker import Worker, WorkerSettings
from trellis.storage.catalogue import Catalogue
from trellis.storage.database import Database

ONCE, OFTEN = UUID(int=1), UUID(int=2)
COUNT = """
INSERT INTO _preference ("user", key, value) VALUES (%s, %s, '1')
ON CONFLICT ("user", key) DO UPDATE SET value = to_jsonb((_preference.value #>> '{}')::int + 1)
"""


@jobs.kind("test.once")
def once(work: jobs.Work) -> None:
    """Count in the transaction that ends the job."""
    with work.finishing() as connection:
        connection.exec_driver_sql(COUNT, (ONCE, str(work.payload["n"])))
        time.sleep(0.002)


@jobs.kind("test.often")
def often(work: jobs.Work) -> None:
    """Count in a transaction of its own: what is done to the outside is like that."""
    with work.tenant.begin() as connection:
        connection.exec_driver_sql(COUNT, (OFTEN, str(work.payload["n"])))
    time.sleep(0.002)


def main() -> None:
    """Work until killed."""
    database = Database.open(sys.argv[1], Path())
    worker = Worker(
        Catalogue(database), WorkerSettings(threads=3, heartbeat=0.2, silent=1, poll=0.2, tick=0.2, often=50)
    )
    worker.start()
    worker.ready.wait(30)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print("ready", flush=True)
    try:
        worker.join()
    finally:
        worker.close()


if __name__ == "__main__":
    main()
