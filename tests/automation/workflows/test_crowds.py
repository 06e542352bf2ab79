"""Many changes at once: their runs begin in batches, and whoever changes one record does not wait for them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.automation.workflows.test_runs import at, made, runs, work

from trellis.automation.worker.drain import drain, registered, take
from trellis.automation.worker.worker import WorkerSettings, rescue
from trellis.automation.workflows.starting import BEHIND, FEW
from trellis.records.transfer import ImportMap, import_table, read_table
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant

__all__ = ["made"]

MANY = FEW + 5
FLOWS = """
workflow: greet
on: {record: deal, created: true}
steps:
  - {log: hello}
  - {create: job, set: {subject: "{name}", about: =record}}
  - {wait: 1 day}
  - {log: still there}
---
workflow: follow
on: {record: deal, changed: [note]}
steps: [{log: noted}]
---
workflow: mark
on: {record: job, created: true}
steps: [{set: {status: done}}]
"""


def flood(tenant: Tenant) -> None:
    rows = read_table("".join(["name\n", *(f"D{n}\n" for n in range(MANY))]))
    import_table(at(tenant), "deal", rows, ImportMap(automation=True))


def order(tenant: Tenant) -> list[tuple[str, str]]:
    """The records and workflows of first steps, in the order in which they were done."""
    query = (
        "SELECT d.name, r.workflow FROM _run_step s JOIN _run r ON r.id = s.run JOIN deal d ON d.id = r.record"
        " WHERE s.place = '0' ORDER BY s.id"
    )
    with tenant.begin() as connection:
        return [(row[0], row[1]) for row in connection.exec_driver_sql(query)]


def test_one_change_goes_ahead_of_a_crowd_and_each_record_keeps_its_order(catalogue: Catalogue, made: Any) -> None:
    tenant = made(FLOWS)
    flood(tenant)
    store = at(tenant)
    chosen = next(row for row in store.list("deal", columns=()).rows if row.title == f"D{MANY - 1}")
    store.update("deal", chosen.id, {"note": "call"})
    store.create("deal", {"name": "by hand"})
    work(catalogue, tenant)
    done = order(tenant)
    # what the record's own line has before it is pulled ahead with it
    assert done[:3] == [(chosen.title, "greet"), (chosen.title, "follow"), ("by hand", "greet")]
    assert sorted(name for name, workflow in done if workflow == "greet") == sorted(
        ["by hand", *(f"D{n}" for n in range(MANY))]
    )


def test_the_order_of_a_record_holds_when_a_worker_dies_over_its_first_run(catalogue: Catalogue, made: Any) -> None:
    tenant = made(FLOWS)
    flood(tenant)
    with pytest.raises(RuntimeError):  # only what tells of the import
        drain(catalogue, tenant, most=1)
    with registered(tenant.database) as worker:
        taken = take(tenant.database, worker, [], tenant.role)
    assert taken is not None
    id = taken.args["payload"]["run"]
    (run,) = [run for run in runs(tenant) if str(run.id) == id]
    chosen = at(tenant).update("deal", run.record, {"note": "call"})
    work(catalogue, tenant)
    assert (chosen.title, "greet") not in order(tenant)
    rescue(tenant.database, WorkerSettings())
    work(catalogue, tenant)
    assert [workflow for name, workflow in order(tenant) if name == chosen.title] == ["greet", "follow"]


def test_what_comes_of_a_crowd_stays_behind(catalogue: Catalogue, made: Any) -> None:
    tenant = made(FLOWS)
    flood(tenant)
    work(catalogue, tenant)
    work(catalogue, tenant, timedelta(seconds=2))  # what its runs have changed is told a little later
    assert len(runs(tenant)) == 2 * MANY
    assert all(run.event["crowd"] for run in runs(tenant))  # those of the jobs, too, which their steps have made
    query = "SELECT DISTINCT priority FROM trellis_queue.later WHERE queue = %s AND kind = 'workflows.advance'"
    with tenant.database.engine.begin() as connection:
        assert list(connection.exec_driver_sql(query, (tenant.role,)).scalars()) == [BEHIND]
    work(catalogue, tenant, timedelta(days=2))
    assert {run.state for run in runs(tenant)} == {"done"}


def test_a_few_at_once_are_no_crowd(catalogue: Catalogue, made: Any) -> None:
    tenant = made(FLOWS)
    at(tenant).create_many("deal", [{"name": f"D{n}"} for n in range(FEW)])
    work(catalogue, tenant)
    assert not any("crowd" in run.event for run in runs(tenant))
