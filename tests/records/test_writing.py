from __future__ import annotations

import contextlib
import threading
from decimal import Decimal

import pytest

from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.refusal import Missing, Refused, Stale
from trellis.records.store import Store


@pytest.fixture
def account(system):
    return system.create("account", {"name": "Acme", "city": "Kiel"})


def faults(call, *args, **kwargs):
    with pytest.raises(Refused) as refused:
        call(*args, **kwargs)
    return {(f.field, f.code) for f in refused.value.faults}


def test_all_faults_are_told_at_once(system, account):
    values = {"nmae": 1, "amount": "-5", "close_date": "yesterdayish", "priority": "urgent"}
    assert faults(system.create, "deal", values) == {
        ("nmae", "unknown"),
        ("close_date", "invalid"),
        ("name", "required"),
        ("account", "required"),
        ("amount", "range"),
        ("priority", "choice"),
    }


def test_a_refused_save_changes_nothing(system, account):
    before = system.count("deal").n
    faults(system.create, "deal", {"name": "x"})
    assert system.count("deal").n == before


def test_defaults_fill_blanks_on_the_first_save_only(system, account):
    deal = system.create("deal", {"name": "a", "account": account.id})
    assert deal["priority"] == "normal"
    assert system.update("deal", deal.id, {"priority": None})["priority"] is None


def test_required_when_and_visible_when_are_judged_on_the_new_record(system, account):
    values = {"name": "a", "account": account.id, "amount": 2000}
    assert faults(system.create, "deal", values) == {("close_date", "required")}
    deal = system.create("deal", {**values, "close_date": "2026-01-01"})
    assert faults(system.update, "deal", deal.id, {"stage": "lost"}) == {("lost_reason", "required")}
    assert system.update("deal", deal.id, {"stage": "lost", "lost_reason": "price"})["stage_type"] == "lost"


def test_read_only_binds_people_and_not_the_system(system, person, account):
    mona = person("Mona", "manager")
    deal = mona.create("deal", {"name": "a", "account": account.id, "locked_after": "first"})
    assert faults(mona.update, "deal", deal.id, {"locked_after": "second"}) == {("locked_after", "readonly")}
    assert mona.update("deal", deal.id, {"locked_after": "first", "name": "b"})["name"] == "b"
    assert system.update("deal", deal.id, {"locked_after": "second"})["locked_after"] == "second"
    assert faults(mona.create, "deal", {"name": "c", "account": account.id, "stage_type": "won"}) == {
        ("stage_type", "readonly")
    }


def test_computed_fields_sent_back_do_no_harm(system, account):
    deal = system.create("deal", {"name": "a", "account": account.id, "amount": 50})
    assert system.update("deal", deal.id, {"expected": "999", "name": "b"})["expected"].amount == Decimal("5.00")


def test_a_rule_may_depend_on_the_role(person, account):
    clerk, boss = person("Cleo", "clerk"), person("Mona", "manager")
    values = {"name": "a", "account": account.id, "discount": 30}
    with pytest.raises(Refused, match="need a manager") as refused:
        clerk.create("deal", values)
    assert [(f.field, f.code) for f in refused.value.faults] == [("discount", "rule")]
    assert boss.create("deal", values)["discount"] == 30


def test_a_link_must_exist_and_be_live(system, account):
    ghost = "019a0000-0000-7000-8000-000000000000"
    assert faults(system.create, "deal", {"name": "a", "account": ghost}) == {("account", "link")}
    gone = system.create("account", {"name": "Gone"})
    system.delete("account", gone.id)
    assert faults(system.create, "deal", {"name": "a", "account": gone.id}) == {("account", "link")}


def test_unique_values_are_refused_whatever_the_case(system, account):
    system.create("deal", {"name": "Pilot", "account": account.id})
    assert faults(system.create, "deal", {"name": "PILOT", "account": account.id}) == {("name", "unique")}
    other = system.create("account", {"name": "Other"})
    system.create("deal", {"name": "Pilot", "account": other.id})
    system.create("contact", {"name": "A", "email": "a@x.example"})
    assert faults(system.create, "contact", {"name": "B", "email": "a@x.example"}) == {("email", "unique")}


def test_the_database_catches_who_is_faster(sales, system):
    barrier, outcomes = threading.Barrier(4), []

    def write():
        store = Store(sales, Principal.system(Reader()))
        barrier.wait()
        try:
            store.create("contact", {"name": "x", "email": "same@x.example"})
            outcomes.append("ok")
        except Refused as refused:
            outcomes.append(refused.faults[0].code)

    run(write, 4)
    assert sorted(outcomes) == ["ok", "unique", "unique", "unique"]


def test_twenty_writers_get_twenty_numbers_without_a_gap(sales, system, account):
    def write():
        store = Store(sales, Principal.system(Reader()))
        name = threading.current_thread().name
        store.create("deal", {"name": name, "account": account.id})

    run(write, 20)
    numbers = sorted(r["number"] for r in system.list("deal", columns=["number"], limit=50).rows)
    year = Reader().today().year
    assert numbers == [f"D-{year}-{n:04d}" for n in range(1, 21)]


def test_an_imported_number_is_kept_and_the_counter_moves_past_it(system, account):
    year = Reader().today().year
    kept = system.create("deal", {"name": "a", "account": account.id, "number": f"D-{year}-0500"})
    assert kept["number"] == f"D-{year}-0500"
    assert system.create("deal", {"name": "b", "account": account.id})["number"] == f"D-{year}-0501"
    assert faults(system.create, "deal", {"name": "c", "account": account.id, "number": f"D-{year}-0500"}) == {
        ("number", "unique")
    }


def test_a_stale_save_is_refused_with_both_values(system, account):
    system.update("account", account.id, {"city": "Rome"}, version=1)
    with pytest.raises(Stale) as stale:
        system.update("account", account.id, {"city": "Oslo"}, version=1)
    assert stale.value.current == {"city": "Rome"}
    assert stale.value.version == 2
    assert [f.field for f in stale.value.faults] == ["city"]


def test_one_of_two_simultaneous_saves_is_stale(sales, account):
    barrier, outcomes = threading.Barrier(2), []

    def write():
        store = Store(sales, Principal.system(Reader()))
        barrier.wait()
        try:
            store.update("account", account.id, {"city": threading.current_thread().name}, version=1)
            outcomes.append("ok")
        except Stale:
            outcomes.append("stale")

    run(write, 2)
    assert sorted(outcomes) == ["ok", "stale"]


def test_a_save_that_changes_nothing_leaves_the_version(system, account):
    assert system.update("account", account.id, {"city": "Kiel"})["version"] == 1
    assert len(system.history("account", account.id)) == 1


def test_several_calls_are_one_transaction(system, account):
    with contextlib.suppress(RuntimeError), system.transaction():
        system.update("account", account.id, {"city": "Rome"})
        raise RuntimeError
    assert system.read("account", account.id)["city"] == "Kiel"
    with system.transaction():
        system.update("account", account.id, {"city": "Rome"})
        faults(system.update, "account", account.id, {"name": ""})
        system.update("account", account.id, {"employees": 3})
    assert system.read("account", account.id)["employees"] == 3


def test_a_missing_record_is_not_updated(system):
    with pytest.raises(Missing):
        system.update("account", "019a0000-0000-7000-8000-000000000000", {"name": "x"})


def test_batches_have_an_outcome_for_each_row(system, account):
    rows = [{"name": f"n{i}", "account": account.id, "amount": i} for i in range(20)]
    rows[3] = {"name": "", "account": account.id}
    rows[4] = {"name": "n5", "account": account.id}
    outcomes = system.create_many("deal", rows)
    assert [o.status for o in outcomes].count("created") == 18
    assert {f.field for f in outcomes[3].faults} == {"name"}
    assert outcomes[5].faults[0].code == "unique"
    assert system.read("account", account.id)["deal_count"] == 18
    changed = system.update_where("deal", {"priority": "high"}, where=["amount > 10"])
    assert {o.status for o in changed} == {"updated"}
    assert system.count("deal", where=['priority == "high"']).n == len(changed) == 9


def run(work, count):
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
