"""What is wrong with a formula is told in the reader's language, names and types included."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from tests.web.frame_tenants import token_of

WRONG = [
    "amout > 5",
    "amount >",
    "amount > 5 and",
    "lower(amount, 1)",
    "lowr(name)",
    "name + 5",
    "amount == name",
    "name",
    "account == owner",
    "stage == open",
    "amount > 5 && hot",
    "len(close_date) > 1",
    "account.nothing == 1",
    "null == amount",
    "(1, 'a') == amount",
    "close_date == '2026-01-01'",
    "sum(name) > 1",
    "“x” == name",
]


def told(client: FlaskClient, formula: str, language: str) -> str:
    """What the page says of a formula as it is typed."""
    form = {"where": formula, "csrf_token": token_of(client.get("/e/deal/").text)}
    client.set_cookie("t-lang", language)
    faults = client.post("/e/deal/filter/check", data=form, headers={"Accept-Language": language}).json
    assert faults, formula
    return str(faults[0]["message"])


@pytest.mark.parametrize("formula", WRONG)
def test_a_fault_is_told_in_the_readers_language(anna: FlaskClient, formula: str) -> None:
    english, chinese = told(anna, formula, "en"), told(anna, formula, "zh-Hans")
    assert re.search(r"[一-鿿]", chinese), chinese
    assert not re.search(r"\b(the|not|is|are|has|takes|write|cannot|unknown)\b", chinese), chinese
    assert re.fullmatch(r"[^{}]*", english), english


def test_types_are_called_by_their_names(anna: FlaskClient) -> None:
    assert told(anna, "account == owner", "zh-Hans") == "Account记录永远不会是Person记录"
    assert told(anna, "amout > 5", "zh-Hans") == "没有名称“amout”（是不是指“amount”？）"
    assert told(anna, "amout > 5", "en") == "unknown name 'amout' (did you mean 'amount'?)"
