"""The lines of records have a file of their own, which comes back as it was."""

from __future__ import annotations

import io
from decimal import Decimal

import pytest

from trellis.records.refusal import Forbidden
from trellis.records.transfer import export_csv, export_lines, import_table, read_table


def lines_of(store, where=()):
    out = io.StringIO()
    export_lines(store, "deal", "lines", out, where=where)
    return out.getvalue()


def take(store, text):
    return dict(import_table(store, "deal_line", read_table(text.encode())).counts)


@pytest.fixture
def deal(system):
    account = system.create("account", {"name": "Acme"})
    system.create("deal", {"name": "Other", "account": account.id, "lines": [line("C", 9)]})
    return system.create("deal", {"name": "Pilot", "account": account.id, "lines": [line("A", 1), line("B", 2)]})


def line(product, quantity):
    return {"product": product, "quantity": quantity, "price": "10 EUR"}


def amount(store, deal):
    return store.read("deal", deal.id, fields=["lines_total"])["lines_total"].amount


def test_they_come_back_as_they_were(system, deal):
    text = lines_of(system, ['name == "Pilot"'])
    assert len(text.splitlines()) == 3
    version = system.read("deal", deal.id).version
    assert take(system, text) == {"skipped": 2}
    assert system.read("deal", deal.id).version == version


def test_a_changed_and_a_new_row_change_what_is_computed_from_them(system, deal):
    head, first, second = lines_of(system, ['name == "Pilot"']).splitlines()
    id = head.split(",").index("id")
    fresh = ["" if n == id else cell for n, cell in enumerate(second.split(","))]
    text = "\r\n".join([head, first.replace(",1,", ",5,"), ",".join(fresh)])
    before = amount(system, deal)
    assert take(system, text) == {"updated": 1, "created": 1}
    assert amount(system, deal) == before + Decimal(60)


def test_who_may_not_export_the_records_may_not_export_their_lines(system, person, deal):
    someone = person("rep")
    for work in (lambda: export_csv(someone, "deal", io.StringIO()), lambda: lines_of(someone)):
        with pytest.raises(Forbidden):
            work()


def test_lines_that_a_file_adds_stand_after_those_that_are_there(system, deal):
    before = [r["product"] for r in system.lines("deal", deal.id, "lines")]
    number = deal["number"]
    rows = f"deal,product,price,quantity\n{number},X,1,1\n{number},Y,1,1\n"
    done = import_table(system, "deal_line", read_table(rows))
    assert done.failures == []
    found = system.lines("deal", deal.id, "lines")
    assert [r["product"] for r in found] == [*before, "X", "Y"]
