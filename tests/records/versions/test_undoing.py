from __future__ import annotations

import pytest
from tests.conftest import layers_of
from tests.records.conversion_crm import CRM

from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.refusal import Forbidden, Missing, Refused
from trellis.records.store import Store
from trellis.records.transfer import import_table
from trellis.records.transfer.reading import read_table


@pytest.fixture
def account(system):
    return system.create("account", {"name": "Acme"})


def rows(result):
    return [(row.status, [(f.field, f.code) for f in row.faults]) for row in result.rows]


def last(store):
    return store.batches()[0]


def test_a_bulk_edit_goes_back_except_what_was_changed_since(system):
    ids = [system.create("account", {"name": f"A{n}", "city": "Kiel", "employees": 5}).id for n in range(3)]
    system.update_many("account", [(id, {"city": "Bonn", "employees": 9}) for id in ids], means="bulk")
    told = last(system)
    assert (told.kind, told.entity, told.counts) == ("edit", "account", {"changed": 3})
    system.update("account", ids[0], {"city": "Jena"})
    result = system.undo(told.id)
    assert sorted(rows(result)) == [
        ("changed", []),
        ("changed", []),
        ("changed", [("city", "since")]),
    ]
    found = [system.read("account", id) for id in ids]
    assert [r["city"] for r in found] == ["Jena", "Kiel", "Kiel"]
    assert [r["employees"] for r in found] == [5, 5, 5]


def test_what_an_import_created_goes_to_the_bin(system, account):
    outcomes = system.create_many(
        "deal", [{"name": "One", "account": account.id}, {"name": "Two", "account": account.id}]
    )
    system.update("deal", outcomes[0].id, {"name": "One and a half"})
    result = system.undo(last(system).id)
    assert sorted(rows(result)) == [("deleted", []), ("deleted", [(None, "since")])]
    assert system.count("deal").n == 0
    assert system.count("deal", deleted=True).n == 2


def test_an_import_is_undone_what_it_made_and_what_it_changed(system):
    known = system.create("contact", {"name": "Anna", "email": "anna@example.com"})
    text = "email,name\nanna@example.com,Anna B\nben@example.com,Ben\n"
    assert import_table(system, "contact", read_table(text), dry_run=True).batch is None
    summary = import_table(system, "contact", read_table(text))
    assert (summary.counts["created"], summary.counts["updated"]) == (1, 1)
    assert last(system).counts == {"created": 1, "changed": 1}
    assert system.undo(summary.batch).counts == {"deleted": 1, "changed": 1}
    assert [r["name"] for r in system.list("contact", columns=["name"]).rows] == ["Anna"]
    assert system.read("contact", known.id)["name"] == "Anna"
    assert import_table(system, "contact", read_table("email,name\nanna@example.com,Anna\n")).batch is None


def test_what_is_held_stays_and_says_why(system):
    [outcome] = system.create_many("account", [{"name": "Acme"}])
    batch = last(system).id
    system.create("deal", {"name": "Pilot", "account": outcome.id})
    result = system.undo(batch)
    assert rows(result) == [("refused", [(None, "restrict")])]
    assert result.batch is None
    system.read("account", outcome.id)


def test_deleted_records_come_back_with_what_went_along(system, account):
    deal = system.create("deal", {"name": "Pilot", "account": account.id, "lines": [{"product": "pen", "price": 2}]})
    system.delete_many("deal", [deal.id])
    result = system.undo(last(system).id)
    assert {row.status for row in result.rows} <= {"restored", "unchanged"}
    assert system.read("deal", deal.id)["lines_total"].amount == 2


def test_a_stage_goes_back_where_no_move_leads(system, account):
    deal = system.create("deal", {"name": "Pilot", "account": account.id, "amount": 10, "stage": "negotiate"})
    system.update("deal", deal.id, {"checklist": ["negotiate.legal"]})
    system.update_many("deal", [(deal.id, {"stage": "won"})], means="bulk")
    system.undo(last(system).id)
    after = system.read("deal", deal.id)
    assert (after["stage"], after["stage_type"], after["probability"]) == ("negotiate", "open", 70)


def test_an_undoing_is_undone_and_the_batch_can_be_undone_again(system):
    [outcome] = system.create_many("account", [{"name": "Acme"}])
    first = last(system).id
    second = system.undo(first).batch
    with pytest.raises(Refused):
        system.undo(first)
    system.undo(second)
    assert system.read("account", outcome.id)["name"] == "Acme"
    system.undo(first)
    assert system.count("account").n == 0


def test_a_batch_that_changed_nothing_is_not_kept(system):
    before = len(system.batches())
    system.create_many("account", [{"name": ""}])
    system.delete_many("account", [])
    assert len(system.batches()) == before


def test_several_transactions_are_one_batch(system):
    with system.batch("edit", "account") as batch:
        one = system.create("account", {"name": "A"})
        two = system.create("account", {"name": "B"})
    assert last(system).id == batch.id
    system.undo(batch.id)
    for record in (one, two):
        with pytest.raises(Missing):
            system.read("account", record.id)


def test_a_transaction_that_is_rolled_back_leaves_no_batch(system):
    before = len(system.batches())
    with pytest.raises(Refused), system.batch("edit", "account"), system.transaction():
        system.create_many("account", [{"name": "A"}, system.create("account", {"name": ""})])
    assert len(system.batches()) == before


def test_only_who_made_a_batch_undoes_it(system, person):
    anna, ben = person("Anna", "manager"), person("Ben", "manager")
    record = anna.create("account", {"name": "A", "city": "Kiel"})
    anna.update_many("account", [(record.id, {"city": "Bonn"})], means="bulk")
    batch = last(anna).id
    assert [told.id for told in ben.batches()] == []
    with pytest.raises(Missing):
        ben.undo(batch)
    anna.undo(batch)
    assert system.read("account", record.id)["city"] == "Kiel"


def test_who_may_not_edit_any_more_does_not_undo(system, sales, person):
    anna = person("Anna", "manager")
    record = anna.create("account", {"name": "A", "city": "Kiel"})
    anna.update_many("account", [(record.id, {"city": "Bonn"})], means="bulk")
    batch = last(anna).id
    clerk = Store(
        sales, Principal(anna.principal.reader, id=anna.principal.id, name="Anna", roles=frozenset({"clerk"}))
    )
    with pytest.raises(Forbidden):
        clerk.undo(batch)


def test_a_conversion_is_undone(catalogue):
    tenant = catalogue.create("records-unconvert", layers_of(CRM, "records-unconvert"), "test")
    try:
        store = Store(tenant, Principal.system(Reader()))
        lead = store.create("lead", {"name": "Ada", "company": "Acme"})
        note = store.create("note", {"text": "rang", "about": lead.ref})
        done = store.convert("lead", lead.id)
        result = store.undo(done.batch)
        assert "refused" not in result.counts
        after = store.read("lead", lead.id)
        assert (after["converted_at"], after["converted_account"], after["status"]) == (None, None, "new")
        assert store.read("note", note.id)["about"].id == lead.id
        assert (store.count("account").n, store.count("deal").n) == (0, 0)
        store.update("lead", lead.id, {"name": "Ada L"})
        store.undo(result.batch)
        with pytest.raises(Refused):
            store.update("lead", lead.id, {"name": "Ada"})
        assert store.read("deal", done.became["deal"].id)["account"].id == done.became["account"].id
    finally:
        catalogue.drop("records-unconvert")


def test_one_of_many_that_is_held_keeps_no_other_from_being_undone(system, account):
    made = system.create_many("account", [{"name": f"New {n}"} for n in range(4)])
    imported = last(system).id
    system.create("deal", {"name": "Holds", "account": made[2].id})
    result = system.undo(imported)
    assert sorted(row.status for row in result.rows) == ["deleted", "deleted", "deleted", "refused"]
    assert system.read("account", made[2].id)["name"] == "New 2"


def test_many_that_were_deleted_one_after_the_other_come_back(system):
    ids = [system.create("account", {"name": f"Gone {n}"}).id for n in range(3)]
    with system.batch("delete", "account") as batch:
        for id in ids:
            system.delete("account", id, means="bulk")
    assert system.undo(batch.id).counts == {"restored": 3}
    assert system.undo(last(system).id).counts == {"deleted": 3}
