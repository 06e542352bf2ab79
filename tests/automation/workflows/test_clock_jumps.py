"""Clocks jump forward and back again, or differ: what is due is done once, and what is not waits."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.automation.workflows.test_runs import at, made, runs, titles, work

from trellis.automation import set_back
from trellis.automation.clocks import Clock, latest, strike
from trellis.automation.jobs import defer
from trellis.automation.worker import drain
from trellis.formula import clock
from trellis.storage.catalogue import Catalogue

__all__ = ["made"]

FLOWS = """
workflow: daily
on: {schedule: "0 8 * * *"}
steps: [{log: morning}]
---
workflow: waiting
on: {record: deal, created: true}
steps:
  - create: job
    set: {subject: "{name} first"}
  - wait: 2 days
  - create: job
    set: {subject: "{name} last"}
"""
WAITING = """
workflow: waiting
on: {record: deal, created: true}
steps:
  - {wait: {at: =created_at - hours(5)}}
  - {wait: 1 hour}
  - {log: over}
"""
DAY = timedelta(days=1)


class Behind(datetime):
    """The clock of a machine that is ten hours behind the database's."""

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return datetime.now(tz) - timedelta(hours=10)


@pytest.mark.parametrize("jumps", [(1, 0), (3, 0, 3)])
def test_nothing_is_done_twice_when_the_clock_comes_back(
    catalogue: Catalogue, made: Any, jumps: tuple[int, ...]
) -> None:
    tenant = made(FLOWS)
    at(tenant).create("deal", {"name": "D"})
    work(catalogue, tenant)
    for days in jumps:
        work(catalogue, tenant, days * DAY)
    furthest = max(jumps)
    mornings = [run for run in runs(tenant) if run.workflow == "daily"]
    assert len(mornings) == (1 if furthest > 0 else 0)  # missed mornings are made up for once
    assert titles(at(tenant), "job") == (["D first", "D last"] if furthest >= 2 else ["D first"])
    work(catalogue, tenant, 9 * DAY)
    assert titles(at(tenant), "job") == ["D first", "D last"]
    assert len([run for run in runs(tenant) if run.workflow == "daily"]) == (2 if furthest > 0 else 1)


def test_a_worker_whose_clock_is_behind_goes_by_the_databases(
    catalogue: Catalogue, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = made(WAITING)
    at(tenant).create("deal", {"name": "D"})
    monkeypatch.setattr(clock, "datetime", Behind)
    assert drain(catalogue, tenant, most=20) < 5  # it does not ask again and again for what has come
    [run] = runs(tenant)
    assert (run.state, run.steps) == ("waiting", 1)
    hour = run.wake_at - datetime.now(UTC)
    assert timedelta(minutes=50) < hour <= timedelta(hours=1)
    work(catalogue, tenant, timedelta(hours=1))
    assert [run.state for run in runs(tenant)] == ["done"]


def test_schedules_of_minutes_go_on_when_the_databases_clock_is_set_back(catalogue: Catalogue, made: Any) -> None:
    tenant = made("""
workflow: daily
on: {schedule: "0 8 * * *"}
steps: [{log: morning}]
---
workflow: often
on: {schedule: "*/5 * * * *"}
steps: [{log: again}]
""")

    def count() -> dict[str, int]:
        return dict(Counter(run.workflow for run in runs(tenant)))

    work(catalogue, tenant, DAY)
    assert count() == {"daily": 1, "often": 1}  # what was missed is made up for once
    work(catalogue, tenant, timedelta(minutes=10))
    assert count() == {"daily": 1, "often": 1}
    with tenant.begin() as connection:
        defer(connection, set_back.AGAIN)
    work(catalogue, tenant)
    work(catalogue, tenant, timedelta(minutes=10))
    assert count() == {"daily": 1, "often": 2}
    work(catalogue, tenant, DAY)
    assert count() == {"daily": 1, "often": 3}  # this morning's has been


def test_a_platform_clock_goes_on_when_the_databases_is_set_back(catalogue: Catalogue) -> None:
    struck: list[datetime] = []
    often, seldom = (
        Clock(f"test.{cron}", cron, lambda one: struck.append(one.at)) for cron in ("0 * * * *", "0 3 * * *")
    )
    noon = datetime(2026, 5, 4, 12, tzinfo=UTC)
    hour = timedelta(hours=1)
    try:
        for one in (often, seldom):
            strike(catalogue, one, noon)
            strike(catalogue, one, noon + DAY)
        struck.clear()
        for one in (often, seldom):  # a day back
            assert [strike(catalogue, one, noon + hours * hour) for hours in (0, 1)] == [False, one is often]
            assert [strike(catalogue, one, noon + hours * hour) for hours in (15, 20)] == [one is often] * 2
        # a day's hours are struck for again; the one that comes once a day, and was done, is not
        assert len(struck) == 3
    finally:
        with catalogue.database.engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM trellis_queue.clocks WHERE name LIKE 'test.%%'")


def test_a_platform_clock_does_not_strike_again_for_what_it_has_struck_for() -> None:
    one = Clock("test", "0 3 * * *", lambda strike: None)
    noon = datetime(2026, 5, 4, 12, tzinfo=UTC)
    struck = latest(one, noon, noon + 3 * DAY)
    assert struck == datetime(2026, 5, 7, 3, tzinfo=UTC)
    for now in (noon - DAY, noon, noon + 2 * DAY, struck):
        assert latest(one, struck, now) is None
    assert latest(one, struck, struck + DAY) == struck + DAY
