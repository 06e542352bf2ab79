"""Stored derived values that somebody wrote past the door are found and mended."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.conftest import layers_of

from trellis.formula.reader import Reader
from trellis.records.deriving import drift
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.storage.doctor import Patient, examine

CRM = """
entity: account
title: name
fields:
  name: {type: text, required: true, search: true}
  total: {type: money, rollup: sum(orders.total)}
  orders_n: {type: integer, rollup: count(orders)}
  last_order: {rollup: last(orders)}
---
entity: order
title: "{number} {account.name}"
fields:
  number: {type: text, search: true}
  account: {type: link, to: account, inverse: orders, search: true}
  total: {type: money, rollup: sum(lines.amount)}
---
entity: line
part_of: order
title: order.number
fields: {amount: {type: money}}
"""


@pytest.fixture(scope="module")
def crm(catalogue):
    yield catalogue.create("records-drift", layers_of(CRM, "records-drift"), "test")
    catalogue.drop("records-drift")


@pytest.fixture(scope="module")
def made(crm):
    store = Store(crm, Principal.system(Reader()))
    account = store.create("account", {"name": "Acme"})
    lines = [{"amount": 3}, {"amount": 4}]
    orders = [store.create("order", {"number": f"A{n}", "account": account.id, "lines": lines}) for n in range(8)]
    return store, account, orders


def run(crm, statement):
    with crm.begin() as connection:
        connection.execute(sa.text(statement))


def found(crm):
    return {(d.entity, d.field): len(d.ids) for d in drift.find(crm, Reader())}


@pytest.mark.parametrize("batch", [3, 5000])
@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (
            "UPDATE \"order\" SET total = 1, total_base = 1 WHERE number IN ('A1', 'A2')",
            {("order", "total"): 2, ("account", "total"): 1},
        ),
        ('UPDATE "order" SET total_base = NULL', {("order", "total"): 8, ("account", "total"): 1}),
        (
            "UPDATE account SET orders_n = NULL, last_order = NULL",
            {("account", "orders_n"): 1, ("account", "last_order"): 1},
        ),
        ("UPDATE line SET amount = 5, amount_base = 5", {("order", "total"): 8}),
        ("UPDATE account SET name = 'Bravo'", {("account", "search"): 1, ("order", "search"): 8}),
        ("UPDATE \"order\" SET search = NULL WHERE number = 'A3'", {("order", "search"): 1}),
        (
            "UPDATE \"order\" SET deleted_at = now() WHERE number = 'A7'",
            {("account", "orders_n"): 1, ("account", "total"): 1, ("account", "last_order"): 1},
        ),
    ],
)
def test_what_was_written_past_the_door_is_found_and_mended(crm, made, monkeypatch, statement, expected, batch):
    monkeypatch.setattr(drift, "BATCH", batch)
    try:
        assert found(crm) == {}
        run(crm, statement)
        seen = drift.find(crm, Reader())
        assert {(d.entity, d.field): len(d.ids) for d in seen} == expected
        assert all(0 < len(d.first) <= 5 for d in seen)
        assert found(crm) == expected  # looking changes nothing
        drift.mend(crm, Reader(), seen)
        assert found(crm) == {}
    finally:  # as it was
        run(crm, 'UPDATE line SET amount = 3, amount_base = 3; UPDATE "order" SET deleted_at = NULL')
        run(crm, "UPDATE account SET name = 'Acme'")
        while again := drift.find(crm, Reader()):
            drift.mend(crm, Reader(), again)


def test_mending_a_value_mends_what_is_computed_from_it(crm, made):
    """The account's sum agrees with the orders' wrong ones until these are right."""
    store, account, _orders = made
    before = store.read("account", account.id)["total"]
    run(crm, 'UPDATE "order" SET total = 1, total_base = 1; UPDATE account SET total = 8, total_base = 8')
    seen = drift.find(crm, Reader())
    assert [(d.entity, d.field) for d in seen] == [("order", "total")]
    drift.mend(crm, Reader(), seen)
    assert store.read("account", account.id)["total"] == before
    assert found(crm) == {}


def test_the_doctor_tells_and_mends(crm, made, catalogue):
    from trellis.cli import doctor

    run(crm, "UPDATE account SET orders_n = 77")
    said = [f for name, f in examine(Patient(Path(), Path(), catalogue)) if name == "Derived values"]
    here = f"{crm.slug}: "  # other tests' tenants are on the same server
    [wrong] = [f for f in said if f.level == "wrong" and f.text.startswith(here)]
    assert wrong.text.startswith("records-drift: account.orders_n is not what it should be in 1 record: ")
    assert "--mend" in wrong.mend
    assert doctor.command.params[-1].name == "mend"
    mended = [f for name, f in examine(Patient(Path(), Path(), catalogue, mend=True)) if name == "Derived values"]
    told = [f.text for f in mended if f.level == "advice" and f.text.startswith(here)]
    assert [text.rpartition(": ")[2] for text in told] == ["written anew"]
    assert found(crm) == {}
