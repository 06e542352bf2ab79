"""What wakes a run: no change is missed, no timer too many is kept, and nothing waits for good."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.automation.workflows.test_runs import at, runs, work
from tests.conftest import layers_of

import trellis.automation.restoring
import trellis.automation.workflows.engine
from trellis.automation import state
from trellis.automation.worker import drain
from trellis.automation.workflows import steering
from trellis.automation.workflows.advancing import Machine
from trellis.automation.workflows.steps import DOES
from trellis.model.automation import steps
from trellis.records.record import Record
from trellis.storage.backup import back_up, restore
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant

YAML = """
entity: deal
title: name
fields: {name: {type: text}, note: {type: text}, state: {type: text}}
---
workflow: either
on: {record: deal, created: true}
when: name == "Either"
steps: [{wait: {until: 'state == "go"', at_most: 5 days}}, {set: {note: done}}]
---
workflow: hourly
on: {record: deal, created: true}
when: name == "Hourly"
steps: [{wait: {until: 'state == "go" and today() > date(2000, 1, 1)'}}, {set: {note: done}}]
---
workflow: broken
on: {record: deal, created: true}
when: name == "Broken"
steps: [{log: x}]
"""


@pytest.fixture(scope="module")
def tenant(catalogue: Catalogue) -> Iterator[Tenant]:
    yield catalogue.create("waking", layers_of(YAML, "waking"), "test")
    catalogue.drop("waking")


def begun(catalogue: Catalogue, tenant: Tenant, name: str) -> Record:
    deal = at(tenant).create("deal", {"name": name})
    work(catalogue, tenant)
    return deal


def run_of(tenant: Tenant, deal: Record) -> Any:
    [run] = [run for run in runs(tenant) if run.record == deal.id]
    return run


def test_what_changes_while_a_run_begins_to_wait_is_not_missed(
    catalogue: Catalogue, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch, changed = Machine._watch, []

    def late(machine: Machine, watched: Any) -> None:
        if not changed and watched:  # the formula was judged; nobody sees yet that the record is watched
            changed.append(machine.run.record)
            at(tenant).update("deal", machine.run.record, {"state": "go"})
            drain(catalogue, tenant)
        watch(machine, watched)

    monkeypatch.setattr(Machine, "_watch", late)
    deal = begun(catalogue, tenant, "Either")
    assert changed == [deal.id]
    assert run_of(tenant, deal).state == "done"


@pytest.mark.parametrize(("name", "ahead"), [("Either", timedelta()), ("Hourly", timedelta(minutes=61))])
def test_looking_again_leaves_no_timers_behind(
    catalogue: Catalogue, tenant: Tenant, name: str, ahead: timedelta
) -> None:
    before = state.depth(tenant).later
    deal = begun(catalogue, tenant, name)
    for n in range(4):
        at(tenant).update("deal", deal.id, {"note": f"{n}"})
        work(catalogue, tenant)
    work(catalogue, tenant, ahead)
    assert state.depth(tenant).later - before == 1
    at(tenant).update("deal", deal.id, {"state": "go"})
    work(catalogue, tenant)
    assert run_of(tenant, deal).state == "done"


def test_a_timer_that_struck_while_a_run_was_paused_strikes_when_it_goes_on(
    catalogue: Catalogue, tenant: Tenant
) -> None:
    deal = begun(catalogue, tenant, "Either")
    run = run_of(tenant, deal).id
    with tenant.begin() as connection:
        steering.pause(connection, tenant, run)
    work(catalogue, tenant, timedelta(days=6))
    assert run_of(tenant, deal).state == "paused"
    with tenant.begin() as connection:
        steering.resume(connection, tenant, run)
    work(catalogue, tenant)
    assert run_of(tenant, deal).state == "waiting"
    work(catalogue, tenant, timedelta(days=6))
    assert run_of(tenant, deal).state == "done"


def test_a_run_that_cannot_be_taken_further_has_failed(
    catalogue: Catalogue, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fall(*_: Any) -> Any:
        raise RuntimeError("nobody thought of this")

    monkeypatch.setitem(DOES, steps.Log, fall)
    deal = begun(catalogue, tenant, "Broken")
    work(catalogue, tenant, timedelta(days=3))
    run = run_of(tenant, deal)
    assert (run.state, run.error["text"]) == ("failed", "RuntimeError: nobody thought of this")
    monkeypatch.undo()
    with tenant.begin() as connection:
        steering.again(connection, tenant, run.id)
    work(catalogue, tenant)
    assert run_of(tenant, deal).state == "done"
    state.discard(tenant)


def test_runs_go_on_in_a_tenant_that_comes_from_a_backup(catalogue: Catalogue, tenant: Tenant, tmp_path: Path) -> None:
    assert trellis.automation.restoring.go_on
    deals = [begun(catalogue, tenant, "Either") for _ in range(2)]
    back_up(catalogue, tenant.slug, tmp_path / "waking.zip", tmp_path)
    copy = restore(catalogue, tmp_path / "waking.zip", "test", tmp_path, slug="waking-copy")
    try:
        at(copy).update("deal", deals[0].id, {"state": "go"})
        work(catalogue, copy)
        assert [run_of(copy, deal).state for deal in deals] == ["done", "waiting"]
        work(catalogue, copy, timedelta(days=6))
        assert run_of(copy, deals[1]).state == "done"
    finally:
        catalogue.drop("waking-copy")
