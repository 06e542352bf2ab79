"""Money in the door: base amounts at the record's date, and what a change of rates moves."""

from __future__ import annotations

import threading
from datetime import date
from decimal import Decimal

import pytest
from tests.storage.test_plan import change

from trellis.formula.reader import Reader
from trellis.model.view import Sort
from trellis.records.principal import Principal
from trellis.records.store import Store

D = Decimal
CRM = """
entity: exchange_rate
label: Exchange rate
title: "{currency} {valid_from}"
fields:
  currency:   {type: choice, choices: {from: currencies}, required: true}
  valid_from: {type: date, required: true, default: =today()}
  rate:       {type: decimal, scale: 10, required: true, min: 0}
unique:
  once: {fields: [currency, valid_from]}
---
entity: account
label: Account
fields:
  name: {type: text, required: true}
  sales: {type: money, rollup: sum(orders.total)}
---
entity: order
label: Order
rate_date: ordered_on
fields:
  name: {type: text, required: true}
  account: {type: link, to: account, inverse: orders}
  ordered_on: {type: date}
  freight: {type: money}
  total: {type: money, rollup: sum(lines.amount)}
  in_dollars: {type: money, formula: 'convert(freight, "USD")'}
---
entity: line
label: Line
part_of: order
fields:
  quantity: {type: decimal, default: 1, scale: 3}
  price: {type: money, required: true}
  amount: {type: money, formula: quantity * price}
"""


@pytest.fixture
def crm(same_tenant):
    return same_tenant(CRM, profile="currency: EUR\ntime_zone: Europe/Berlin\n")


@pytest.fixture
def store(crm):
    return Store(crm, Principal.system(Reader(currency="EUR")))


def rate(store, currency, day, value):
    return store.create("exchange_rate", {"currency": currency, "valid_from": day, "rate": value})


def base(store, id, name="freight"):
    found = store.read("order", id)[name]
    return None if found is None else found.base


@pytest.fixture
def rates(store):
    rate(store, "USD", "2026-01-01", "0.90")
    rate(store, "USD", "2026-03-01", "0.80")
    rate(store, "JPY", "2026-01-01", "0.006")
    rate(store, "KWD", "2026-01-01", "3.0")


def order(store, **values):
    return store.create("order", {"name": "x", **values})


@pytest.mark.parametrize(
    ("day", "expected"),
    [("2026-01-01", "90.00"), ("2026-02-28", "90.00"), ("2026-03-01", "80.00"), ("2030-01-01", "80.00")],
)
def test_the_base_is_at_the_rate_of_the_records_date(store, rates, day, expected):
    assert base(store, order(store, ordered_on=day, freight="100 USD").id) == D(expected)


def test_before_the_first_rate_there_is_no_base(store, rates):
    made = order(store, ordered_on="2025-12-31", freight="100 USD")
    assert base(store, made.id) is None
    assert store.read("order", made.id)["freight"].amount == 100


def test_without_a_date_the_day_of_creation_counts(store, rates):
    assert base(store, order(store, freight="100 USD").id) == D("80.00")


def test_another_date_is_another_base_also_for_the_lines(store, rates):
    made = order(store, ordered_on="2026-02-01", freight="100 USD", lines=[{"price": "10 USD"}])
    assert store.read("order", made.id)["total"].base == D("9.00")
    store.update("order", made.id, {"ordered_on": "2026-03-02"})
    assert base(store, made.id) == D("80.00")
    assert store.read("order", made.id)["total"].base == D("8.00")
    [line] = store.lines("order", made.id, "lines")
    assert line["price"].base == D("8.00")


def test_a_rate_that_comes_later_moves_the_records_it_concerns_and_what_sums_them(store, rates):
    account = store.create("account", {"name": "Acme"})
    early = order(store, account=account.id, ordered_on="2026-02-01", lines=[{"price": "10 USD"}])
    late = order(store, account=account.id, ordered_on="2026-04-01", lines=[{"price": "10 USD"}])
    assert store.read("account", account.id)["sales"].amount == D("17.00")
    rate(store, "USD", "2026-03-15", "0.70")
    assert store.read("order", early.id)["total"].amount == D("9.00")
    assert store.read("order", late.id)["total"].amount == D("7.00")
    assert store.read("account", account.id)["sales"].amount == D("16.00")


def test_a_rate_that_is_mended_or_taken_away_moves_them_too(store, rates):
    made = order(store, ordered_on="2026-02-01", freight="100 CHF")
    assert base(store, made.id) is None
    franc = rate(store, "CHF", "2026-01-01", "1.1")
    assert base(store, made.id) == D("110.00")
    store.update("exchange_rate", franc.id, {"rate": "1.05"})
    assert base(store, made.id) == D("105.00")
    store.delete("exchange_rate", franc.id)
    assert base(store, made.id) is None
    store.restore("exchange_rate", franc.id)
    assert base(store, made.id) == D("105.00")


def test_rates_that_are_imported_move_records_once_for_all(store):
    made = order(store, ordered_on="2026-02-01", freight="100 CHF")
    rows = [{"currency": "CHF", "valid_from": f"2026-01-{day:02}", "rate": f"1.{day:02}"} for day in range(1, 32)]
    assert {o.status for o in store.create_many("exchange_rate", rows)} == {"created"}
    assert base(store, made.id) == D("131.00")


def test_convert_takes_the_rates_of_the_records_date_in_both_back_ends(store, rates):
    early = order(store, ordered_on="2026-02-01", freight="90 EUR")
    late = order(store, ordered_on="2026-03-02", freight="100 EUR")
    assert store.read("order", early.id)["in_dollars"].amount == D("100.00")
    assert early["in_dollars"].amount == D("100.00")
    assert store.read("order", late.id)["in_dollars"].amount == D("125.00")
    live = store.evaluate_form("order", {"name": "x", "ordered_on": "2026-02-01", "freight": "90"})
    assert live.computed["in_dollars"].amount == D("100.00")
    found = store.list("order", columns=["freight"], where=['convert(freight, "USD") > 110'])
    assert [r.id for r in found.rows] == [late.id]


@pytest.mark.parametrize(
    ("text", "amount", "in_base"),
    [
        ("1234.5 JPY", "1235", "7.41"),
        ("-1234.5 JPY", "-1235", "-7.41"),
        ("1.2345 KWD", "1.235", "3.71"),
        ("1.005 EUR", "1.01", "1.01"),
    ],
)
def test_amounts_are_rounded_to_the_currencys_own_unit(store, rates, text, amount, in_base):
    made = store.read("order", order(store, ordered_on="2026-02-01", freight=text).id)["freight"]
    assert (made.amount, made.base) == (D(amount), D(in_base))


def test_a_total_is_the_sum_of_the_rounded_lines_in_the_tenants_currency(store, rates):
    lines = [
        {"quantity": 3, "price": "1 JPY"},
        {"quantity": 1, "price": "0.005 KWD"},
        {"quantity": "0.333", "price": "10 EUR"},
    ]
    made = order(store, ordered_on="2026-02-01", lines=lines)
    amounts = [line["amount"] for line in store.lines("order", made.id, "lines")]
    assert [(a.amount, a.base) for a in amounts] == [(D(3), D("0.02")), (D("0.005"), D("0.02")), (D("3.33"), D("3.33"))]
    assert store.read("order", made.id)["total"].amount == sum(a.base for a in amounts) == D("3.37")


def test_sort_filter_and_totals_compare_across_currencies(store, rates):
    for text in ("100 USD", "50 EUR", "10000 JPY", "21 KWD"):
        order(store, ordered_on="2026-02-01", freight=text)
    listed = store.list("order", columns=["freight"], sort=[Sort("freight")])
    assert [r["freight"].currency for r in listed.rows] == ["EUR", "JPY", "KWD", "USD"]
    assert store.totals("order", {"freight": "sum"})["freight"].amount == D("263.00")
    above = store.list("order", columns=["freight"], where=["freight.base > 55"])
    assert {r["freight"].currency for r in above.rows} == {"USD", "JPY", "KWD"}


def test_whoever_may_not_read_rates_gets_the_same_amounts(crm, store, rates):
    made = order(store, ordered_on="2026-02-01", freight="100 USD")
    anyone = Store(crm, Principal(Reader(currency="EUR"), roles=frozenset()))
    assert not anyone.may("read", "exchange_rate")
    assert base(store, made.id) == D("90.00")
    assert store.read("order", made.id)["created_at"].date() >= date(2026, 1, 1)


def test_a_record_saved_while_a_rate_is_being_saved_has_the_new_rate(crm, store, rates):
    other = Store(crm, Principal.system(Reader(currency="EUR")))
    thread = threading.Thread(target=rate, args=(other, "USD", "2026-02-01", "0.50"))
    with store.transaction():
        made = order(store, ordered_on="2026-02-15", freight="100 USD")
        thread.start()
        thread.join(0.5)  # it waits for this one
    thread.join()
    assert base(store, made.id) == D("50.00")


def test_another_date_field_for_rates_moves_what_is_there(catalogue, crm, store, rates):
    import trellis.identity  # noqa: F401 - registers what follows an apply

    made = order(store, ordered_on="2026-02-15", freight="100 USD")
    assert base(store, made.id) == D("90.00")
    new = change(catalogue, crm, CRM.replace("rate_date: ordered_on\n", ""))
    assert base(Store(new, store.principal), made.id) == D("80.00")


def test_totals_are_the_sum_of_what_each_record_shows(store, rates):
    """0.45 of 0.50 USD at 0.9082 is 0.4541 EUR, shown as 0.45: ten of them are 4.50, not 4.54."""
    store.create("exchange_rate", {"currency": "USD", "valid_from": "2026-05-01", "rate": "0.9082"})
    for at in range(10):
        given = {"name": f"n{at}", "ordered_on": "2026-05-02", "freight": "0.50 USD"}
        store.create("order", given)
    store.create("order", {"name": "swiss", "ordered_on": "2026-05-02", "freight": "100 CHF"})  # no rate: not counted
    shown = [row["freight"].base for row in store.list("order", columns=["freight"]).rows]
    assert sorted(b for b in shown if b is not None) == [D("0.45")] * 10
    assert store.totals("order", {"freight": "sum"})["freight"].amount == D("4.50")
    assert store.groups("order", "ordered_on", totals={"freight": "sum"})[0].totals["freight"].amount == D("4.50")
    assert store.totals("order", {"freight": "avg"})["freight"].amount == D("0.45")


def test_formulas_go_by_the_exact_rate(store, rates):
    store.create("exchange_rate", {"currency": "USD", "valid_from": "2026-05-01", "rate": "0.9082"})
    account = store.create("account", {"name": "Acme"})
    lines = [{"quantity": 10_000, "price": "0.10 USD"}, {"quantity": 1, "price": "0.50 USD"}]
    order = store.create("order", {"name": "n", "account": account.id, "ordered_on": "2026-05-02", "lines": lines})
    bases = [line["amount"].base for line in store.lines("order", order.id, "lines")]
    assert bases == [D("908.20"), D("0.45")]
    assert store.read("order", order.id)["total"].amount == D("908.65")
    assert store.read("account", account.id)["sales"].amount == D("908.65")
