"""What a step makes of a value that somebody else is changing at that moment: it waits, and reads the new one."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
import sqlalchemy as sa
from tests.automation.workflows.test_runs import at, made, runs, work

from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant

__all__ = ["made"]

WORKFLOW = """
workflow: counting
on: {{record: deal, changed: [note]}}
steps:
  - {step}
"""


@pytest.mark.parametrize("step", ["{set: {count: =count + 1}}", "{update: =record, set: {count: =record.count + 1}}"])
def test_a_step_counts_on_from_what_another_has_just_written(catalogue: Catalogue, made: Any, step: str) -> None:
    tenant: Tenant = made(WORKFLOW.format(step=step))
    store = at(tenant)
    deal = store.create("deal", {"name": "D"})
    store.update("deal", deal.id, {"note": "go"})
    working = threading.Thread(target=work, args=(catalogue, tenant))
    with store.transaction() as connection:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        store.update("deal", deal.id, {"count": 5})
        working.start()
        _until_somebody_waits_for(tenant, pid)
    working.join(30)
    assert [run.state for run in runs(tenant)] == ["done"]
    assert store.read("deal", deal.id)["count"] == 6


def _until_somebody_waits_for(tenant: Tenant, pid: Any) -> None:
    waits = sa.text("SELECT 1 FROM pg_stat_activity WHERE :pid = ANY(pg_blocking_pids(pid))")
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        with tenant.database.engine.begin() as connection:
            if connection.execute(waits, {"pid": pid}).first() is not None:
                return
        time.sleep(0.01)
    raise AssertionError("nobody waits")
