from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trellis.formula.types import Money
from trellis.model.view import Sort
from trellis.records.refusal import Missing, Refused

COLUMNS = ["name", "account", "account.city", "amount", "expected", "contacts", "stage"]


@pytest.fixture
def deals(system):
    accounts = [
        system.create("account", {"name": name, "city": city})
        for name, city in (("Acme", "Kiel"), ("Berta", None), ("Čapek", "Brno"))
    ]
    anna = system.create("contact", {"name": "Anna"})
    for n in range(23):
        system.create(
            "deal",
            {
                "name": f"Deal {n}",
                "account": accounts[n % 3].id,
                "amount": None if n % 4 == 0 else Decimal(n % 5) * 10,
                "discount": n % 3 or None,
                "priority": ("low", "normal", "high")[n % 3],
                "contacts": [anna.id] if n % 2 else [],
                "close_date": "2026-05-01" if n % 2 else None,
            },
        )
    return accounts


def test_a_list_reads_columns_links_and_derived_fields_in_one_statement(system, deals, statements):
    with statements() as seen:
        page = system.list("deal", columns=COLUMNS, sort=[Sort("name")], limit=5)
    assert len(seen) == 1
    row = page.rows[1]
    assert row["name"] == "Deal 1"
    assert row["account"].title == "Berta"
    assert row["account.city"] is None
    assert row["amount"] == Money(Decimal("10.00"), "EUR", Decimal("10.00"))
    assert row["expected"].amount == Decimal("1.00")
    assert [ref.title for ref in row["contacts"]] == ["Anna"]
    assert row["stage"] == "qualify"


SORTABLE = [
    "number",
    "lost_reason",
    "name",
    "account",
    "account.city",
    "amount",
    "expected",
    "discount",
    "priority",
    "close_date",
    "created_at",
]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from(SORTABLE), st.booleans()), max_size=3, unique_by=lambda s: s[0]),
    st.integers(2, 9),
)
def test_paging_over_any_sort_gives_every_row_once(system, deals, sorts, limit):
    sort = [Sort(path, descending) for path, descending in sorts]
    whole = [r.id for r in system.list("deal", columns=["name"], sort=sort, limit=100).rows]
    paged, cursor = [], None
    while True:
        page = system.list("deal", columns=["name"], sort=sort, limit=limit, cursor=cursor)
        paged += [r.id for r in page.rows]
        cursor = page.next
        if cursor is None:
            break
    assert paged == whole
    assert len(set(paged)) == 23


def test_choices_sort_in_their_own_order_and_blanks_come_last(system, deals):
    found = [r["priority"] for r in system.list("deal", columns=["priority"], sort=[Sort("priority")], limit=50).rows]
    assert found == sorted(found, key=["low", "normal", "high"].index)
    for descending in (False, True):
        amounts = [r["amount"] for r in system.list("deal", columns=["amount"], sort=[Sort("amount", descending)]).rows]
        blanks = sum(a is None for a in amounts)
        assert blanks == 6
        assert amounts[-blanks:] == [None] * blanks


def test_a_cursor_of_another_list_is_refused(system, deals):
    page = system.list("deal", columns=["name"], sort=[Sort("name")], limit=2)
    for cursor in (page.next, "nonsense", "e30"):
        with pytest.raises(Refused):
            system.list("deal", columns=["name"], sort=[Sort("amount")], cursor=cursor)


def test_filters_are_formulas_over_links_and_derived_fields(system, deals):
    where = ['account.city == "Kiel" and expected > 1', "count(contacts) > 0"]
    rows = system.list("deal", columns=["name", "expected"], where=where, limit=50).rows
    assert rows
    assert all(r["expected"].amount > 1 for r in rows)
    assert system.count("deal", where=where).n == len(rows)


def test_a_wrong_filter_says_where(system):
    with pytest.raises(Refused) as refused:
        system.list("deal", columns=["name"], where=["amont > 3"])
    [fault] = refused.value.faults
    assert fault.code == "filter"
    assert fault.params["offset"] == 0
    assert "amount" in fault.params["hint"]


def test_an_unknown_column_is_refused_with_the_nearest(system):
    with pytest.raises(Refused, match="amount"):
        system.list("deal", columns=["amont"])


def test_counts_are_capped(system, deals):
    assert str(system.count("deal", cap=10)) == "10+"
    assert str(system.count("deal", cap=None)) == "23"


def test_totals_and_groups(system, deals):
    total = system.totals("deal", {"amount": "sum", "discount": "max", "name": "count"})
    rows = system.list("deal", columns=["amount"], limit=50).rows
    assert total["amount"].amount == sum(r["amount"].amount for r in rows if r["amount"])
    assert total["name"] == 23
    groups = system.groups("deal", "account", totals={"amount": "sum"})
    assert sorted((g.value.title, g.count) for g in groups) == [("Acme", 8), ("Berta", 8), ("Čapek", 7)]
    assert sum(g.totals["amount"].amount for g in groups) == total["amount"].amount
    assert system.totals("deal", {"amount": "sum"}, where=["amount > 9999"])["amount"].amount == 0


def test_reading_one_record_gives_every_field(system, deals):
    record = system.read("account", deals[0].id)
    assert record["name"] == "Acme"
    assert record["deal_count"] == 8
    with pytest.raises(Missing):
        system.read("account", "019a0000-0000-7000-8000-000000000000")
    with pytest.raises(Missing):
        system.read("account", "x")
    with pytest.raises(Missing):
        system.read("acount", deals[0].id)
