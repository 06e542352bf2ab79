"""Forms through a client: reading, refusing without losing anything, conditions, pickers."""

from __future__ import annotations

import re
from datetime import datetime
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient
from tests.web.frame_tenants import outcome
from tests.web.test_record_pages import EVIL, ada, app, cleo, office, order, post, store

from trellis.records.record import Record
from trellis.records.store import Store

__all__ = ["ada", "app", "cleo", "office", "order", "store"]


def new_order(product: Record, **more: Any) -> dict[str, Any]:
    """What a page sends for an order with one line."""
    return {
        "_has": ["name", "kind", "due", "phones", "active", "lines", "lines.7.product", "lines.7.quantity"],
        "name": "New one",
        "kind": "plain",
        "lines.7.product": str(product.id),
        "lines.7.quantity": "3",
        "phones.0.value": "030 1234567",
        "phones.0.kind": "work",
        **more,
    }


def test_form_creates_a_record_with_lines(ada: FlaskClient, store: Store) -> None:
    product = store.create("product", {"name": "Rack", "price": 10})
    answer = post(ada, "/e/order/new", new_order(product))
    assert answer.status_code == 200
    made = store.read("order", answer.get_json()["ref"]["id"])
    assert made["active"] is False  # what is off sends nothing
    assert made["phones"][0]["value"] == "+49301234567"
    assert made["total"].amount == 30


def test_refusal_keeps_everything_that_was_typed(ada: FlaskClient, store: Store) -> None:
    product = store.create("product", {"name": EVIL, "price": 10})
    sent = new_order(product, due="1999-01-01", name="", **{"lines.7.quantity": "-4", "_touched": "lines.7.quantity"})
    answer = post(ada, "/e/order/new", sent)
    text = answer.get_data(as_text=True)
    assert outcome(answer) == 422
    assert 'href="#f-name"' in text
    assert 'href="#f-lines-0-quantity"' in text
    assert 'value="-4"' in text
    assert 'value="1999-01-01"' in text
    assert 'value="030 1234567"' in text
    assert 'name="_touched" value="lines.0.quantity"' in text
    assert EVIL not in text


@pytest.mark.parametrize("at", ["2099-11-23T20:03:08.993225+00:00", "2099-11-23 20:03", "soon"])
def test_a_moment_survives_one_refusal_after_the_other(ada: FlaskClient, order: Record, store: Store, at: str) -> None:
    is_stored = "T" in at
    store.update("order", order.id, {"begins": at if is_stored else None})
    path = f"/e/order/{order.id}/edit"

    def boxes(page: str) -> dict[str, str]:
        return {name: unescape(v) for name, v in re.findall(r'name="(begins[.\w]*)"[^>]*? value="([^"]*)"', page)}

    begins = boxes(ada.get(path).get_data(as_text=True)) if is_stored else {"begins": at}
    for _round in range(2):
        sent = {"_has": ["name", "begins"], "name": "", **begins}
        refused = post(ada, path, sent)
        assert outcome(refused) == 422
        again = boxes(refused.get_data(as_text=True))
        assert again["begins"] == begins["begins"]
        begins = again
    saved = post(ada, path, {"_has": ["name", "begins"], "name": "Kept", **begins})
    if at == "soon":
        assert outcome(saved) == 422
    else:
        kept = store.read("order", order.id)["begins"]
        assert kept == datetime.fromisoformat(at) if is_stored else kept.minute == 3


def test_conditions_and_totals_live(ada: FlaskClient, store: Store) -> None:
    product = store.create("product", {"name": "Rack", "price": 10})
    state = post(
        ada, "/e/order/form-state", new_order(product, kind="rush", _touched=["kind", "lines.7.quantity"])
    ).get_json()
    assert state["fields"]["reason"]["visible"] is True
    assert state["fields"]["reason"]["required"] is True
    assert state["computed"]["lines.7.amount"] == "€30.00"
    assert state["computed"]["total"] == "€30.00"
    assert state["fields"]["lines.7.price"]["default"]["amount"] == "10.00"


def test_stale_form_shows_theirs_and_keeps_mine(ada: FlaskClient, order: Record, store: Store) -> None:
    store.update("order", order.id, {"name": "Theirs"})
    sent = {"_has": "name", "name": "Mine", "version": order.version}
    answer = post(ada, f"/e/order/{order.id}/edit", sent)
    text = answer.get_data(as_text=True)
    assert outcome(answer) == 409
    assert "Theirs" in text
    assert 'value="Mine"' in text
    again = post(ada, f"/e/order/{order.id}/edit", {**sent, "version": order.version + 1})
    assert again.status_code == 200


def test_form_keeps_what_others_changed_and_this_person_left_alone(
    ada: FlaskClient, order: Record, store: Store
) -> None:
    store.update("order", order.id, {"reason": "Theirs"})
    sent = {"_has": ["name", "reason"], "name": "Mine", "reason": order["reason"] or "", "version": order.version}
    assert post(ada, f"/e/order/{order.id}/edit", sent).status_code == 200
    saved = store.read("order", order.id)
    assert (saved["name"], saved["reason"]) == ("Mine", "Theirs")


def test_saving_again_after_a_conflict_sets_back_nothing_that_was_left_alone(
    ada: FlaskClient, order: Record, store: Store
) -> None:
    store.update("order", order.id, {"name": "Theirs", "reason": "Told by them"})
    sent = {"_has": ["name", "reason"], "name": "Mine", "reason": order["reason"] or "", "version": order.version}
    answer = post(ada, f"/e/order/{order.id}/edit", sent)
    assert outcome(answer) == 409
    assert "Told by them" in answer.get_data(as_text=True)  # so the form sends it back as it is now


def test_a_switch_that_was_neither_on_nor_off_is_left_so(ada: FlaskClient, order: Record, store: Store) -> None:
    before = store.update("order", order.id, {"active": None})
    form = ada.get(f"/e/order/{order.id}/edit").get_data(as_text=True)
    assert 'name="active.blank"' in form
    sent = {"_has": ["name", "active"], "name": before["name"], "active.blank": "1", "version": before.version}
    assert post(ada, f"/e/order/{order.id}/edit", sent).status_code == 200
    saved = store.read("order", order.id)
    assert (saved["active"], saved.version) == (None, before.version)
    assert post(ada, f"/e/order/{order.id}/edit", {**sent, "active": "true"}).status_code == 200
    assert store.read("order", order.id)["active"] is True
    assert "active.blank" not in ada.get(f"/e/order/{order.id}/edit").get_data(as_text=True)


def test_picker_finds_and_offers_to_create(ada: FlaskClient, cleo: FlaskClient, order: Record) -> None:
    found = ada.get("/e/order/pick/account?q=Bold").get_json()
    assert found["options"][0]["title"] == EVIL
    assert "quick=1" in found["create"]["url"]
    assert cleo.get("/e/order/pick/account?q=Bold").get_json()["create"] is None
    anything = ada.get("/e/remark/pick/about?q=First").get_json()["options"]
    assert anything[0]["value"].startswith("order:")


def test_quick_form_answers_with_the_record(ada: FlaskClient) -> None:
    form = ada.get("/e/product/new?quick=1&title=Lamp").get_data(as_text=True)
    assert 'value="Lamp"' in form
    made = post(ada, "/e/product/new?quick=1", {"_has": "name", "name": "Lamp"}).get_json()
    assert made["ref"]["title"] == "Lamp"


def test_typed_dates_are_understood(ada: FlaskClient) -> None:
    known = post(ada, "/e/order/understand/due", {"_prefix": "", "due": "2026-11-24"}).get_json()
    assert known["shown"] == "Nov 24, 2026"
    assert "error" in post(ada, "/e/order/understand/due", {"_prefix": "", "due": "gibberish"}).get_json()


def test_an_amount_keeps_the_decimals_of_its_documents_currency(ada: FlaskClient) -> None:
    """What the document's currency is, the page says; the dinar has three decimals."""
    sent = {"_prefix": "lines.0.", "lines.0.price.amount": "123456.789", "lines.0.price.currency": "KWD"}
    assert post(ada, "/e/order_line/understand/price", sent).get_json()["text"] == "123,456.789"


def test_duplicate_fills_the_form(ada: FlaskClient, order: Record) -> None:
    assert 'value="First order"' in ada.get(f"/e/order/new?copy={order.id}").get_data(as_text=True)
