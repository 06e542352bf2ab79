"""Pools that give out what lies in them, what a team may hold, and locks that count for duplicates, too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from tests.automation.test_pools import notices
from tests.conftest import layers_of
from tests.records.pools.conftest import DAY, POOL, Crm, at, pooled

from trellis.automation import distributing
from trellis.automation.clock import moved, now
from trellis.model.compile import compile_layers
from trellis.records.pools import claiming
from trellis.records.refusal import Refused
from trellis.storage.catalogue import Catalogue

__all__ = ["pooled"]

TEAMS = POOL.replace(
    "  active: {type: boolean, default: true}\n",
    "  active: {type: boolean, default: true}\n  team: {type: link, to: team}\n---\nentity: team\ntitle: name\n"
    "fields:\n  name: {type: text, required: true}\n",
).replace("holding: 4,", "holding: 4, team_holding: 3,")
GIVEN_OUT = TEAMS.replace(
    "cool_down: 3 days",
    "cool_down: 3 days\ndistribute: {to: round-robin, after: 2 days, per_day: 2, when: is_blank(city)}",
)
TWINS = POOL.replace("for: 30 days}", "for: 30 days, duplicates: true}").replace(
    "  owner: {type: user, role: owner, default: =me}\n",
    "  owner: {type: user, role: owner, default: =me}\ndedupe:\n  phone: {match: [phone], action: warn}\n",
)


def give_out(crm: Crm, moment: datetime) -> None:
    """Let the clock look as if it were that moment."""
    with moved(moment - now()), crm.tenant.begin() as connection:
        distributing.distribute_free(connection, crm.tenant)


@pytest.fixture
def crm(catalogue: Catalogue) -> Iterator[Crm]:
    made = Crm(catalogue.create("given-out", layers_of(GIVEN_OUT, "given-out"), "test"))
    yield made
    catalogue.drop("given-out")


def test_what_has_lain_long_enough_goes_to_members_in_turn_within_their_limits(crm: Crm) -> None:
    for name in ("ann", "bea"):
        crm.person(name)
    crm.person("bob", "boss")
    leads = [crm.lead(f"L{n}", now=DAY + timedelta(minutes=n)) for n in range(6)]
    bonn = crm.lead("Bonn", city="Bonn", now=DAY)
    give_out(crm, DAY + timedelta(days=1))
    assert {crm.owner(id) for id in leads} == {None}
    give_out(crm, at(3, 28))
    assert [crm.owner(id) for id in leads] == ["ann", "bea", "ann", "bea", None, None]
    assert notices(crm, "ann") == [f"“L{n}” from the pool Public leads is yours now." for n in (0, 2)]
    cause = crm.system().history("lead", leads[0])[0].cause
    assert (cause["act"], cause["reason"]) == ("distributed", "ann has waited longest")
    give_out(crm, at(3, 28, 12))
    assert crm.owner(leads[4]) is None
    give_out(crm, at(3, 29))
    assert [crm.owner(id) for id in leads[4:]] == ["ann", "bea"]
    assert crm.owner(bonn) is None


def test_who_lost_it_lately_does_not_get_it_and_full_teams_get_nothing(crm: Crm) -> None:
    team = crm.system().create("team", {"name": "North"}).id
    for name in ("ann", "bea"):
        crm.system().update("user", crm.person(name).id, {"team": str(team)})
    lead = crm.lead("Hot", "ann", now=DAY)
    claiming.give_back(crm.by("ann", DAY), "lead", [lead])
    give_out(crm, at(3, 28, 8))
    assert crm.owner(lead) == "bea"
    held = [crm.lead(f"Held {n}", "ann") for n in range(2)]
    free = crm.lead("Free", now=DAY)
    give_out(crm, at(3, 29))
    assert crm.owner(free) is None
    [refused] = claiming.claim(crm.by("ann", at(3, 29)), "leads", [free])
    assert isinstance(refused.error, Refused)
    assert str(refused.error.faults[0].message).startswith("Your team holds {count} of {most}")
    crm.system().update("lead", held[0], {"owner": str(crm.person("cleo").id)})
    assert claiming.claim(crm.by("bea", at(3, 29)), "leads", [free])[0].done


def test_what_is_the_same_as_a_locked_record_is_nobody_elses(pooled: Callable[[str], Crm]) -> None:
    crm = pooled(TWINS)
    mine = crm.lead("Acme", "ann", phone="+493012345")
    lying, held = crm.lead("ACME", phone="+49 30 12345"), crm.lead("Acme GmbH", "bea", phone="+493012345")
    crm.by("bea").update("lead", held, {"city": "Kiel"})
    claiming.lock(crm.by("ann"), "lead", mine)
    [refused] = claiming.claim(crm.by("bea"), "leads", [lying])
    assert isinstance(refused.error, Refused)
    with pytest.raises(Refused, match="same as a record that somebody else has locked"):
        crm.by("bea").update("lead", held, {"city": "Köln"})
    with pytest.raises(Refused, match="same as a record that somebody else has locked"):
        crm.by("bea").create("call", {"subject": "Hello", "about": {"entity": "lead", "id": str(held)}})
    with pytest.raises(Refused):
        claiming.lock(crm.by("bea"), "lead", held)
    crm.by("bob", role="boss").update("lead", held, {"city": "Ulm"})
    assert crm.by("bea").lock_on("lead", held) is not None
    assert claiming.claim(crm.by("ann"), "leads", [lying])[0].done
    claiming.lock(crm.by("ann"), "lead", mine, on=False)
    crm.by("bea").update("lead", held, {"city": "Köln"})


def test_limits_that_nothing_can_be_known_of_are_told_where_they_are_written() -> None:
    text = POOL.replace("holding: 4,", "team_holding: 3,").replace("for: 30 days}", "for: 30 days, duplicates: true}")
    problems = compile_layers(layers_of(text)).problems
    assert [(p.code, p.message) for p in problems if p.code == "E325"] == [
        ("E325", "people have no team"),
        ("E325", "nothing says what a duplicate is"),
    ]
