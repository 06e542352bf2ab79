"""Roll-ups of many records by one GROUP BY for each list say what a subquery for each record says."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
import sqlalchemy as sa
from tests.conftest import layers_of

from trellis.formula.nodes.aggregate import Aggregate
from trellis.formula.reader import Reader
from trellis.formula.sql import values
from trellis.formula.sql.grouped import Grouped
from trellis.records.principal import Principal
from trellis.records.reading.catalog import system_scope
from trellis.records.store import Store

CRM = """
entity: shop
title: name
fields:
  name: {type: text, required: true}
  least: {type: integer}
  total: {type: money, rollup: sum(sales.net)}
  paid: {type: money, rollup: 'sum(sales.net, is_paid)'}
  twice: {type: money, rollup: 'sum(sales.gross) + max(sales.gross, is_paid)'}
  mean: {type: decimal, rollup: avg(sales.pieces)}
  days: {type: integer, rollup: count_distinct(sales.day)}
  first_day: {type: date, rollup: min(sales.day)}
  best: {type: text, rollup: max(sales.what)}
  visits: {type: integer, rollup: count(sales)}
  large: {type: integer, rollup: 'count(sales, pieces >= this.least)'}
  remarks: {type: integer, rollup: sum(notes.weight)}
---
entity: sale
title: what
fields:
  what: {type: text}
  shop: {type: link, to: shop, inverse: sales, on_delete: clear}
  price: {type: money}
  pieces: {type: integer}
  day: {type: date}
  is_paid: {type: boolean}
  net: {type: money, formula: price * pieces}
  gross: {type: money, formula: net * 1.19 + net}
---
entity: note
title: weight
fields:
  about: {type: any_link, to: [shop, sale], inverse: notes}
  weight: {type: integer}
"""
ROLLUPS = ("total", "paid", "twice", "mean", "days", "first_day", "best", "visits", "large", "remarks")


@pytest.fixture(scope="module")
def store(catalogue):
    tenant = catalogue.create("records-grouped", layers_of(CRM, "records-grouped"), "test")
    store = Store(tenant, Principal.system(Reader(currency="EUR")))
    busy, poor, _empty = (store.create("shop", {"name": n, "least": 3}).id for n in ("Busy", "Poor", "Empty"))
    for n in range(6):
        values_ = {"what": f"Thing {n}", "price": f"{n}.35 EUR", "pieces": n, "day": date(2026, 5, 1 + n // 2)}
        store.create("sale", {**values_, "shop": busy, "is_paid": n % 2 == 0})
    sale = store.create("sale", {"what": "Nothing known", "shop": poor}).id
    gone = store.create("sale", {"what": "Zzz", "shop": busy, "price": "9 EUR", "pieces": 9}).id
    store.delete("sale", gone)
    store.create("note", {"about": {"entity": "shop", "id": str(busy)}, "weight": 4})
    store.create("note", {"about": {"entity": "sale", "id": str(sale)}, "weight": 8})
    yield store
    catalogue.drop("records-grouped")


def computed(store, *, grouped):
    session = store.session
    with store.transaction():
        scope = system_scope(session, "shop")
        if grouped:
            scope.grouped = Grouped(scope, lambda id_: id_.is_not(None))
        columns = [
            part
            for name in ROLLUPS
            for part in values.parts(session.model.entities["shop"].fields[name].rollup.node.value(scope))
        ]
        source = scope.grouped.joined() if grouped else scope.joined()
        labelled = [column.label(f"c{n}") for n, column in enumerate(columns)]
        statement = sa.select(scope.field("name").label("name"), *labelled).select_from(source)
        return {row[0]: tuple(row[1:]) for row in session.execute(statement)}


def test_both_ways_say_the_same_of_many_of_few_and_of_none(store):
    one_by_one = computed(store, grouped=False)
    assert set(one_by_one) == {"Busy", "Poor", "Empty"}
    assert computed(store, grouped=True) == one_by_one


def test_what_is_stored_is_what_is_computed(store):
    [busy] = store.list("shop", columns=ROLLUPS, where=['name == "Busy"']).rows
    assert (busy["visits"], busy["large"], busy["days"], busy["remarks"]) == (6, 3, 3, 4)
    assert busy["total"].amount == Decimal("60.25")


def test_only_what_reads_the_outer_record_keeps_its_subquery(store, monkeypatch):
    apart = []
    subquery = Aggregate._subquery
    monkeypatch.setattr(Aggregate, "_subquery", lambda self, *a: apart.append(self.measure) or subquery(self, *a))
    computed(store, grouped=True)
    assert apart == ["count"]
