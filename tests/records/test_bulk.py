"""Many records at once: one transaction, an outcome for each, few statements."""

from __future__ import annotations

import pytest

from trellis.records.refusal import Forbidden, Refused


@pytest.fixture
def deals(system, person):
    """200 deals of one account: Rita's, but for every tenth, which is Ron's."""
    rita, ron = person("Rita", "rep"), person("Ron", "rep")
    account = system.create("account", {"name": "Acme", "owner": rita.principal.id})
    rows = [
        {
            "name": f"d{n:03}",
            "account": account.id,
            "amount": 10,
            "owner": (ron if n % 10 == 0 else rita).principal.id,
        }
        for n in range(200)
    ]
    return rita, account, [o.id for o in system.create_many("deal", rows)]


def test_each_row_has_its_outcome_and_the_rest_is_done(system, deals, statements):
    _, account, ids = deals
    manager = system
    changes = [(id, {"amount": 10 if n == 7 else 20} if n != 5 else {"amount": -1}) for n, id in enumerate(ids)]
    with statements() as seen:
        outcomes = manager.update_many("deal", changes)
    assert [o.id for o in outcomes] == ids
    assert (outcomes[5].status, outcomes[5].faults[0].field) == ("refused", "amount")
    assert outcomes[7].status == "unchanged"
    assert sum(o.status == "updated" for o in outcomes) == 198
    assert manager.read("account", account.id)["open_amount"].amount == 198 * 20 + 2 * 10
    assert len(seen) < 1.2 * len(ids)
    assert len(manager.history("deal", ids[0])) == 2


def test_what_may_not_be_changed_is_left_alone(deals):
    rita, _, ids = deals
    outcomes = rita.update_many("deal", [(id, {"priority": "high"}) for id in ids])
    assert {o.status for o in outcomes} == {"updated", "refused"}
    assert {o.faults[0].code for o in outcomes if o.faults} == {"missing"}
    assert sum(o.status == "updated" for o in outcomes) == 180
    with pytest.raises(Refused):
        rita.update_where("deal", {"priority": "low"}, where=["nothing == 1"])
    assert len(rita.update_where("deal", {"priority": "low"}, where=['name <= "d010"'])) == 9


@pytest.mark.parametrize("means", ["page", "api", "bulk"])
def test_many_at_once_need_the_right(system, deals, person, means):
    keeper, (_, _, ids) = person("Kim", "keeper"), deals
    assert keeper.may_change_many("deal") is False
    for call in (
        lambda: keeper.update_many("deal", [(ids[0], {"priority": "high"})], means=means),
        lambda: keeper.update_where("deal", {"priority": "high"}, means=means),
        lambda: keeper.delete_many("deal", ids[:2], means=means),
        lambda: keeper.restore_many("deal", ids[:2], means=means),
        lambda: keeper.purge_many("deal", ids[:2], means=means),
    ):
        with pytest.raises(Forbidden, match="bulk-edit"):
            call()
    assert keeper.update("deal", ids[0], {"priority": "high"})["priority"] == "high"


def test_an_import_holds_a_right_of_its_own(deals, person):
    keeper, (_, _, ids) = person("Kim", "keeper"), deals
    [outcome] = keeper.update_many("deal", [(ids[0], {"priority": "high"})], means="import")
    assert outcome.status == "updated"


def test_a_narrower_level_leaves_the_other_records_alone(system, deals, person):
    _, account, ids = deals
    careful = person("Cara", "careful")
    mine = system.create("deal", {"name": "hers", "account": account.id, "owner": careful.principal.id})
    changed = careful.update_many(
        "deal", [(ids[0], {"priority": "high"}), (mine.id, {"priority": "high"})], means="bulk"
    )
    assert [(o.id, o.status) for o in changed] == [(ids[0], "refused"), (mine.id, "updated")]
    assert [o.status for o in careful.delete_many("deal", [ids[0], mine.id])] == ["refused", "deleted"]
    assert [o.status for o in careful.restore_many("deal", [mine.id])] == ["restored"]


def test_the_bin_is_emptied_of_many_at_once(system, deals):
    _, _, ids = deals
    system.delete_many("deal", ids[:3])
    assert {o.status for o in system.purge_many("deal", ids[:4])} == {"purged", "refused"}
    assert system.count("deal", deleted=True).n == 0


def test_many_go_into_the_bin_and_back_in_few_statements(system, deals, statements):
    _, account, _ = deals
    contacts = system.create_many("contact", [{"name": f"c{n}", "account": account.id} for n in range(100)])
    some = [c.id for c in contacts]
    for move, status in ((system.delete_many, "deleted"), (system.restore_many, "restored")):
        with statements() as seen:
            assert {o.status for o in move("contact", some)} == {status}
        assert len(seen) < 60


def test_what_is_held_holds_up_no_other_of_the_many(system):
    accounts = [system.create("account", {"name": f"a{n}"}) for n in range(9)]
    system.create("deal", {"name": "holds", "account": accounts[4].id})
    outcomes = system.delete_many("account", [a.id for a in accounts])
    assert [o.id for o in outcomes] == [a.id for a in accounts]
    assert [o.status for o in outcomes] == [*["deleted"] * 4, "refused", *["deleted"] * 4]
    assert outcomes[4].faults[0].code == "restrict"


def test_the_bin_is_for_who_may_take_something_out_of_it(system, deals, person):
    rita, _, ids = deals
    clerk = person("Cleo", "clerk")
    system.delete_many("deal", ids[1:4])
    assert rita.count("deal", deleted=True).n == len(rita.list("deal", columns=[], deleted=True).rows) == 3
    for call in (
        lambda: clerk.list("deal", columns=[], deleted=True),
        lambda: clerk.count("deal", deleted=True),
        lambda: clerk.totals("deal", {"amount": "sum"}, deleted=True),
    ):
        with pytest.raises(Forbidden, match="restore"):
            call()
    assert clerk.count("deal", deleted=None).n == len(ids)  # the change feed tells of them all the same


def test_what_only_the_batch_makes_wrong_is_found(system, deals):
    _, _, ids = deals
    outcomes = system.update_many("deal", [(ids[1], {"name": "same"}), (ids[2], {"name": "same"})])
    assert sorted(o.status for o in outcomes) == ["refused", "updated"]
    twice = system.update_many("deal", [(ids[3], {"name": "x"}), (ids[3], {"name": "y"})])
    assert [o.status for o in twice] == ["updated", "updated"]
    assert system.read("deal", ids[3])["name"] == "y"


def test_a_value_that_was_given_up_in_the_batch_is_free(system, deals):
    _, _, ids = deals
    outcomes = system.update_many("deal", [(ids[1], {"name": "d002"}), (ids[2], {"name": "other"})])
    assert "updated" in {o.status for o in outcomes}
    assert system.update_many("deal", [(ids[1], {"name": "d002"})])[0].status in ("updated", "unchanged")


def test_a_swap_of_unique_values_is_done_or_refused_but_never_half(system, deals):
    _, _, ids = deals
    system.update_many("deal", [(ids[1], {"name": "d002"}), (ids[2], {"name": "d001"})])
    assert len({r["name"] for r in system.list("deal", columns=["name"], limit=200).rows}) == 200
