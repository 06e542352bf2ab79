"""Clocks strike once for each moment, on one node, and make up once for what they missed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from trellis.automation import clocks, jobs, state
from trellis.automation.clocks import CLOCKS, Chair, Strike, clock, strike
from trellis.automation.worker import drain
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant

NOON = datetime(2030, 5, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def struck(catalogue: Catalogue) -> Iterator[list[datetime]]:
    """When the clock of these tests struck, which does so every hour."""
    before, kinds, moments = dict(CLOCKS), dict(jobs.KINDS), []
    CLOCKS.clear()

    @clock("test.hourly", cron="0 * * * *")
    def hourly(one: Strike) -> None:
        moments.append(one.at)

    yield moments
    CLOCKS.clear()
    CLOCKS.update(before)
    jobs.KINDS.clear()
    jobs.KINDS.update(kinds)
    with catalogue.database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM trellis_queue.clocks WHERE name LIKE 'test.%%'")


def test_a_new_clock_waits_for_its_first_moment(catalogue: Catalogue, struck: list[datetime]) -> None:
    one = CLOCKS["test.hourly"]
    assert not strike(catalogue, one, NOON + timedelta(minutes=5))
    assert not strike(catalogue, one, NOON + timedelta(minutes=59))
    assert strike(catalogue, one, NOON + timedelta(minutes=60))
    assert struck == [NOON + timedelta(hours=1)]


def test_each_moment_is_struck_for_once(catalogue: Catalogue, struck: list[datetime]) -> None:
    one = CLOCKS["test.hourly"]
    strike(catalogue, one, NOON)
    for minutes in (60, 60, 61, 120, 121):
        strike(catalogue, one, NOON + timedelta(minutes=minutes))
    assert struck == [NOON + timedelta(hours=1), NOON + timedelta(hours=2)]


def test_of_many_that_were_missed_one_is_made_up_for(catalogue: Catalogue, struck: list[datetime]) -> None:
    one = CLOCKS["test.hourly"]
    strike(catalogue, one, NOON)
    strike(catalogue, one, NOON + timedelta(days=3, minutes=10))
    assert struck == [NOON + timedelta(days=3)]


def test_a_strike_that_fails_is_done_again(catalogue: Catalogue, struck: list[datetime]) -> None:
    @clock("test.broken", cron="0 * * * *")
    def broken(one: Strike) -> None:
        struck.append(one.at)
        if len(struck) == 1:
            raise ValueError("not this time")

    strike(catalogue, broken, NOON)
    with pytest.raises(ValueError, match="not this time"):
        strike(catalogue, broken, NOON + timedelta(hours=1))
    assert strike(catalogue, broken, NOON + timedelta(hours=1))
    assert len(struck) == 2


def test_a_strike_asks_for_jobs_of_every_open_tenant(
    catalogue: Catalogue, tenant: Tenant, struck: list[datetime]
) -> None:
    done: list[str] = []

    @jobs.kind("test.nightly")
    def nightly(work: jobs.Work) -> None:
        done.append(work.tenant.slug)

    @clock("test.nightly", cron="0 3 * * *")
    def night(one: Strike) -> None:
        one.defer_for_each_tenant(nightly)

    strike(catalogue, night, NOON)
    strike(catalogue, night, NOON + timedelta(days=1))
    assert state.depths(tenant.database)[tenant.role].waiting == 1
    drain(catalogue, tenant)
    assert done == [tenant.slug]


def test_one_node_presides_and_another_takes_over(
    catalogue: Catalogue, struck: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clocks, "AGAIN_AFTER", 0.05)
    first = Chair(catalogue).start()
    assert first.is_held.wait(10)
    second = Chair(catalogue).start()
    assert not second.is_held.wait(0.3)
    first.close()
    assert second.is_held.wait(10)
    second.close()
