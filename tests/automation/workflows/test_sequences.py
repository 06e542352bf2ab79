"""Sequences: letters one after the other, to those who want them, when they are awake, until they have enough."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from tests.automation.mail.mailbox import Mailbox
from tests.conftest import layers_of
from tests.web.frame_tenants import YAML

from trellis.automation.clock import moved
from trellis.automation.mail import optouts
from trellis.automation.worker.drain import drain
from trellis.automation.workflows import engine, enrolling  # noqa: F401 (does the runs)
from trellis.automation.workflows.acting import system_of
from trellis.model.quiet import Quiet, read_quiet
from trellis.records.refusal import Refused
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant

NURTURE = """
---
entity: lead
title: name
fields:
  name:    {type: text, required: true}
  email:   {type: email}
  status:  {type: choice, choices: [new, converted], default: new}
  consent: {type: boolean, default: false}
  no_email: {type: boolean, default: false}
  time_zone: {type: text}
---
sequence: nurture
entity: lead
start_when: consent
stop_when: 'status == "converted"'
steps:
  - {send: email, to: =email, subject: "One for {name}", body: Hello}
  - wait: 3 days
  - {send: email, to: =email, subject: "Two for {name}", body: Hello again}
---
sequence: by-hand
entity: lead
quiet_hours: "20:00-08:00"
steps:
  - {send: email, to: =email, subject: "Quiet for {name}", body: Psst}
"""


@pytest.fixture(scope="module")
def made(catalogue: Catalogue, smtp: Mailbox) -> Iterator[Tenant]:
    yield catalogue.create("drip", layers_of(YAML + NURTURE, "drip", profile=smtp.profile), "test")
    catalogue.drop("drip")


@pytest.fixture
def tenant(made: Tenant, smtp: Mailbox) -> Iterator[Tenant]:
    smtp.letters.clear()
    smtp.recipients.clear()
    yield made
    tables = made.tables
    with made.begin() as connection:
        platform = (tables.platform.run, tables.platform.run_watch, tables.platform.mail, tables.platform.suppressed)
        for table in (tables.entity["lead"], *platform):
            connection.execute(sa.delete(table))


@pytest.fixture
def store(tenant: Tenant) -> Store:
    return Store(tenant, system_of(tenant))


def states(tenant: Tenant) -> list[str]:
    with tenant.begin() as connection:
        return list(connection.execute(sa.select(tenant.tables.platform.run.c.state).order_by("id")).scalars())


def subjects(smtp: Mailbox) -> list[str]:
    return [str(letter["Subject"]) for letter in smtp.letters]


def later(catalogue: Catalogue, tenant: Tenant, days: float) -> None:
    with moved(timedelta(days=days)):
        drain(catalogue, tenant, ahead=timedelta(days=days))


def test_letters_go_one_after_the_other_and_each_has_a_way_out(
    tenant: Tenant, store: Store, catalogue: Catalogue, smtp: Mailbox
) -> None:
    store.create("lead", {"name": "Ann", "email": "ann@x.example", "consent": True})
    store.create("lead", {"name": "Bob", "email": "bob@x.example"})
    drain(catalogue, tenant)
    assert subjects(smtp) == ["One for Ann"]
    assert "unsubscribe" in smtp.letters[0]["List-Unsubscribe"]
    later(catalogue, tenant, 2)
    assert subjects(smtp) == ["One for Ann"]
    later(catalogue, tenant, 3.1)
    assert subjects(smtp) == ["One for Ann", "Two for Ann"]
    assert states(tenant) == ["done"]


def test_a_save_lets_one_in_and_another_lets_one_out(
    tenant: Tenant, store: Store, catalogue: Catalogue, smtp: Mailbox
) -> None:
    bob = store.create("lead", {"name": "Bob", "email": "bob@x.example"})
    drain(catalogue, tenant)
    store.update("lead", bob.id, {"consent": True})
    drain(catalogue, tenant)
    assert states(tenant) == ["waiting"]
    store.update("lead", bob.id, {"status": "converted"})
    drain(catalogue, tenant)
    assert states(tenant) == ["stopped"]  # at once, not at the end of the wait
    store.update("lead", bob.id, {"status": "new"})
    later(catalogue, tenant, 5)
    assert subjects(smtp) == ["One for Bob"]  # once for a record


def test_what_a_record_says_counts_as_much_as_a_link_that_was_followed(
    tenant: Tenant, store: Store, catalogue: Catalogue, smtp: Mailbox
) -> None:
    store.create("lead", {"name": "Ann", "email": "ann@x.example", "consent": True, "no_email": True})
    drain(catalogue, tenant)
    assert (subjects(smtp), states(tenant)) == ([], ["stopped"])


def test_one_address_gets_each_letter_once(tenant: Tenant, store: Store, catalogue: Catalogue, smtp: Mailbox) -> None:
    for name in ("Ann", "Ann again"):
        store.create("lead", {"name": name, "email": "ann@x.example", "consent": True})
    drain(catalogue, tenant)
    assert subjects(smtp) == ["One for Ann"]


def test_who_has_opted_out_is_in_no_sequence_any_more(
    tenant: Tenant, store: Store, catalogue: Catalogue, smtp: Mailbox
) -> None:
    store.create("lead", {"name": "Ann", "email": "ann@x.example", "consent": True})
    drain(catalogue, tenant)
    with tenant.begin() as connection:
        optouts.suppress(connection, tenant, "email", "Ann@x.example", "opted_out")
    later(catalogue, tenant, 4)
    assert (subjects(smtp), states(tenant)) == (["One for Ann"], ["stopped"])


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York", "nowhere"])
def test_nobody_is_woken(tenant: Tenant, store: Store, catalogue: Catalogue, smtp: Mailbox, zone: str) -> None:
    lead = store.create("lead", {"name": "Ann", "email": "ann@x.example", "time_zone": zone})
    enrolling.enrol(store, lead.ref, "sequence:by-hand")
    local = ZoneInfo(zone if "/" in zone else tenant.profile.time_zone)
    midnight = datetime.now(local).replace(hour=23, minute=30, second=0) - datetime.now(UTC)
    with moved(midnight):
        drain(catalogue, tenant)
        assert (subjects(smtp), states(tenant)) == ([], ["waiting"])
    morning = midnight + timedelta(hours=9)
    with moved(morning):
        drain(catalogue, tenant, ahead=morning)
    assert (subjects(smtp), states(tenant)) == (["Quiet for Ann"], ["done"])


def test_in_and_out_by_hand(tenant: Tenant, store: Store, catalogue: Catalogue) -> None:
    ann = store.create("lead", {"name": "Ann", "email": "ann@x.example", "consent": True})
    drain(catalogue, tenant)
    with pytest.raises(Refused):
        enrolling.enrol(store, ann.ref, "sequence:nurture")
    enrolling.leave(store, ann.ref, "sequence:nurture")
    standing = next(s for s in enrolling.standings(store, ann.ref) if s.workflow.key == "sequence:nurture")
    assert (standing.state, standing.is_in, standing.steps) == ("cancelled", False, 1)
    enrolling.enrol(store, ann.ref, "sequence:nurture")
    assert next(s for s in enrolling.standings(store, ann.ref) if s.workflow.key == "sequence:nurture").is_in
    with tenant.begin() as connection:
        assert enrolling.counts(connection, tenant, "sequence:nurture")["0"] == {"done": 1}


@pytest.mark.parametrize(
    ("hours", "at", "until"),
    [
        ("20:00-08:00", "2026-03-01T23:00", "2026-03-02T08:00"),
        ("20:00-08:00", "2026-03-01T07:59", "2026-03-01T08:00"),
        ("20:00-08:00", "2026-03-01T08:00", None),
        ("12:00-13:00", "2026-03-01T12:30", "2026-03-01T13:00"),
        ("22:00-24:00", "2026-03-01T22:30", "2026-03-02T00:00"),
        ("01:00-02:30", "2026-03-29T01:30", "2026-03-29T03:30"),  # 2:30 is left out in that night
    ],
)
def test_quiet_hours(hours: str, at: str, until: str | None) -> None:
    zone, quiet = ZoneInfo("Europe/Berlin"), read_quiet(hours)
    assert isinstance(quiet, Quiet)
    found: Any = quiet.until(datetime.fromisoformat(at).replace(tzinfo=zone).astimezone(UTC), zone)
    assert (found and found.astimezone(zone).strftime("%Y-%m-%dT%H:%M")) == until


@pytest.mark.parametrize("text", ["8-20", "25:00-08:00", "08:00-08:00", "evening"])
def test_what_are_no_quiet_hours(text: str) -> None:
    assert read_quiet(text) is None
