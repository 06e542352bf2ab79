"""What a many-to-many keeps with each of its links: the part that a contact plays in a deal."""

from __future__ import annotations

import pytest

from trellis.formula.types import Ref
from trellis.records.reading.pointing import link_values
from trellis.records.refusal import Refused


@pytest.fixture
def deal(system):
    account = system.create("account", {"name": "Acme"})
    people = [system.create("contact", {"name": name}) for name in ("Anna", "Bert")]
    given = [{"id": people[0].id, "part": "buyer"}, people[1].id]
    return system.create("deal", {"name": "Pilot", "account": account.id, "contacts": given}), people


def parts(store, deal, people):
    kept = link_values(store, "deal", "contacts", deal.ref, [p.id for p in people], from_owner=True)
    return [kept[p.id]["part"] for p in people]


def test_they_are_saved_with_the_links(system, deal):
    made, people = deal
    assert parts(system, made, people) == ["buyer", None]
    system.update(
        "deal", made.id, {"contacts": [{"id": people[0].id, "part": ""}, {"id": people[1].id, "part": "user"}]}
    )
    assert parts(system, made, people) == [None, "user"]


def test_links_without_them_keep_what_they_have(system, deal):
    made, people = deal
    system.update("deal", made.id, {"contacts": [people[1].id, people[0].id]})
    assert parts(system, made, people) == ["buyer", None]


def test_giving_back_what_is_stored_changes_nothing(system, deal):
    made, people = deal
    given = [{"id": str(people[0].id), "part": "buyer"}, {"id": str(people[1].id), "part": None}]
    again = system.update("deal", made.id, {"contacts": given})
    assert again.version == made.version
    assert len(system.history("deal", made.id)) == 1


def test_a_wrong_value_is_told_at_its_link(system, deal):
    made, people = deal
    with pytest.raises(Refused) as refused:
        system.update("deal", made.id, {"contacts": [people[0].id, {"id": people[1].id, "part": "chief"}]})
    assert refused.value.faults[0].field == "contacts.1.part"


def test_a_filter_asks_for_them(system, deal):
    made, people = deal
    assert [r.id for r in system.list("deal", columns=["name"], where=['any(contacts, via.part == "buyer")']).rows] == [
        made.id
    ]
    found = system.list("contact", columns=["name"], where=['any(deals, via.part == "buyer")']).rows
    assert [r.ref for r in found] == [Ref("contact", people[0].id)]


def told(store, made):
    return [(c.field, c.old, c.new) for entry in store.history("deal", made.id) for c in entry.changes]


def test_the_history_tells_what_they_were(system, deal):
    made, people = deal
    both = [people[0].id, {"id": people[1].id, "part": "user"}]
    system.update("deal", made.id, {"contacts": both})
    assert told(system, made)[0] == (f"contacts.{people[1].id}.part", None, "user")
    system.link("deal", made.id, "contacts", people[0].id, {"part": "user"})
    assert told(system, made)[0] == (f"contacts.{people[0].id}.part", "buyer", "user")
    system.link("contact", people[1].id, "deals", made.id, {"part": "buyer"})
    assert told(system, made)[0] == (f"contacts.{people[1].id}.part", "user", "buyer")
    entries = len(system.history("deal", made.id))
    system.link("deal", made.id, "contacts", people[0].id, {"part": "user"})
    assert len(system.history("deal", made.id)) == entries


@pytest.fixture
def part_is_required(system):
    column = system.tenant.model.entities["deal"].fields["contacts"].type.link_columns["part"]
    object.__setattr__(column, "required", True)
    yield
    object.__setattr__(column, "required", False)


def test_a_required_one_is_asked_for_with_every_new_link(system, deal, part_is_required):
    made, people = deal
    anna, bert = (p.id for p in people)
    system.update("deal", made.id, {"contacts": [bert, anna]})  # as they were linked before
    with pytest.raises(Refused) as refused:
        system.update("deal", made.id, {"contacts": [bert, {"id": anna, "part": ""}]})
    assert [(f.code, f.field) for f in refused.value.faults] == [("required", "contacts.1.part")]
    with pytest.raises(Refused):
        system.create("deal", {"name": "New", "account": made["account"], "contacts": [anna]})
    system.unlink("deal", made.id, "contacts", anna)
    with pytest.raises(Refused) as refused:
        system.link("deal", made.id, "contacts", anna)
    assert [(f.code, f.field) for f in refused.value.faults] == [("required", "part")]


def test_the_history_tells_what_a_link_that_goes_has_kept(system, deal):
    made, people = deal
    system.update("deal", made.id, {"contacts": [people[1].id]})
    assert (f"contacts.{people[0].id}.part", "buyer", None) in told(system, made)


def test_undoing_a_bulk_edit_gives_links_back_what_they_kept(system, deal):
    made, people = deal
    anna, bert = (p.id for p in people)
    system.update_many("deal", [(made.id, {"contacts": [{"id": bert, "part": "user"}]})], means="bulk")
    assert parts(system, made, people[1:]) == ["user"]
    assert system.undo(system.batches()[0].id).counts == {"changed": 1}
    assert [ref.id for ref in system.read("deal", made.id)["contacts"]] == [anna, bert]
    assert parts(system, made, people) == ["buyer", None]
    assert system.read("deal", made.id)["buyers"] == 1
    assert system.undo(system.batches()[0].id).counts == {"changed": 1}  # the undoing itself
    assert parts(system, made, people[1:]) == ["user"]


def test_what_a_link_keeps_by_now_stays_when_it_was_changed_since(system, deal):
    made, people = deal
    anna = people[0].id
    system.update_many("deal", [(made.id, {"contacts": [{"id": anna, "part": "user"}, people[1].id]})], means="bulk")
    system.update("deal", made.id, {"contacts": [{"id": anna, "part": ""}, people[1].id]})
    [row] = system.undo(system.batches()[0].id).rows
    assert (row.status, [(f.field, f.code) for f in row.faults]) == ("refused", [("contacts", "since")])
    assert parts(system, made, people) == [None, None]


@pytest.mark.parametrize("side", ["deal", "contact"])
def test_undoing_gives_an_unlinked_record_its_part_again(system, deal, side):
    made, people = deal
    with system.batch("edit", "deal"):
        if side == "deal":
            system.unlink("deal", made.id, "contacts", people[0].id)
        else:
            system.unlink("contact", people[0].id, "deals", made.id)
    assert system.read("deal", made.id)["buyers"] == 0
    system.undo(system.batches()[0].id)
    assert parts(system, made, people) == ["buyer", None]
    assert system.read("deal", made.id)["buyers"] == 1
