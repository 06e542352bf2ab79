"""Clocks of records: whoever saves, in the same transaction; their times are struck once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from tests.conftest import layers_of

import trellis.automation.service_levels.engine
import trellis.automation.workflows.engine  # noqa: F401 (what breaches set off)
from trellis.automation.worker.drain import drain
from trellis.automation.workflows.starting import start
from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.record import Record
from trellis.records.refusal import Refused
from trellis.records.store import Store
from trellis.records.transfer.mapping import ImportMap, columns_of
from trellis.storage.apply import apply
from trellis.storage.catalogue import Catalogue
from trellis.storage.plan import plan
from trellis.storage.tenant import Tenant

YAML = """
entity: client
fields:
  name: {type: text}
  missed: {type: integer, rollup: 'count(tickets, reply_state == "breached")'}
---
entity: ticket
title: name
fields:
  name: {type: text}
  client: {type: link, to: client, inverse: tickets}
  priority: {type: choice, choices: [low, high], default: low}
  waiting: {type: boolean}
  answered: {type: boolean}
  note: {type: text}
rules:
  wrong: {check: name != "wrong", message: Wrong.}
---
calendar: office
time_zone: Europe/Berlin
hours: {mon-fri: ["09:00-17:00"]}
---
sla: reply
label: Reply
entity: ticket
calendar: office
met_when: answered
pause_when: waiting
targets:
  high: {when: 'priority == "high"', within: 2 hours, warn: 50 %}
  low: {within: 8 hours, warn: 6 hours}
---
workflow: escalate
on: {sla: {breach: reply}}
when: name != "quiet"
steps: [{set: {note: '=coalesce(note, "") & "late "'}}]
---
workflow: hurry
on: {sla: {warning: reply}}
steps: [{set: {note: '=coalesce(note, "") & "hurry "'}}]
"""
MONDAY = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)  # nine o'clock in Berlin


@pytest.fixture(scope="module")
def tenant(catalogue: Catalogue) -> Iterator[Tenant]:
    yield catalogue.create("service-levels", layers_of(YAML, "service-levels"), "test")
    catalogue.drop("service-levels")


def store_at(tenant: Tenant, moment: datetime) -> Store:
    return Store(tenant, Principal.system(Reader(now=moment)))


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


def ticket(tenant: Tenant, **values: Any) -> Record:
    return store_at(tenant, MONDAY).create("ticket", {"name": "It", **values})


def standing(tenant: Tenant, record: Record) -> tuple[Any, Any]:
    found = store_at(tenant, MONDAY).read("ticket", record.id)
    return found["reply_state"], found["reply_due"]


def test_a_new_record_has_a_clock_and_says_until_when(tenant: Tenant) -> None:
    record = ticket(tenant)
    assert (record["reply_state"], record["reply_due"]) == ("running", MONDAY + hours(8))
    assert record.version == 1


def test_a_change_moves_it_and_one_that_does_not_concern_it_leaves_it(tenant: Tenant) -> None:
    record = ticket(tenant)
    store = store_at(tenant, MONDAY + hours(1))
    assert store.update("ticket", record.id, {"priority": "high"})["reply_due"] == MONDAY + hours(2)
    assert store.update("ticket", record.id, {"waiting": True})["reply_state"] == "paused"
    store = store_at(tenant, MONDAY + hours(4))
    assert store.update("ticket", record.id, {"note": "x"})["reply_due"] == MONDAY + hours(2)
    assert store.update("ticket", record.id, {"waiting": False})["reply_due"] == MONDAY + hours(5)
    assert store.update("ticket", record.id, {"answered": True})["reply_state"] == "met"


@pytest.mark.parametrize("means", ["page", "api", "import", "bulk"])
def test_many_at_once_have_clocks_whatever_the_means(tenant: Tenant, means: str) -> None:
    store = store_at(tenant, MONDAY)
    outcomes = store.create_many("ticket", [{"name": "A"}, {"name": "B", "priority": "high"}], means=means)
    ids = [outcome.id for outcome in outcomes if outcome.id is not None]
    assert len(ids) == 2
    store.update_many("ticket", [(id, {"answered": True}) for id in ids], means=means)
    assert [store.read("ticket", id)["reply_state"] for id in ids] == ["met", "met"]


def test_what_is_refused_leaves_no_clock(tenant: Tenant) -> None:
    table = tenant.tables.platform.service
    with tenant.begin() as connection:
        before = connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
    with pytest.raises(Refused):
        ticket(tenant, name="wrong")
    with tenant.begin() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() == before


def test_warning_and_breach_set_off_workflows_once_each(catalogue: Catalogue, tenant: Tenant) -> None:
    client = store_at(tenant, MONDAY).create("client", {"name": "C"})
    record = ticket(tenant, client=client.ref)  # its times are long past: the first look finds both
    quiet = ticket(tenant, name="quiet")
    drain(catalogue, tenant)
    drain(catalogue, tenant)
    found = store_at(tenant, MONDAY).read("ticket", record.id)
    assert (found["reply_state"], found["note"]) == ("breached", "hurrylate")
    assert store_at(tenant, MONDAY).read("ticket", quiet.id)["note"] == "hurry"
    assert store_at(tenant, MONDAY).read("client", client.id)["missed"] == 1
    told = [change.kind for change in store_at(tenant, MONDAY).history("ticket", record.id)]
    assert [kind for kind in told if kind.startswith("sla")] == ["sla_breach", "sla_warning"]


def test_a_clock_does_not_disturb_whoever_has_the_form_open(catalogue: Catalogue, tenant: Tenant) -> None:
    record = ticket(tenant, name="quiet")
    drain(catalogue, tenant)
    version = store_at(tenant, MONDAY).read("ticket", record.id).version
    assert version == record.version + 1  # the workflow's own `hurry`, and nothing of the clock


def test_in_the_bin_it_stands_still_and_goes_on_when_it_comes_back(tenant: Tenant) -> None:
    record = ticket(tenant, priority="high")
    store_at(tenant, MONDAY + hours(1)).delete("ticket", record.id)
    store_at(tenant, MONDAY + hours(3)).restore("ticket", record.id)
    assert standing(tenant, record) == ("running", MONDAY + hours(4))


def test_purged_records_leave_no_clock(tenant: Tenant) -> None:
    record = ticket(tenant)
    store = store_at(tenant, MONDAY)
    store.delete("ticket", record.id)
    store.purge("ticket", record.id)
    table = tenant.tables.platform.service
    with tenant.begin() as connection:
        assert not connection.execute(sa.select(table).where(table.c.record == record.id)).all()


def test_what_was_late_when_it_was_imported_wakes_nobody(catalogue: Catalogue, tenant: Tenant) -> None:
    late = store_at(tenant, MONDAY + hours(48))
    [outcome] = late.create_many("ticket", [{"name": "old", "created_at": MONDAY}], means="import")
    assert outcome.id is not None
    drain(catalogue, tenant)
    found = late.read("ticket", outcome.id)
    assert found["note"] is None


def test_the_fields_can_be_asked_for_and_nobody_can_write_them(tenant: Tenant) -> None:
    store = store_at(tenant, MONDAY)
    record = ticket(tenant)
    assert "reply_due" not in store.writable_fields("ticket")
    page = store.list(
        "ticket", columns=["name", "reply_state"], where=['reply_state == "running"', "reply_due > now()"]
    )
    assert record.id in [row.id for row in page.rows]


def test_a_new_configuration_moves_the_clocks_that_run(catalogue: Catalogue) -> None:
    plain = YAML.split("---\ncalendar")[0].replace("rollup: 'count(tickets, reply_state == \"breached\")'", "min: 0")
    tenant = catalogue.create("settled", layers_of(plain, "settled"), "test")
    try:
        now = datetime.now(UTC)
        record = store_at(tenant, now).create("ticket", {"name": "Old"})
        every_hour = YAML.replace("calendar: office\nmet", "met")
        tenant = apply(catalogue, plan(tenant, layers_of(every_hour, "settled")), "test")
        drain(catalogue, tenant)
        assert store_at(tenant, now).read("ticket", record.id)["reply_due"] == now + hours(8)
        tenant = apply(catalogue, plan(tenant, layers_of(every_hour.replace("8 hours", "9 hours"), "settled")), "test")
        drain(catalogue, tenant)
        assert store_at(tenant, now).read("ticket", record.id)["reply_due"] == now + hours(9)
    finally:
        catalogue.drop("settled")


def test_formulas_count_by_the_tenants_calendar_whoever_reads(tenant: Tenant) -> None:
    store = store_at(tenant, MONDAY)
    record = ticket(tenant, name="counted")
    assert tenant.calendar is not None
    where = ["name == 'counted'", "business_hours(created_at, created_at + days(7)) == 40"]
    assert [row.id for row in store.list("ticket", columns=[], where=where).rows] == [record.id]


def test_a_worker_that_falls_over_in_the_middle_leaves_nothing_half_told(
    catalogue: Catalogue, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = ticket(tenant, name="once")
    calls: list[Any] = []

    def killed(*given: Any) -> Any:
        calls.append(given)
        if len(calls) == 1:
            raise RuntimeError("killed")
        return start(*given)

    monkeypatch.setattr("trellis.automation.service_levels.striking.start", killed)
    drain(catalogue, tenant)  # a job fails after it has noted everything; it, or another, does it again
    assert len(calls) > 0
    drain(catalogue, tenant, ahead=hours(1))
    drain(catalogue, tenant, ahead=hours(2))
    found = store_at(tenant, MONDAY).read("ticket", record.id)
    assert (found["reply_state"], found["note"]) == ("breached", "hurrylate")


def test_what_an_export_says_of_clocks_is_left_alone_by_an_import(tenant: Tenant) -> None:
    person = Principal(Reader(roles=frozenset({"admin"})), roles=frozenset({"admin"}))
    store = Store(tenant, person)
    columns = columns_of(
        store.session, tenant.model.entities["ticket"], ["name", "reply_state", "reply_due", "created_at"], ImportMap()
    )
    assert [column.field for column in columns] == ["name"]
