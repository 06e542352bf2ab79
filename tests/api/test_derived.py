"""Roll-ups and formulas over the API: shown, filtered, sorted, read only, and what of them tells a change."""

from __future__ import annotations

from itertools import count
from typing import Any
from urllib.parse import quote

import pytest
from tests.api.conftest import Api

_numbers = count(1)


def order(api: Api, quantity: int) -> dict[str, Any]:
    number = f"DER-{next(_numbers)}"
    lines = [{"quantity": quantity, "price": {"amount": 10, "currency": "EUR"}}]
    return api.made("order", number=number, name="Derived", lines=lines)


@pytest.fixture
def orders(mona: Api) -> list[dict[str, Any]]:
    return [order(mona, quantity) for quantity in (3, 1, 2)]


def among(orders: list[dict[str, Any]]) -> str:
    return "number in (" + ", ".join(f'"{o["number"]}"' for o in orders) + ")"


def test_they_are_shown_sorted_and_filtered(mona: Api, orders: list[dict[str, Any]]) -> None:
    asked = f"order?sort=-amount&fields=number,amount&filter={quote(among(orders))}"
    rows = mona.get(asked).json["data"]
    assert [row["amount"]["amount"] for row in rows] == [30, 20, 10]
    rows = mona.get(f"order?filter={quote(among(orders) + ' and amount > 15')}").json["data"]
    assert {row["number"] for row in rows} == {orders[0]["number"], orders[2]["number"]}
    [line] = mona.get(f"order/{orders[0]['id']}").json["lines"]
    assert line["amount"] == {"amount": 30, "currency": "EUR", "base": 30}


def test_nobody_sets_them(mona: Api, orders: list[dict[str, Any]]) -> None:
    answer = mona.patch(f"order/{orders[0]['id']}", {"amount": {"amount": 1, "currency": "EUR"}, "name": "Other"})
    assert answer.status_code == 200
    assert (answer.json["amount"]["amount"], answer.json["name"]) == (30, "Other")


def test_a_change_of_its_lines_is_a_change_of_the_order(mona: Api, orders: list[dict[str, Any]]) -> None:
    """Lines are saved with their record: its version moves with what is computed from them."""
    there = orders[1]
    before = mona.get(f"order/{there['id']}").headers["ETag"]
    line = there["lines"][0]["id"]
    answer = mona.patch(f"order/{there['id']}", {"lines": [{"id": line, "quantity": 9}]}, match=before)
    assert (answer.status_code, answer.json["amount"]["amount"]) == (200, 90)
    assert answer.headers["ETag"] != before
