from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.conftest import layers_of
from tests.records.conversion_crm import CRM

from trellis.formula.reader import Reader
from trellis.formula.types import Ref
from trellis.records.conversion import converting
from trellis.records.principal import Principal
from trellis.records.record import Record
from trellis.records.refusal import Forbidden, Refused
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant


@pytest.fixture(scope="module")
def crm(catalogue: Catalogue) -> Iterator[Tenant]:
    yield catalogue.create("records-converting", layers_of(CRM, "records-converting"), "test")
    catalogue.drop("records-converting")


@pytest.fixture
def store(crm: Tenant) -> Store:
    return Store(crm, Principal.system(Reader()))


def new_lead(store: Store, company: str, **values: Any) -> Record:
    return store.create("lead", {"name": "Ada", "company": company, **values})


def test_each_becomes_something_new_or_the_one_that_is_there(store):
    there = store.create("account", {"name": "Birch"})
    birch, cedar = new_lead(store, "Birch"), new_lead(store, "Cedar")
    first, second = store.convert_many("lead", [birch.id, cedar.id])
    assert (first.became["account"].is_new, first.became["account"].ref.id) == (False, there.id)
    assert second.became["account"].is_new
    assert second.became["account"].ref.title == "Cedar"
    assert store.read("lead", birch.id)["converted_account"].id == there.id


def test_two_of_one_company_share_the_new_account(store):
    leads = [new_lead(store, "Dogwood"), new_lead(store, "Dogwood", name="Bo")]
    one, two = store.convert_many("lead", [lead.id for lead in leads])
    assert one.became["account"].ref.id == two.became["account"].ref.id
    assert not two.became["account"].is_new
    assert store.count("account", where=['name == "Dogwood"']).n == 1


def test_where_several_look_alike_a_new_one_is_made_and_it_says_so(store):
    for _each in range(2):
        store.create("account", {"name": "Elm"})
    [done] = store.convert_many("lead", [new_lead(store, "Elm").id])
    assert (done.became["account"].is_new, done.became["account"].alike) == (True, 2)


def test_one_that_agrees_only_in_part_is_not_taken(store):
    store.create("account", {"name": "Fir", "website": "https://other.example"})
    [done] = store.convert_many("lead", [new_lead(store, "Fir", website="https://fir.example").id])
    assert (done.became["account"].is_new, done.became["account"].alike) == (True, 1)


def test_what_is_refused_stays_and_holds_up_no_other(store):
    again = new_lead(store, "Gum")
    store.convert("lead", again.id)
    unready, too_long, good = (
        new_lead(store, "Hazel", is_ready=False),
        new_lead(store, "x" * 41),
        new_lead(store, "Ivy"),
    )
    done = store.convert_many("lead", [again.id, unready.id, too_long.id, good.id])
    assert [[f.code for f in one.faults] for one in done[:2]] == [["converted"], ["convert"]]
    assert done[2].faults[0].field == "account.name"
    assert not done[3].faults
    assert store.read("lead", too_long.id)["converted_at"] is None
    assert store.count("contact", where=['account.name == "Hazel"']).n == 0


def test_optional_targets_can_be_left_out(store):
    [done] = store.convert_many("lead", [new_lead(store, "Juniper").id], ["deal", "account"])
    assert set(done.became) == {"account", "contact"}  # the account is not optional


def test_all_of_them_are_one_batch_and_undone_at_once(store):
    leads = [new_lead(store, f"Larch {n}") for n in range(3)]
    done = store.convert_many("lead", [lead.id for lead in leads])
    [batch] = [b for b in store.batches(limit=5) if b.kind == "convert" and b.counts["changed"] == 3]
    undone = store.undo(batch.id)
    assert undone.counts == {"changed": 3, "deleted": 9}
    assert all(store.read("lead", lead.id)["converted_at"] is None for lead in leads)
    assert store.read("account", done[0].became["account"].ref.id, deleted=True).deleted_at is not None


def test_what_they_would_become_is_told_and_nothing_is_written(store):
    store.create("account", {"name": "Maple"})
    maple, unready = new_lead(store, "Maple"), new_lead(store, "Nutmeg", is_ready=False)
    first, second = store.propose_many("lead", [maple.id, unready.id])
    assert {name: b.is_new for name, b in first.became.items()} == {"account": False, "contact": True, "deal": True}
    assert [f.code for f in second.faults] == ["convert"]
    assert store.read("lead", maple.id)["converted_at"] is None


def test_a_match_out_of_reach_is_not_linked_and_not_named(crm, store):
    user = store.create("user", {"name": "rep"})
    reader = Reader(me=Ref("user", user.id, "rep"), roles=frozenset({"rep"}))
    rep = Store(crm, Principal(reader, id=user.id, name="rep", roles=frozenset({"rep"})))
    store.create("account", {"name": "Oak"})
    mine, other = new_lead(store, "Oak", owner=user.id), new_lead(store, "Pine")
    first, second = rep.convert_many("lead", [mine.id, other.id])
    assert (first.became["account"].is_new, first.became["account"].alike) == (True, 1)
    assert [f.code for f in second.faults] == ["missing"]
    with pytest.raises(Forbidden):
        rep.convert_many("account", [mine.id])


def test_too_many_at_once_are_refused(store, monkeypatch):
    monkeypatch.setattr(converting, "MOST", 1)
    with pytest.raises(Refused, match="At most"):
        store.convert_many("lead", [new_lead(store, "Q").id, new_lead(store, "R").id])


def test_the_stage_of_converted_records_is_not_reached_by_hand(store):
    lead = new_lead(store, "Rowan")
    with pytest.raises(Refused, match="choose Convert") as refused:
        store.update("lead", lead.id, {"status": "converted"})
    assert [(f.field, f.code) for f in refused.value.faults] == [("status", "convert")]
    store.update("lead", lead.id, {"status": "converted"}, means="import")
    assert store.read("lead", lead.id)["status"] == "converted"
