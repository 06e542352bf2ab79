"""The board, over HTTP: columns, cards, moves and their refusals."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from tests.web.live import system_store

from trellis.storage.tenant import Tenant


@pytest.fixture
def deal(shop: Tenant) -> Iterator[Any]:
    store = system_store(shop)
    made = store.create("deal", {"name": "Moving", "stage": "new"})
    yield made
    store.delete("deal", made.id)
    store.purge("deal", made.id)


def put(client: FlaskClient, id: Any, to: str, **more: str) -> Any:
    token = re.search(r'name="csrf-token" content="([^"]+)"', client.get("/e/deal/").text)
    assert token
    return client.post(f"/e/deal/{id}/put?view=board", data={"to": to, "csrf_token": token[1], **more})


def test_a_board_has_a_column_for_every_stage_with_count_and_sum(anna: FlaskClient) -> None:
    html = anna.get("/e/deal/?view=board").text
    assert re.findall(r'data-lane="(\w+)"', html) == ["new", "offer", "closed", "lost"]
    assert "€23,400.00" in html
    assert html.count('class="t-card"') == 60
    assert 'class="t-col is-shut"' in html


def test_columns_go_on_as_they_are_scrolled(anna: FlaskClient) -> None:
    html = anna.get("/e/deal/?view=board").text
    more = re.search(r'hx-get="([^"]+/lane[^"]+lane=new[^"]+)"', html)
    assert more
    assert anna.get(more[1].replace("&amp;", "&")).text.count('class="t-card"') == 30


def test_a_move_is_done_and_can_be_undone(anna: FlaskClient, shop: Tenant, deal: Any) -> None:
    done = put(anna, deal.id, "offer", **{"_has": "amount", "amount.amount": "5"})
    assert done.status_code == 200, done.text
    assert "Moving" in done.json["card"]
    assert system_store(shop).read("deal", deal.id)["stage"] == "offer"
    assert put(anna, deal.id, "new").status_code == 200


def test_a_gate_asks_for_exactly_what_is_missing(anna: FlaskClient, shop: Tenant, deal: Any) -> None:
    held = put(anna, deal.id, "lost")
    assert held.status_code == 422
    assert 'name="lost_reason"' in held.text
    assert 'name="amount"' not in held.text
    assert system_store(shop).read("deal", deal.id)["stage"] == "new"
    assert put(anna, deal.id, "lost", **{"_has": "lost_reason", "lost_reason": "price"}).status_code == 200


def test_a_move_that_the_pipeline_does_not_know_is_put_back_with_the_reason(anna: FlaskClient, deal: Any) -> None:
    refused = put(anna, deal.id, "closed")
    assert refused.status_code == 409
    assert refused.json["reason"] == "Put back: “New” cannot be followed by “Won”."


def test_nobody_moves_what_is_not_theirs(sam: FlaskClient, deal: Any) -> None:
    assert put(sam, deal.id, "offer").status_code in (403, 404)


def test_a_column_that_does_not_exist_is_refused(anna: FlaskClient, deal: Any) -> None:
    assert put(anna, deal.id, "nowhere").status_code == 409
