from __future__ import annotations

import threading
from decimal import Decimal
from uuid import uuid4

import pytest

from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.refusal import Refused
from trellis.records.store import Store
from trellis.records.writing import linked


@pytest.fixture
def account(system):
    return system.create("account", {"name": "Acme"})


@pytest.fixture
def deal(system, account):
    lines = [{"product": "pen", "quantity": 2, "price": "1.50"}, {"product": "ink", "price": 4}]
    return system.create("deal", {"name": "Pilot", "account": account.id, "lines": lines, "amount": 100})


def total(store, id):
    return store.read("deal", id, fields=["lines_total"])["lines_total"].amount


def test_lines_are_saved_with_their_parent_in_order(system, deal):
    assert [line["product"] for line in system.lines("deal", deal.id, "lines")] == ["pen", "ink"]
    assert deal["lines_total"].amount == Decimal("7.00")
    assert deal.version == 1


def test_lines_that_are_given_replace_the_list_as_one_change(system, deal):
    pen, _ = system.lines("deal", deal.id, "lines")
    given = [{"product": "cap", "price": 1}, {"id": str(pen.id), "quantity": 3, "product": "pen", "price": "1.50"}]
    saved = system.update("deal", deal.id, {"lines": given}, version=1)
    assert saved.version == 2
    assert saved["lines_total"].amount == Decimal("5.50")
    assert [line["product"] for line in system.lines("deal", deal.id, "lines")] == ["cap", "pen"]
    [entry, _] = system.history("deal", deal.id)
    told = {(c.field.split(".")[-1] if c.field.count(".") > 1 else c.field.split(".")[0]) for c in entry.changes}
    assert told == {"lines", "quantity", "product", "lines_total", "price"}


def test_a_fault_in_a_line_names_its_place(system, account):
    with pytest.raises(Refused) as refused:
        system.create("deal", {"name": "x", "account": account.id, "lines": [{"product": "a"}, {"quantity": 0}]})
    assert {f.field for f in refused.value.faults} == {"lines.1.product", "lines.1.quantity"}


def test_nobody_gives_more_lines_or_links_than_one_save_can_check(system, account, monkeypatch):
    rita = system.create("user", {"name": "Rita"})
    roles = frozenset({"admin"})
    rita = Store(system.tenant, Principal(Reader(me=rita.ref, roles=roles), id=rita.id, roles=roles))
    with pytest.raises(Refused) as refused:
        rita.create("deal", {"name": "x", "account": account.id, "lines": [{}] * 5001})
    assert [(f.field, f.code) for f in refused.value.faults] == [("lines", "length")]
    monkeypatch.setattr(linked, "MOST_AT_ONCE", 2)
    contacts = [str(uuid4()) for _ in range(3)]
    with pytest.raises(Refused) as refused:
        rita.create("deal", {"name": "x", "account": account.id, "contacts": contacts})
    assert ("contacts", "length") in [(f.field, f.code) for f in refused.value.faults]


def test_saving_a_line_alone_keeps_the_roll_up_true(system, deal):
    pen, ink = system.lines("deal", deal.id, "lines")
    system.update("deal_line", pen.id, {"quantity": 10})
    assert total(system, deal.id) == Decimal("19.00")
    system.delete("deal_line", ink.id)
    assert total(system, deal.id) == Decimal("15.00")
    system.restore("deal_line", ink.id)
    assert total(system, deal.id) == Decimal("19.00")


def test_roll_ups_follow_children_that_move_and_conditions_that_change(system, account, deal):
    other = system.create("account", {"name": "Other"})
    assert system.read("account", account.id)["open_amount"].amount == 100
    system.update("deal", deal.id, {"account": other.id})
    assert system.read("account", account.id)["open_amount"].amount == 0
    assert system.read("account", other.id)["open_amount"].amount == 100
    system.update("deal", deal.id, {"stage": "lost", "lost_reason": "price"})
    assert system.read("account", other.id)["open_amount"].amount == 0
    assert system.read("account", other.id)["deal_count"] == 1
    system.delete("deal", deal.id)
    assert system.read("account", other.id)["deal_count"] == 0


def test_children_added_at_the_same_moment_are_all_counted(sales, system, account):
    def write():
        store = Store(sales, Principal.system(Reader()))
        store.create("deal", {"name": threading.current_thread().name, "account": account.id, "amount": 1})

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert system.read("account", account.id)["deal_count"] == 8


def test_links_carry_columns_and_count_in_roll_ups(system, account, deal):
    anna = system.create("contact", {"name": "Anna"})
    bo = system.create("contact", {"name": "Bo"})
    saved = system.update("deal", deal.id, {"contacts": [{"id": str(anna.id), "part": "buyer"}, str(bo.id)]})
    assert [ref.title for ref in saved["contacts"]] == ["Anna", "Bo"]
    assert saved["buyers"] == 1
    system.link("deal", deal.id, "contacts", bo.id, {"part": "buyer"})
    assert system.read("deal", deal.id)["buyers"] == 2
    system.unlink("contact", anna.id, "deals", deal.id)
    assert system.read("deal", deal.id)["buyers"] == 1
    # Bo was linked already: giving the link a part changes the deal
    assert [c.kind for c in system.history("deal", deal.id)] == ["update", "update", "create"]


def test_many_lines_are_changed_by_few_statements(system, account, statements):
    def changed(count: int) -> int:
        lines = [{"product": f"p{n}", "price": 1} for n in range(count)]
        made = system.create("deal", {"name": f"Of {count}", "account": account.id, "lines": lines})
        stored = system.lines("deal", made.id, "lines")
        given = [{"id": line.id, "price": 2 + n} for n, line in enumerate(stored)]
        with statements() as seen:
            system.update("deal", made.id, {"lines": given})
        assert total(system, made.id) == sum(range(2, 2 + count))
        return len([s for s in seen if s.startswith("UPDATE")])

    assert changed(12) == changed(2)
