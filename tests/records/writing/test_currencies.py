"""Amounts in the currency that another field of the record says."""

from __future__ import annotations

from typing import Any

import pytest

from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.refusal import Refused
from trellis.records.store import Store

YAML = """
entity: estimate
fields:
  currency: {type: choice, choices: {from: currencies}, required: true}
  code:     {type: text}
  price:    {type: money, currency: =currency}
  fee:      {type: money, currency: '=coalesce(code, "EUR")', min: =least}
  least:    {type: money}
"""


@pytest.fixture
def store(make_tenant: Any) -> Store:
    return Store(make_tenant(YAML), Principal.system(Reader()))


def refused(store: Store, **values: Any) -> dict[str | None, str]:
    with pytest.raises(Refused) as error:
        store.create("estimate", values)
    return {fault.field: fault.code for fault in error.value.faults}


def test_an_amount_is_in_the_currency_of_its_record(store: Store) -> None:
    made = store.create("estimate", {"currency": "CHF", "price": 5})
    assert store.read("estimate", made.id)["price"].currency == "CHF"
    assert refused(store, currency="CHF", price={"amount": 5, "currency": "USD"}) == {"price": "invalid"}


def test_what_is_no_currency_is_refused_where_it_is_written_and_breaks_nothing(store: Store) -> None:
    assert refused(store, currency="invited", price=5) == {"currency": "choice"}
    assert store.create("estimate", {"currency": "EUR", "code": "shells", "fee": 3, "least": 2}).id


def test_a_bound_is_another_amount_of_the_same_currency(store: Store) -> None:
    assert refused(store, currency="EUR", fee=3, least=4) == {"fee": "range"}
    assert store.create("estimate", {"currency": "EUR", "fee": 4, "least": 4}).id
    assert store.create("estimate", {"currency": "EUR", "fee": 3, "least": {"amount": 4, "currency": "CHF"}}).id
