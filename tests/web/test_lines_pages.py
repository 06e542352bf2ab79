"""The lines of a record: pasted from a spreadsheet, edited on the record's page, told in its timeline."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

from flask.testing import FlaskClient
from tests.web.frame_tenants import outcome
from tests.web.test_record_pages import ada, app, cleo, office, order, post, store

from trellis.records.record import Record
from trellis.records.store import Store

__all__ = ["ada", "app", "cleo", "office", "order", "store"]


def paste(client: FlaskClient, text: str, *columns: str) -> Any:
    every = ["product", "quantity"]
    return post(client, "/e/order/paste/lines", {"text": text, "column": list(columns), "all": every}).get_json()


def test_pasted_cells_are_understood_as_the_reader_writes_them(ada: FlaskClient, store: Store) -> None:
    product = store.create("product", {"name": "Ladder, long", "price": 10})
    answer = paste(ada, 'Ladder, long\t1200\n"Ladder, long"\t2\n', "product", "quantity")
    first = answer["rows"][0]
    assert first["product"]["fill"][""]["value"] == str(product.id)
    assert first["quantity"]["fill"] == {"": "1,200"} or first["quantity"]["fill"] == {"": "1.200"}
    assert len(answer["rows"]) == 2


def test_a_pasted_cell_that_is_not_understood_says_why_and_keeps_its_text(ada: FlaskClient, store: Store) -> None:
    [row] = paste(ada, "No such thing\tmany", "product", "quantity")["rows"]
    assert "No such thing" in row["product"]["error"]
    assert row["quantity"]["fill"] == {"": "many"}
    assert row["quantity"]["error"]


def test_a_first_row_of_headings_says_where_the_cells_go(ada: FlaskClient, store: Store) -> None:
    answer = paste(ada, "Quantity\n3\n4", "product", "quantity")
    assert answer["headed"] is True
    assert [row["quantity"]["fill"] for row in answer["rows"]] == [{"": "3"}, {"": "4"}]


def test_too_many_rows_are_sent_to_the_import(ada: FlaskClient) -> None:
    assert "501" in paste(ada, "1\n" * 501, "quantity")["message"]


def test_lines_are_edited_on_the_records_page_as_one_change(ada: FlaskClient, store: Store, order: Record) -> None:
    product = store.create("product", {"name": "Shelf", "price": 10})
    place = f"/e/order/{order.id}/lines/lines"
    assert "data-lines" in ada.get(place).get_data(as_text=True)
    before = store.read("order", order.id).version
    sent = {
        "_has": ["lines", "lines.0.product", "lines.0.quantity"],
        "lines.0.product": str(product.id),
        "lines.0.quantity": "4",
        "version": str(before),
    }
    assert post(ada, place, sent).status_code == 200
    assert store.read("order", order.id).version == before + 1
    [line] = store.lines("order", order.id, "lines")
    told = ada.get(f"/e/order/{order.id}/history").get_data(as_text=True)
    assert "Shelf" in told
    post(ada, place, {**sent, "lines.0.id": str(line.id), "lines.0.quantity": "9", "version": str(before + 1)})
    told = ada.get(f"/e/order/{order.id}/history").get_data(as_text=True)
    assert "Quantity" in told


def test_a_line_that_is_refused_comes_back_as_it_was_typed(ada: FlaskClient, store: Store, order: Record) -> None:
    product = store.create("product", {"name": "Shelf", "price": 10})
    sent = {
        "_has": ["lines", "lines.0.product", "lines.0.quantity"],
        "lines.0.product": str(product.id),
        "lines.0.quantity": "-9",
    }
    answer = post(ada, f"/e/order/{order.id}/lines/lines", sent)
    assert outcome(answer) == 422
    assert 'value="-9"' in answer.get_data(as_text=True)


def test_whoever_may_not_change_the_record_may_not_change_its_lines(cleo: FlaskClient, order: Record) -> None:
    assert outcome(cleo.get(f"/e/order/{order.id}/lines/lines")) in (403, 404)


def test_a_copy_brings_the_lines_with_their_own_prices(ada: FlaskClient, store: Store) -> None:
    product = store.create("product", {"name": "Beam", "price": 10})
    account = store.create("account", {"name": "Beams & Co"})
    first = store.create(
        "order",
        {
            "name": "Beams",
            "account": account.ref,
            "lines": [{"product": product.ref, "quantity": 7}, {"product": product.ref, "quantity": 1, "price": 8}],
        },
    )
    page = ada.get(f"/e/order/new?copy={first.id}").get_data(as_text=True)
    assert 'name="lines.1.price.amount" value="8.00"' in page
    assert 'name="lines.0.id"' not in page  # they are lines of the new order
    assert "€78.00" in page
    assert store.lines("order", first.id, "lines")[0]["quantity"] == 7


def test_lines_are_imported_with_what_their_record_is_known_by(ada: FlaskClient, store: Store, order: Record) -> None:
    product = store.create("product", {"name": "Rope", "price": 4})
    assert "/e/order_line/import" in ada.get("/e/order/").text
    file = f"Order,Product,Quantity\n{order.id},{product['name']},7\nNo such order,{product['name']},1\n"
    sent = {"file": (BytesIO(file.encode()), "lines.csv"), "csrf_token": token(ada, "/e/order_line/import")}
    at = ada.post("/e/order_line/import", data=sent, content_type="multipart/form-data").location
    columns = {"column-0": "order", "column-1": "product", "column-2": "quantity", "do": "import"}
    ada.post(at, data={**columns, "csrf_token": token(ada, at)})
    page = ada.get(at).text
    assert "has been imported" in page
    assert "names no record" in page
    assert [line["quantity"] for line in store.lines("order", order.id, "lines")][-1] == 7


def token(client: FlaskClient, page: str) -> str:
    found = re.search(r'name="csrf-token" content="([^"]+)"', client.get(page).text)
    assert found
    return found[1]
