"""What a form takes over from the record that it is a copy of, by the core's own orders."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.record import Record
from trellis.records.store import Store
from trellis.storage.tenant import Tenant
from trellis.web.widgets.copying import copy_of, set_by_hand


@pytest.fixture
def store(make_tenant: Callable[..., Tenant]) -> Store:
    tenant = make_tenant("", core=True, profile="currency: EUR\ntime_zone: Europe/Berlin\n")
    return Store(tenant, Principal.system(Reader(currency="EUR")))


@pytest.fixture
def order(store: Store) -> Record:
    account = store.create("account", {"name": "Acme"})
    pump = store.create("product", {"name": "Pump", "code": "P", "price": "100"})
    lines = [{"product": pump.ref, "quantity": 2}, {"product": pump.ref, "quantity": 3, "price": "80"}]
    values = {"account": account.ref, "order_date": "2026-01-01", "delivery_date": "2026-02-01", "lines": lines}
    made = store.create("order", {**values, "note": "By train"})
    return store.update("order", made.id, {"status": "confirmed"})


def test_a_price_set_by_hand_stays_in_a_copy_and_any_other_follows_the_price_list(store: Store, order: Record) -> None:
    entity = store.tenant.model.entities["order"]
    by_hand = set_by_hand(store, entity, copy_of(store, entity, order.id))
    assert "lines.1.price" in by_hand
    assert "lines.0.price" not in by_hand
    assert {"lines.0.quantity", "lines.1.quantity"} <= by_hand  # its default is 1


def test_a_copy_begins_at_the_beginning_and_is_of_today(store: Store, order: Record) -> None:
    entity = store.tenant.model.entities["order"]
    copied = copy_of(store, entity, order.id)
    assert copied["note"] == "By train"
    assert not {"number", "status", "order_date", "delivery_date"} & set(copied)
    made = store.create("order", copied)
    assert made["status"] == "draft"
    assert [line["quantity"] for line in store.lines("order", made.id, "lines")] == [2, 3]
    assert len(store.lines("order", order.id, "lines")) == 2
