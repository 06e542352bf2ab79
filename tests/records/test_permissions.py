from __future__ import annotations

import pytest

from trellis.model.view import Sort
from trellis.records.refusal import Forbidden, Missing, Refused


@pytest.fixture
def world(system, person):
    """Rita and Ron are reps who own an account and a deal each; Mona is a manager, Nora sees the north."""
    people = {"rita": person("Rita", "rep"), "ron": person("Ron", "rep"), "mona": person("Mona", "manager")}
    people["nora"] = person("Nora", "north")
    made = {}
    for name, city in (("rita", "Kiel"), ("ron", "Rome")):
        me = people[name].principal.id
        values = {
            "name": f"{name}'s",
            "city": city,
            "margin": 30,
            "phone": "+4915112345678",
            "secret_note": f"hush{name}",
        }
        account = system.create("account", {**values, "owner": me})
        deal = system.create("deal", {"name": f"{name} deal", "account": account.id, "owner": me, "amount": 10})
        made[name] = (account, deal)
    return people, made


def names(store, entity, **kwargs):
    return sorted(r["name"] for r in store.list(entity, columns=["name"], **kwargs).rows)


def test_everyone_reads_what_their_roles_reach(world):
    people, _ = world
    assert names(people["rita"], "account") == ["rita's"]
    assert names(people["mona"], "account") == ["rita's", "ron's"]
    assert names(people["nora"], "account") == ["rita's"]
    with pytest.raises(Forbidden):
        people["nora"].list("deal", columns=["name"])


def test_every_path_has_the_same_reach(world):
    people, made = world
    rita, foreign = people["rita"], made["ron"][0]
    with pytest.raises(Missing):
        rita.read("account", foreign.id)
    with pytest.raises(Missing):
        rita.update("account", foreign.id, {"city": "x"})
    with pytest.raises(Missing):
        rita.delete("account", foreign.id)
    with pytest.raises(Missing):
        rita.history("account", foreign.id)
    assert rita.count("account").n == 1
    assert rita.totals("account", {"name": "count"})["name"] == 1
    assert [g.count for g in rita.groups("account", "city")] == [1]
    assert [c.title for c in rita.pick("account", "")] == ["rita's"]
    assert {h.title for h in rita.search("ron")} <= {"Ron"}
    assert rita.may("update", "account", foreign.id) is False
    assert rita.may("update", "account", made["rita"][0]) is True


def test_a_team_sees_its_members_records_and_updates_its_own(world, person):
    people, made = world
    boss = person("Berta", "rep", team=(people["rita"].principal.id,))
    assert names(boss, "deal") == ["rita deal"]
    with pytest.raises(Forbidden):
        boss.update("deal", made["rita"][1].id, {"name": "x"})


def test_what_a_link_leads_to_is_blank_for_who_may_not_read_it(system, world):
    people, made = world
    rita = people["rita"]
    system.update("deal", made["rita"][1].id, {"account": made["ron"][0].id})
    deal = rita.list("deal", columns=["account", "account.city"]).rows[0]
    assert deal["account"].title is None
    assert deal["account.city"] is None
    assert names(rita, "deal", where=['account.city == "Rome"']) == []


def test_a_hidden_field_leaves_no_trace(world):
    people, made = world
    rita, mine = people["rita"], made["rita"][0]
    assert "margin" not in rita.readable_fields("account")
    assert "margin" not in rita.read("account", mine.id)
    for call in (
        lambda: rita.list("account", columns=["margin"]),
        lambda: rita.list("account", columns=["name"], sort=[Sort("margin")]),
        lambda: rita.list("account", columns=["name"], where=["margin > 3"]),
        lambda: rita.list("deal", columns=["account.margin"]),
        lambda: rita.list("deal", columns=["name"], where=["account.margin > 3"]),
        lambda: rita.groups("account", "margin"),
        lambda: rita.totals("account", {"margin": "sum"}),
        lambda: rita.update("account", mine.id, {"margin": 3}),
    ):
        with pytest.raises(Refused) as refused:
            call()
        assert "margin" not in str(refused.value.faults[0].params.get("hint"))
    assert names(rita, "account", q="hushrita") == []
    assert names(people["mona"], "account", q="hushrita") == ["rita's"]
    assert not {"margin", "secret_note"} & {c.field for h in rita.history("account", mine.id) for c in h.changes}
    assert "margin" not in rita.evaluate_form("account", {}, mine.id).fields


def test_a_masked_field_is_shown_in_part_and_not_used(world):
    people, made = world
    rita, mine = people["rita"], made["rita"][0]
    shown = rita.read("account", mine.id)["phone"]
    assert "•" in shown
    assert "15112345678" not in shown
    with pytest.raises(Refused):
        rita.list("account", columns=["name"], where=['phone == "+4915112345678"'])
    with pytest.raises(Refused):
        rita.list("account", columns=["name"], sort=[Sort("phone")])
    with pytest.raises(Refused):
        rita.update("account", mine.id, {"phone": "+4915100000000"})
    assert rita.update("account", mine.id, {"phone": shown, "city": "Oslo"})["city"] == "Oslo"


def test_a_read_only_field_is_refused_only_when_it_changes(world):
    people, made = world
    rita, deal = people["rita"], made["rita"][1]
    with pytest.raises(Refused) as refused:
        rita.update("deal", deal.id, {"discount": 5})
    assert refused.value.faults[0].code == "forbidden"
    assert rita.update("deal", deal.id, {"discount": None, "name": "new"})["name"] == "new"
    assert "discount" not in rita.writable_fields("deal")


def test_who_may_read_but_not_more_is_told_so(system, world):
    people, made = world
    contact = system.create("contact", {"name": "Anna"})
    with pytest.raises(Forbidden):
        people["rita"].delete("contact", contact.id)
    with pytest.raises(Forbidden):
        people["nora"].update("account", made["rita"][0].id, {"city": "x"})


def test_who_creates_must_end_up_within_reach(system, world, person):
    people, made = world
    with pytest.raises(Refused):
        people["rita"].create("deal", {"name": "x", "account": made["ron"][0].id})
    assert people["rita"].create("account", {"name": "New"})["owner"].id == people["rita"].principal.id


def test_parts_are_secured_with_their_parent(system, world):
    people, made = world
    for name in ("rita", "ron"):
        system.update("deal", made[name][1].id, {"lines": [{"product": f"{name} part"}]})
    lines = people["rita"].list("deal_line", columns=["product"]).rows
    assert [line["product"] for line in lines] == ["rita part"]
    assert people["rita"].may("update", "deal_line", lines[0].id)


def test_several_roles_add_up(person, world):
    both = person("Bea", "rep", "north")
    assert names(both, "account") == ["rita's"]
    assert "margin" in both.readable_fields("account")


def test_an_open_form_gives_nothing_away(world):
    people, made = world
    form = {"account": str(made["ron"][0].id)}
    assert people["rita"].evaluate_form("deal", form).computed["industry"] is None
    assert people["mona"].evaluate_form("deal", form).computed["industry"] == "Rome"
