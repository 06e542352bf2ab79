"""When records of a pool go back: the algebra, and that every way to an owner sets the clock."""

from __future__ import annotations

from tests.records.pools.conftest import DAY, Crm, at

from trellis.records.pools import claiming


def test_protection_is_extended_and_ends_at_its_most(crm: Crm) -> None:
    lead = crm.lead(now=at(3, 24))
    assert crm.returns(lead) is None
    assert claiming.claim(crm.by("ann", at(3, 25)), "leads", [lead])[0].done
    told = [crm.returns(lead)]
    for month, day in ((3, 28), (4, 2), (4, 4), (4, 7), (4, 10), (4, 12), (4, 13)):
        crm.system(at(month, day)).create("call", {"subject": "Hello", "about": {"entity": "lead", "id": str(lead)}})
        told.append(crm.returns(lead))
    assert told == [at(4, 4), at(4, 4), at(4, 5), at(4, 7), at(4, 10), at(4, 13), at(4, 14), at(4, 14)]


def test_the_golden_case(crm: Crm) -> None:
    lead = crm.lead(now=at(3, 24))
    claiming.claim(crm.by("golda", at(3, 25)), "leads", [lead])
    for day, hour, expected in ((28, 10, at(4, 4)), (2, 10, at(4, 5)), (5, 9, at(4, 8, 9))):
        moment = at(3 if day == 28 else 4, day, hour)
        crm.system(moment).create("call", {"subject": "Hello", "about": {"entity": "lead", "id": str(lead)}})
        assert crm.returns(lead) == expected


def test_every_way_to_an_owner_sets_the_clock(crm: Crm) -> None:
    system, ten = crm.system(at(5, 1)), at(5, 11)
    ann, bea = crm.person("ann"), crm.person("bea")
    made = crm.by("ann", at(5, 1)).create("lead", {"name": "By hand"}).id
    many = system.create_many("lead", [{"name": "Imported", "owner": str(ann.id)}], means="import")
    edited, bulk = crm.lead(now=DAY), crm.lead("Bulk", now=DAY)
    system.update("lead", edited, {"owner": str(ann.id)})
    system.update_many("lead", [(bulk, {"owner": str(ann.id)})])
    loser, winner = crm.lead("Double", "ann", now=DAY), crm.lead("Double", now=DAY)
    system.merge("lead", winner, [loser])
    gone = crm.lead("Gone", "ann", now=DAY)
    crm.system(at(3, 26)).delete("lead", gone)
    system.restore("lead", gone)
    handed = crm.lead("Handed", "ann", now=DAY)
    system.update("lead", handed, {"owner": str(bea.id)})
    for id in (made, many[0].id, edited, bulk, winner, gone, handed):
        assert crm.returns(id) == ten, crm.system().read("lead", id, fields=["name"])["name"]
    told = system.read("lead", handed, fields=["previous_owner", "owner_since"])
    assert (told["previous_owner"], told["owner_since"]) == (ann, at(5, 1))


def test_undoing_a_bulk_edit_sets_it_too(crm: Crm) -> None:
    lead = crm.lead("Undone", "ann", now=DAY)
    boss = crm.by("bob", at(5, 1), "boss")
    with boss.batch("edit", "lead") as batch:
        boss.update("lead", lead, {"owner": None})
    assert crm.returns(lead) is None
    crm.system(at(5, 2)).undo(batch.id)
    assert (crm.owner(lead), crm.returns(lead)) == ("ann", at(5, 12))


def test_what_the_filter_leaves_out_has_no_date_until_it_is_back(crm: Crm) -> None:
    lead = crm.lead("Closed", "ann", now=DAY)
    crm.system(at(3, 26)).update("lead", lead, {"closed": True})
    assert crm.returns(lead) is None
    crm.system(at(3, 27)).update("lead", lead, {"closed": False})
    assert crm.returns(lead) == at(4, 4, 9)


def test_a_clock_is_no_change_of_the_record(crm: Crm) -> None:
    lead = crm.lead("Calm", "ann", now=DAY)
    before = crm.system().read("lead", lead)
    crm.system(at(4, 3)).create("call", {"subject": "Hello", "about": {"entity": "lead", "id": str(lead)}})
    after = crm.system().read("lead", lead)
    assert (before.version, before["returns_at"]) != (after.version, after["returns_at"])
    assert before.version == after.version
    assert len(crm.system().history("lead", lead)) == 1


def test_people_do_not_set_the_dates_themselves(crm: Crm) -> None:
    store = crm.by("ann")
    lead = store.create("lead", {"name": "Mine"}).id
    refused = []
    for name in ("returns_at", "owner_since", "locked_until"):
        try:
            store.update("lead", lead, {name: "2030-01-01T00:00:00"})
        except Exception as error:
            refused.append(type(error).__name__)
    assert refused == ["Refused"] * 3
