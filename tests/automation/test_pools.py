"""The clock of pools: warnings, records that go back, those that must not, and configurations that change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from tests.conftest import layers_of
from tests.records.pools.conftest import DAY, POOL, Crm, at

from trellis.automation import pools
from trellis.automation.clock import moved, now
from trellis.records.pools import claiming
from trellis.storage.apply import apply
from trellis.storage.catalogue import Catalogue
from trellis.storage.plan import plan

TWO = POOL.replace(
    "release: {after: 10 days, without: [activity], extend: 3 days, at_most: 20 days, warn: 2 days}",
    """release:
  idle: {after: 10 days, without: [activity], warn: [3 days, 1 day]}
  offers: {label: No offer was won, after: 40 days, without: [{offers: won}]}
  bonn: {after: 5 days, when: city == "Bonn"}""",
)


@pytest.fixture(scope="module")
def crm(catalogue: Catalogue) -> Iterator[Crm]:
    made = Crm(catalogue.create("clocked-pools", layers_of(POOL, "clocked-pools"), "test"))
    yield made
    catalogue.drop("clocked-pools")


def look(crm: Crm, moment: datetime) -> None:
    """Let the clock look as if it were that moment."""
    with moved(moment - now()), crm.tenant.begin() as connection:
        while pools.release_due(connection, crm.tenant):
            pass


def notices(crm: Crm, name: str) -> list[str]:
    """What somebody was told."""
    table = crm.tenant.tables.platform.notice
    mine = sa.select(table.c.text).where(table.c.user == crm.person(name).id).order_by(table.c.id)
    with crm.tenant.begin() as connection:
        return list(connection.execute(mine).scalars())


def test_the_owner_is_warned_once_and_then_it_goes_back(crm: Crm) -> None:
    lead = crm.lead("Acme", "ann", now=DAY)
    for day in (1, 2, 2, 3):
        look(crm, at(4, day, 10))
        assert crm.owner(lead) == "ann"
    assert notices(crm, "ann") == [
        "“Acme” goes back to the pool on 4/4/19, 9:00\u202fAM unless somebody looks after it."
    ]
    look(crm, at(4, 4, 10))
    assert crm.owner(lead) is None
    assert notices(crm, "ann")[1:] == ["“Acme” has gone back to the pool Public leads."]
    entry = crm.system().history("lead", lead)[0]
    assert entry.cause["act"] == "released"
    assert entry.by_name == "Trellis"
    told = crm.system().read("lead", lead, fields=["previous_owner", "returns_at"])
    assert (told["previous_owner"], told["returns_at"]) == (crm.person("ann"), None)
    look(crm, at(4, 20))
    assert len(notices(crm, "ann")) == 2


def test_an_activity_in_time_keeps_it(crm: Crm) -> None:
    lead = crm.lead("Kept", "bea", now=DAY)
    crm.system(at(4, 4, 8)).create("call", {"subject": "Hello", "about": {"entity": "lead", "id": str(lead)}})
    look(crm, at(4, 4, 10))
    assert crm.owner(lead) == "bea"
    look(crm, at(4, 7, 9))
    assert crm.owner(lead) is None


def test_locked_closed_and_deleted_records_stay(crm: Crm) -> None:
    locked, closed, gone = (crm.lead(name, "cleo", now=DAY) for name in ("Locked", "Closed", "Gone"))
    claiming.lock(crm.by("cleo"), "lead", locked)
    crm.system().update("lead", closed, {"closed": True})
    crm.system().delete("lead", gone)
    look(crm, at(4, 20))
    assert [crm.owner(id) for id in (locked, closed)] == ["cleo", "cleo"]
    look(crm, at(4, 25))
    assert crm.owner(locked) is None


def test_what_cannot_go_back_is_told_to_the_admins_and_tried_again(crm: Crm) -> None:
    boss = crm.person("bob", "boss")
    lead = crm.lead("Stubborn", "dora", now=DAY)
    with crm.tenant.begin() as connection:
        table = crm.tenant.tables.entity["lead"]
        connection.execute(sa.update(table).where(table.c.id == lead).values(name=None)) if table.c.name.nullable else (
            connection.execute(sa.update(table).where(table.c.id == lead).values(name=""))
        )
    look(crm, at(4, 4, 10))
    assert crm.owner(lead) == "dora"
    assert len(notices(crm, "bob")) == 1
    assert boss is not None
    look(crm, at(4, 4, 11))
    assert len(notices(crm, "bob")) == 1
    crm.system().update("lead", lead, {"name": "Tamed"})
    look(crm, at(4, 6))
    assert crm.owner(lead) is None


def test_several_rules_each_with_its_own_days(catalogue: Catalogue) -> None:
    crm = Crm(catalogue.create("two-rules", layers_of(TWO, "two-rules"), "test"))
    try:
        lead = crm.lead("Two", "ann", now=DAY)
        assert crm.returns(lead) == DAY + timedelta(days=10)
        for day in range(0, 45, 9):
            call = {"subject": "Hello", "about": {"entity": "lead", "id": str(lead)}}
            crm.system(DAY + timedelta(days=day)).create("call", call)
        assert crm.returns(lead) == DAY + timedelta(days=40)
        offer = crm.system(at(4, 1)).create("offer", {"name": "Offer", "lead": str(lead)}).id
        assert crm.returns(lead) == DAY + timedelta(days=40)
        crm.system(at(5, 1)).update("offer", offer, {"won": True})
        assert crm.returns(lead) == DAY + timedelta(days=46)
        crm.system(at(5, 1)).update("lead", lead, {"city": "Bonn"})
        assert crm.returns(lead) == DAY + timedelta(days=5)
    finally:
        catalogue.drop("two-rules")


def test_a_pool_that_is_switched_off_and_on_keeps_its_dates(catalogue: Catalogue) -> None:
    slug = "off-and-on"
    crm = Crm(catalogue.create(slug, layers_of(POOL, slug), "test"))
    try:
        kept, overdue = crm.lead("Kept", "ann", now=now()), crm.lead("Overdue", "ann", now=now() - timedelta(days=30))
        date = crm.returns(kept)
        for text in (POOL + "active: false\n", POOL):
            layers = layers_of(text, slug)
            crm.tenant = apply(catalogue, plan(catalogue.get(slug), layers), "test")
        handed = crm.lead("New", "ann", now=now())
        with crm.tenant.begin() as connection:
            pools.settle_tenant(connection, crm.tenant)
        assert crm.returns(kept) == date
        late = crm.returns(overdue)
        assert late is not None
        assert timedelta() < late - now() <= timedelta(days=1)
        assert crm.returns(handed) is not None
    finally:
        catalogue.drop(slug)
