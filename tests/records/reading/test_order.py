"""Lists and pickers stand in the order of their titles, which every way of writing keeps."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from trellis.formula.reader import Reader
from trellis.model.view import Sort
from trellis.records.deriving import drift
from trellis.records.deriving.refill import refill
from trellis.records.transfer import import_table, read_table

NAMES = ["张三商贸", "Zebra", "阿里", "äpfel", "Österreich", "李四", "orange", "Apfelmus"]
ORDERED = ["阿里", "äpfel", "Apfelmus", "李四", "orange", "Österreich", "Zebra", "张三商贸"]


def listed(store, *, descending=False):
    sort = [Sort("name", descending=descending)]
    return [r["name"] for r in store.list("account", columns=["name"], sort=sort).rows]


def paged(store):
    found, cursor = [], None
    while True:
        page = store.list("account", columns=["name"], sort=[Sort("name")], limit=3, cursor=cursor)
        found += [r["name"] for r in page.rows]
        cursor = page.next
        if cursor is None:
            return found


@pytest.fixture
def accounts(system):
    return {name: system.create("account", {"name": name}).id for name in NAMES}


def test_a_list_stands_by_letters_and_pinyin_on_every_page(system, accounts):
    assert listed(system) == paged(system) == ORDERED
    assert listed(system, descending=True) == ORDERED[::-1]


def test_what_links_to_them_is_sorted_alike(system, accounts):
    for name, id in accounts.items():
        system.create("contact", {"name": f"of {name}", "account": id})
    for path in ("account", "account.name"):
        rows = system.list("contact", columns=["account"], sort=[Sort(path)]).rows
        assert [r["account"].title for r in rows] == ORDERED


def test_every_way_of_writing_keeps_the_order(system, accounts):
    """A save, a bulk edit with its undoing, an import, a merge with its undoing, the bin: nothing drifts."""
    system.update("account", accounts["Zebra"], {"name": "北京"})
    assert listed(system)[:5] == ["阿里", "äpfel", "Apfelmus", "北京", "李四"]
    system.update_many("account", [(accounts["orange"], {"name": "中国"})], means="bulk")
    system.undo(system.batches()[0].id)
    import_table(system, "account", read_table(f"id,name\n{accounts['阿里']},abacus\n,重庆\n"))
    system.merge("account", accounts["äpfel"], [accounts["Apfelmus"]], {"name": accounts["Apfelmus"]})
    system.unmerge(system.merges("account", accounts["äpfel"])[0].id)
    system.delete("account", accounts["李四"])
    system.restore("account", accounts["李四"])
    assert listed(system) == ["abacus", "äpfel", "Apfelmus", "北京", "重庆", "李四", "orange", "Österreich", "张三商贸"]
    assert drift.find(system.tenant, Reader()) == []


def test_records_of_before_get_their_order_and_doctor_tells_of_a_wrong_one(system, accounts):
    table = system.tenant.tables.entity["account"]
    with system.transaction() as connection:
        connection.execute(sa.update(table).values(_order=None))
    found = drift.find(system.tenant, Reader())
    assert [(d.entity, d.field, len(d.ids)) for d in found] == [("account", "search", len(NAMES))]
    drift.mend(system.tenant, Reader(), found)
    assert listed(system) == ORDERED
    with system.transaction() as connection:
        connection.execute(sa.update(table).values(_order=None))
    refill(system.tenant, replace(system.tenant, model=replace(system.tenant.model, entities={})), Reader())
    assert listed(system) == ORDERED
