"""Reminders: told once, at their time, to whose record it is; they move with what they are about."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from tests.conftest import layers_of

import trellis.automation.reminders  # noqa: F401 (takes part in every save)
from trellis.automation import notices
from trellis.automation.worker.drain import drain
from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.record import Record
from trellis.records.store import Store
from trellis.storage.apply import apply
from trellis.storage.catalogue import Catalogue
from trellis.storage.plan import plan
from trellis.storage.tenant import Tenant

YAML = """
entity: visit
title: name
fields:
  name:      {type: text}
  owner:     {type: user, role: owner}
  start:     {type: datetime, all_day: all_day}
  all_day:   {type: boolean}
  reminders: {type: reminders, for: start}
  note:      {type: text}
"""


@pytest.fixture(scope="module")
def tenant(catalogue: Catalogue) -> Iterator[Tenant]:
    profile = "time_zone: Europe/Berlin"
    yield catalogue.create("reminding", layers_of(YAML, "reminding", profile=profile), "test")
    catalogue.drop("reminding")


@pytest.fixture
def store(tenant: Tenant) -> Store:
    return Store(tenant, Principal.system(Reader(now=datetime.now(UTC))))


@pytest.fixture
def anna(store: Store) -> Record:
    return store.create("user", {"name": "Anna", "email": f"anna-{datetime.now(UTC).timestamp()}@example.com"})


def visit(store: Store, anna: Record, start: datetime, **values: Any) -> Record:
    given = {"name": "Call on Acme", "owner": anna.ref, "start": start, "reminders": ["PT10M", "P1D"], **values}
    return store.create("visit", given)


def moments(tenant: Tenant, record: Record) -> list[datetime]:
    table = tenant.tables.platform.reminder
    with tenant.begin() as connection:
        found = sa.select(table.c.at).where(table.c.record == record.id).order_by(table.c.at)
        return list(connection.execute(found).scalars())


def told(tenant: Tenant, anna: Record) -> list[str]:
    with tenant.begin() as connection:
        return [row["text"] for row in notices.notices(connection, tenant, anna.id)]


def test_who_owns_it_is_told_once_at_the_time(catalogue: Catalogue, tenant: Tenant, store: Store, anna: Record) -> None:
    visit(store, anna, datetime.now(UTC) + timedelta(minutes=30))
    drain(catalogue, tenant)
    assert told(tenant, anna) == []
    drain(catalogue, tenant, ahead=timedelta(minutes=25))
    drain(catalogue, tenant, ahead=timedelta(minutes=40))
    [text] = told(tenant, anna)
    assert text.startswith("Call on Acme · ")


def test_only_moments_to_come_are_kept_and_they_move_with_the_start(tenant: Tenant, store: Store, anna: Record) -> None:
    now = datetime.now(UTC)
    record = visit(store, anna, now + timedelta(hours=3))
    assert moments(tenant, record) == [now + timedelta(hours=2, minutes=50)]
    store.update("visit", record.id, {"start": now + timedelta(days=3)})
    assert moments(tenant, record) == [now + timedelta(days=2), now + timedelta(days=3, minutes=-10)]
    store.update("visit", record.id, {"note": "bring the samples"})
    store.update("visit", record.id, {"reminders": None})
    assert moments(tenant, record) == []


def test_a_whole_day_is_reminded_of_from_nine_in_the_morning(tenant: Tenant, store: Store, anna: Record) -> None:
    start = datetime(2040, 6, 14, 0, 0, tzinfo=UTC)
    record = visit(store, anna, start, all_day=True, reminders=["PT0S", "P1D"])
    assert moments(tenant, record) == [datetime(2040, 6, 13, 7, tzinfo=UTC), datetime(2040, 6, 14, 7, tzinfo=UTC)]


def test_what_is_in_the_bin_reminds_of_nothing(tenant: Tenant, store: Store, anna: Record) -> None:
    record = visit(store, anna, datetime.now(UTC) + timedelta(days=3))
    store.delete("visit", record.id)
    assert moments(tenant, record) == []
    store.restore("visit", record.id)
    assert len(moments(tenant, record)) == 2


def test_a_publishing_finds_records_of_before(catalogue: Catalogue, tenant: Tenant, store: Store, anna: Record) -> None:
    record = visit(store, anna, datetime.now(UTC) + timedelta(days=3))
    table = tenant.tables.platform.reminder
    with tenant.begin() as connection:
        connection.execute(sa.delete(table))  # as an earlier version left it
    layers = layers_of(YAML + "  other: {type: text}\n", "reminding", profile="time_zone: Europe/Berlin")
    published = apply(catalogue, plan(tenant, layers), "test")
    drain(catalogue, published)
    assert len(moments(published, record)) == 2
