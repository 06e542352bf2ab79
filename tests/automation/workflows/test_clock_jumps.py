"""The machine's clock jumps a day forward and back again: what is due is done once, and what is not waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.automation.workflows.test_runs import at, made, runs, titles, work

from trellis.automation.clocks import Clock, latest
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
DAY = timedelta(days=1)


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


def test_a_platform_clock_does_not_strike_again_for_what_it_has_struck_for() -> None:
    clock = Clock("test", "0 3 * * *", lambda strike: None)
    noon = datetime(2026, 5, 4, 12, tzinfo=UTC)
    struck = latest(clock, noon, noon + 3 * DAY)
    assert struck == datetime(2026, 5, 7, 3, tzinfo=UTC)
    for now in (noon - DAY, noon, noon + 2 * DAY, struck):
        assert latest(clock, struck, now) is None
    assert latest(clock, struck, struck + DAY) == struck + DAY
