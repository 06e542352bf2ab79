from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from tests.conftest import layers_of
from tests.records.conversion_crm import CRM

from trellis.formula.reader import Reader
from trellis.formula.types import Ref
from trellis.records.principal import Principal
from trellis.records.record import Record
from trellis.records.refusal import Forbidden, Missing, Refused
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant


@pytest.fixture(scope="module")
def crm(catalogue: Catalogue) -> Iterator[Tenant]:
    yield catalogue.create("records-convert", layers_of(CRM, "records-convert"), "test")
    catalogue.drop("records-convert")


@pytest.fixture
def store(crm: Tenant) -> Store:
    return Store(crm, Principal.system(Reader()))


@pytest.fixture
def person(crm: Tenant, store: Store) -> Callable[..., Store]:
    def make(role: str) -> Store:
        user = store.create("user", {"name": role})
        reader = Reader(me=Ref("user", user.id, role), roles=frozenset({role}))
        return Store(crm, Principal(reader, id=user.id, name=role, roles=frozenset({role})))

    return make


def new_lead(store: Store, **values: Any) -> Record:
    given = {"name": "Ada", "company": "Acme", "email": "ada@acme.example", "budget": 900, "tags": ["hot"]}
    return store.create("lead", {**given, **values})


def faults_of(refused: pytest.ExceptionInfo[Refused]) -> list[tuple[str | None, str]]:
    return [(f.field, f.code) for f in refused.value.faults]


def test_a_lead_becomes_records_that_name_each_other(store):
    lead = new_lead(store, website="https://acme.example")
    done = store.convert("lead", lead.id)
    account, contact, deal = (done.became[name].id for name in ("account", "contact", "deal"))
    assert store.read("account", account)["name"] == "Acme"
    assert store.read("account", account)["tags"] == ("hot",)
    assert store.read("contact", contact)["account"].id == account
    sale = store.read("deal", deal)
    assert (sale["name"], sale["buyer"].id, sale["amount"].amount) == ("Acme: https://acme.example", contact, 900)
    assert done.created == {"account", "contact", "deal"}


def test_the_lead_tells_what_it_became_and_they_where_they_come_from(store):
    lead = new_lead(store)
    done = store.convert("lead", lead.id)
    after = store.read("lead", lead.id)
    assert (after["status"], after["status_type"], after["converted_at"] is not None) == ("converted", "done", True)
    assert after["converted_account"].id == done.became["account"].id
    where = f'converted_deal.id == "{done.became["deal"].id}"'
    assert store.count("lead", where=["not is_blank(converted_at)", where]).n == 1
    assert store.list("account", columns=["name"], where=["count(from_lead) > 0"]).rows
    assert store.history("lead", lead.id)[0].kind == "convert"
    assert {c.means for c in store.history("account", done.became["account"].id)} == {"convert"}


def test_what_exists_is_linked_and_left_as_it_is(store):
    account = store.create("account", {"name": "Acme Ltd", "website": "https://old.example"})
    lead = new_lead(store, website="https://new.example")
    done = store.convert("lead", lead.id, {"account": {"existing": account.id}, "deal": "skip"})
    assert done.became.keys() == {"account", "contact"}
    kept = store.read("account", account.id)
    assert (kept["website"], kept["tags"], kept.version) == ("https://old.example", None, account.version)
    assert store.read("contact", done.became["contact"].id)["account"].id == account.id
    assert store.read("lead", lead.id)["converted_deal"] is None


def test_values_may_be_typed_over(store):
    done = store.convert("lead", new_lead(store).id, {"account": {"new": {"name": "Acme Holding"}}})
    assert store.read("account", done.became["account"].id)["name"] == "Acme Holding"


def test_every_fault_is_told_at_its_target_and_field(store):
    lead = new_lead(store, company=None)
    with pytest.raises(Refused) as refused:
        store.convert("lead", lead.id, {"contact": {"new": {"email": "nonsense"}}, "cat": "new"})
    assert faults_of(refused) == [("cat", "unknown"), ("account.name", "required"), ("contact.email", "email")]
    assert store.read("lead", lead.id)["converted_at"] is None
    assert store.count("deal", where=["name == ': '"]).n == 0


@pytest.mark.parametrize(
    ("choices", "told"),
    [
        ({"account": "skip"}, [("account", "required")]),
        ({"account": "perhaps"}, [("account", "invalid")]),
        ({"account": {"existing": "nothing"}}, [("account", "link")]),
        ({"account": {"existing": "018f0000-0000-7000-8000-000000000000"}}, [("account", "link")]),
        ({"account": {"new": {"nme": "x"}}}, [("account.nme", "unknown")]),
        ({"account": {"new": {"name": "x" * 41}}}, [("account.name", "length")]),
    ],
)
def test_wrong_choices_are_refused(store, choices, told):
    with pytest.raises(Refused) as refused:
        store.convert("lead", new_lead(store).id, choices)
    assert faults_of(refused) == told


def test_a_lead_is_converted_once(store):
    lead = new_lead(store)
    store.convert("lead", lead.id)
    with pytest.raises(Refused) as refused:
        store.convert("lead", lead.id)
    assert faults_of(refused) == [(None, "converted")]


def test_two_at_once_convert_once(crm, store):
    lead = new_lead(store, company="Twice")
    told: list[str] = []
    barrier = threading.Barrier(2)

    def run() -> None:
        barrier.wait()
        try:
            Store(crm, Principal.system(Reader())).convert("lead", lead.id)
            told.append("done")
        except Refused as refused:
            told.append(refused.faults[0].code)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["converted", "done"]
    assert store.count("account", where=['name == "Twice"']).n == 1


def test_a_converted_lead_is_read_only_for_every_writer(store):
    lead = store.create("lead", {"name": "Bo", "company": "Bo Ltd", "lines": [{"what": "a boat"}]})
    [wish] = store.lines("lead", lead.id, "lines")
    store.convert("lead", lead.id)
    for write in (
        lambda: store.update("lead", lead.id, {"name": "Bob"}),
        lambda: store.update("lead", lead.id, {"name": "Bob"}, means="workflow"),
        lambda: store.update("lead", lead.id, {"status": "new"}),
        lambda: store.update("wish", wish.id, {"what": "a ship"}),
        lambda: store.update("lead", lead.id, {"lines": []}),
        lambda: store.delete("lead", lead.id),
    ):
        with pytest.raises(Refused) as refused:
            write()
        assert "locked" in [f.code for f in refused.value.faults]
    [outcome] = store.update_many("lead", [(lead.id, {"name": "Bob"})])
    assert (outcome.status, outcome.faults[0].code) == ("refused", "locked")
    assert store.read("lead", lead.id)["name"] == "Bo"


def test_what_is_about_the_lead_follows(crm, store):
    lead = new_lead(store)
    note = store.create("note", {"text": "rang", "about": lead.ref})
    fair = store.create("campaign", {"name": "Fair"})
    member = store.create("member", {"campaign": fair.id, "lead": lead.id})
    tables = crm.tables.platform
    with store.transaction() as connection:
        user = store.create("user", {"name": "F"}).id
        connection.execute(sa.insert(tables.follow).values(user=user, entity="lead", record=lead.id))
        said = {"id": lead.id, "entity": "lead", "record": lead.id, "body": "hm"}
        connection.execute(sa.insert(tables.comment).values(said))
    done = store.convert("lead", lead.id)
    assert store.read("note", note.id)["about"].id == done.became["deal"].id
    row = store.read("member", member.id)
    assert (row["contact"].id, row["lead"].id) == (done.became["contact"].id, lead.id)
    assert done.moved == {"note": 1, "member": 1}
    with store.transaction() as connection:
        followed = connection.execute(sa.select(tables.follow.c.entity).where(tables.follow.c.user == user)).scalars()
        assert set(followed) == {"lead", "account", "contact", "deal"}
        assert connection.execute(sa.select(tables.comment.c.record)).scalars().all() == [done.became["deal"].id]


def test_who_is_in_the_campaign_already_is_not_added_twice(store):
    contact = store.create("contact", {"name": "Cy"})
    fair = store.create("campaign", {"name": "Fair"})
    store.create("member", {"campaign": fair.id, "contact": contact.id})
    lead = new_lead(store)
    store.create("member", {"campaign": fair.id, "lead": lead.id})
    done = store.convert("lead", lead.id, {"contact": {"existing": contact.id}})
    assert "member" not in done.moved


def test_records_that_look_like_the_new_ones_are_proposed(store):
    account = store.create("account", {"name": "  Gadgets and More ", "website": "https://gadgets.example"})
    other = store.create("account", {"name": "Something else", "website": "https://gadgets.example"})
    lead = new_lead(store, company="gadgets and more", website="https://gadgets.example")
    proposal = store.propose("lead", lead.id)[0]
    assert [(m.ref.id, m.on) for m in proposal.matches] == [
        (account.id, ("name", "website")),
        (other.id, ("website",)),
    ]
    assert proposal.values["name"] == "gadgets and more"


def test_matches_out_of_reach_are_told_without_their_name(store, person):
    owner = store.create("user", {"name": "Olga"})
    store.create("account", {"name": "Hidden Ltd", "owner": owner.id})
    rep = person("rep")
    lead = new_lead(rep, company="Hidden Ltd")
    [match] = rep.propose("lead", lead.id)[0].matches
    assert (match.ref, match.owner) == (None, "Olga")


def test_only_who_is_granted_it_converts(store, person):
    rep, reader, helper = person("rep"), person("reader"), person("helper")
    lead = new_lead(store)
    with pytest.raises(Forbidden):
        reader.convert("lead", lead.id)
    with pytest.raises(Missing):
        rep.convert("lead", lead.id)
    assert not reader.may_convert("lead")
    assert rep.may_convert("lead")
    assert not rep.may_convert("lead", lead.id)  # somebody else's
    assert helper.may_convert("lead", lead.id)  # by the right `convert`, with what may be updated
    with pytest.raises(Refused) as refused:
        helper.convert("lead", lead.id)
    assert {("account", "forbidden"), ("contact", "forbidden")} <= set(faults_of(refused))
    mine = new_lead(rep)
    done = rep.convert("lead", mine.id)
    assert store.read("account", done.became["account"].id)["secret"] == "from a lead"  # filled, though hidden
    with pytest.raises(Refused) as refused:
        rep.convert("lead", new_lead(rep).id, {"account": {"new": {"secret": "mine"}}})
    assert faults_of(refused) == [("account.secret", "unknown")]


def test_what_is_not_ready_is_not_converted(store):
    lead = new_lead(store, is_ready=False)
    assert not store.may_convert("lead", lead.id)
    with pytest.raises(Refused) as refused:
        store.convert("lead", lead.id)
    assert faults_of(refused) == [(None, "convert")]


def test_what_has_no_conversion_is_not_converted(store):
    with pytest.raises(Forbidden):
        store.convert("account", store.create("account", {"name": "A"}).id)
