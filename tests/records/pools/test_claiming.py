"""Claiming: one winner, limits that say when one may again, and who may put back, assign and lock."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from uuid import UUID

import pytest
from tests.records.pools.conftest import DAY, POOL, Crm, at

from trellis.records.pools import claiming
from trellis.records.refusal import Forbidden, Missing, Refused


def why(outcome: claiming.Outcome) -> str:
    """What a refusal says, filled in."""
    error = outcome.error
    return error.faults[0].message.format(**error.faults[0].params) if isinstance(error, Refused) else repr(error)


def test_a_claim_has_exactly_one_winner(crm: Crm) -> None:
    names = [f"racer{n}" for n in range(6)]
    for name in names:
        crm.person(name)
    leads = [crm.lead(f"Race {n}") for n in range(3)]
    gate = Barrier(len(names))

    def race(name: str) -> list[claiming.Outcome]:
        store = crm.by(name)
        gate.wait()
        return claiming.claim(store, "leads", leads)

    with ThreadPoolExecutor(len(names)) as threads:
        outcomes = dict(zip(names, threads.map(race, names), strict=True))
    for index, lead in enumerate(leads):
        winners = [name for name in names if outcomes[name][index].done]
        assert winners == [crm.owner(lead)]
        losers = {why(outcomes[name][index]) for name in names if name not in winners}
        assert losers == {"It is not in the pool any more: somebody else was faster."}


def test_two_claims_of_one_person_at_a_time_keep_the_limits(crm: Crm) -> None:
    crm.person("twice")
    leads = [crm.lead(f"Twice {n}") for n in range(6)]
    gate = Barrier(6)

    def grab(lead: UUID) -> bool:
        store = crm.by("twice")
        gate.wait()
        return claiming.claim(store, "leads", [lead])[0].done

    with ThreadPoolExecutor(6) as threads:
        assert sum(threads.map(grab, leads)) == 3


def test_a_day_allows_so_many_claims_and_says_when_again(crm: Crm) -> None:
    leads = [crm.lead(f"Day {n}") for n in range(4)]
    outcomes = claiming.claim(crm.by("daily", at(3, 25)), "leads", leads)
    assert [o.done for o in outcomes] == [True, True, True, False]
    assert why(outcomes[3]) == ("You have claimed 3 of 3 today. You may claim again from 2019-03-26 00:00:00+00:00.")
    assert claiming.claim(crm.by("daily", at(3, 26)), "leads", leads[3:])[0].done


def test_holding_has_a_cap_that_some_do_not_count_for(crm: Crm) -> None:
    for number in range(3):
        crm.lead(f"Held {number}", "holder")
    crm.lead("Elsewhere", "holder", city="Bonn")
    crm.lead("Over", "holder", closed=True)
    first, second = crm.lead("One more"), crm.lead("Too many")
    assert claiming.claim(crm.by("holder"), "leads", [first])[0].done
    refused = claiming.claim(crm.by("holder"), "leads", [second])[0]
    assert why(refused) == "You hold 4 of 4 already. Return or finish one first."


def test_who_had_it_waits_before_having_it_again(crm: Crm) -> None:
    lead = crm.lead("Hot")
    claiming.claim(crm.by("first", at(3, 25)), "leads", [lead])
    assert claiming.give_back(crm.by("first", at(3, 26)), "lead", [lead], "No time")[0].done
    refused = claiming.claim(crm.by("first", at(3, 27)), "leads", [lead])[0]
    assert "from 2019-03-29 10:00" in why(refused)
    assert claiming.claim(crm.by("first", at(3, 29)), "leads", [lead])[0].done
    assert claiming.give_back(crm.by("first", at(3, 29)), "lead", [lead])[0].done
    assert claiming.claim(crm.by("second", at(3, 29)), "leads", [lead])[0].done


def test_putting_back_tells_why_and_is_for_who_has_it(crm: Crm) -> None:
    lead = crm.lead("Given back", "giver")
    other = claiming.give_back(crm.by("other"), "lead", [lead])[0]
    assert isinstance(other.error, Forbidden | Missing)
    assert claiming.give_back(crm.by("giver"), "lead", [lead], "Wrong region")[0].done
    entry = crm.system().history("lead", lead)[0]
    assert entry.cause == {"pool": "leads", "act": "returned", "reason": "Wrong region"}
    assert entry.by_name == "giver"


def test_an_admin_assigns_beyond_the_limits_and_a_member_does_not(crm: Crm) -> None:
    lead = crm.lead("Assigned")
    to = crm.person("receiver").id
    with pytest.raises(Forbidden):
        claiming.assign(crm.by("ann"), "leads", [lead], to)
    assert claiming.assign(crm.by("bob", DAY, "boss"), "leads", [lead], to)[0].done
    assert (crm.owner(lead), crm.returns(lead)) == ("receiver", at(4, 4, 9))


def test_a_lock_keeps_it_and_there_are_only_so_many(crm: Crm) -> None:
    lead, other = crm.lead("Locked", "locker"), crm.lead("Second", "locker")
    claiming.lock(crm.by("locker"), "lead", lead)
    assert crm.returns(lead) == datetime(2019, 4, 24, 9, tzinfo=UTC)
    with pytest.raises(Refused, match=r"locked already"):
        claiming.lock(crm.by("locker"), "lead", other)
    claiming.lock(crm.by("locker"), "lead", lead, on=False)
    assert crm.returns(lead) == at(4, 4, 9)
    claiming.lock(crm.by("locker"), "lead", other)
    with pytest.raises((Forbidden, Missing)):
        claiming.lock(crm.by("ann"), "lead", lead)


def test_a_pool_is_its_members(crm: Crm) -> None:
    with pytest.raises(Forbidden):
        claiming.claim(crm.by("mark", DAY, "marketing"), "leads", [crm.lead("Not theirs")])


def test_nothing_that_is_out_of_the_pool_is_claimed(crm: Crm) -> None:
    closed, gone = crm.lead("Closed", closed=True), crm.lead("In the bin")
    crm.system().delete("lead", gone)
    outcomes = claiming.claim(crm.by("late"), "leads", [closed, gone])
    assert not any(outcome.done for outcome in outcomes)


def test_without_pools_saves_do_nothing_more(pooled) -> None:
    off = pooled(POOL.replace("cool_down: 3 days", "cool_down: 3 days\nactive: false"))
    lead = off.lead("Quiet", "ann")
    assert off.returns(lead) is None
    with pytest.raises(Missing):
        claiming.claim(off.by("ann"), "leads", [lead])
