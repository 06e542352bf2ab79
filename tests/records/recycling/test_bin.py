from __future__ import annotations

import pytest

from trellis.records.refusal import Missing, Refused


@pytest.fixture
def account(system):
    return system.create("account", {"name": "Acme"})


@pytest.fixture
def deal(system, account):
    return system.create("deal", {"name": "Pilot", "account": account.id, "lines": [{"product": "pen", "price": 2}]})


def test_what_is_held_is_not_deleted_and_says_by_what(system, account, deal):
    with pytest.raises(Refused, match="Pilot") as refused:
        system.delete("account", account.id)
    assert refused.value.faults[0].code == "restrict"
    system.delete("deal", deal.id)
    with pytest.raises(Refused):
        system.delete("account", account.id)  # the bin holds it too
    system.purge("deal", deal.id)
    system.delete("account", account.id)


def test_a_deleted_record_is_gone_everywhere_but_the_bin(system, deal):
    system.delete("deal", deal.id)
    with pytest.raises(Missing):
        system.read("deal", deal.id)
    with pytest.raises(Missing):
        system.update("deal", deal.id, {"name": "x"})
    assert system.count("deal").n == 0
    assert [r.id for r in system.list("deal", columns=["name"], deleted=True).rows] == [deal.id]
    assert system.read("deal", deal.id, deleted=True).deleted_at is not None


def test_parts_go_and_come_back_with_their_parent(system, deal):
    [line] = system.lines("deal", deal.id, "lines")
    system.delete("deal", deal.id)
    with pytest.raises(Missing):
        system.read("deal_line", line.id)
    with pytest.raises(Refused):
        system.restore("deal_line", line.id)
    system.restore("deal", deal.id)
    assert system.read("deal_line", line.id)["product"] == "pen"
    assert system.read("deal", deal.id)["lines_total"].amount == 2


def test_links_that_clear_are_cleared(system, account):
    contact = system.create("contact", {"name": "Anna", "account": account.id})
    system.delete("account", account.id)
    assert system.read("contact", contact.id)["account"] is None
    change = system.history("contact", contact.id)[0].changes[0]
    assert (change.field, change.old.title, change.new) == ("account", "Acme", None)


def test_a_restore_that_would_break_uniqueness_is_refused(system, account, deal):
    system.delete("deal", deal.id)
    system.create("deal", {"name": "pilot", "account": account.id})
    with pytest.raises(Refused) as refused:
        system.restore("deal", deal.id)
    assert refused.value.faults[0].code == "unique"


def test_a_purged_record_leaves_only_its_history(system, deal):
    system.delete("deal", deal.id)
    system.purge("deal", deal.id)
    with pytest.raises(Missing):
        system.read("deal", deal.id, deleted=True)
    with pytest.raises(Missing):
        system.purge("deal", deal.id)
