"""Records over HTTP: made, read, changed, listed, deleted, restored."""

from __future__ import annotations

from io import BytesIO
from itertools import count
from typing import Any
from urllib.parse import quote

import pytest
from tests.api.conftest import Api, Office

from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.store import Store

_numbers = count(1)


def new_order(api: Api, **values: Any) -> dict[str, Any]:
    number = f"O-{next(_numbers)}"  # the office is one for all tests
    return api.made("order", **({"number": number, "name": f"Order {number}"} | values))


def numbered(order: dict[str, Any]) -> str:
    """The filter that finds an order."""
    return quote('number == "{number}"'.format_map(order))


def codes(answer: Any) -> list[tuple[Any, str]]:
    return [(error["field"], error["code"]) for error in answer.json["errors"]]


def test_a_record_is_made_with_its_lines_and_read_back_the_same(mona: Api) -> None:
    product = mona.made("product", code="P1", name="Desk", price={"amount": 19.99, "currency": "EUR"})
    lines = [{"product": product["id"], "quantity": 3, "price": 19.99}, {"quantity": "1.5", "price": 10}]
    made = mona.post("order", {"number": "L-1", "name": "With lines", "lines": lines})
    assert made.status_code == 201
    assert made.headers["ETag"] == '"1"'
    read = mona.client.get(made.headers["Location"], headers={"Authorization": f"Bearer {mona.secret}"})
    assert read.json == made.json
    assert [line["quantity"] for line in read.json["lines"]] == [3, 1.5]
    assert read.json["lines"][0]["product"] == {"entity": "product", "id": product["id"], "title": "Desk"}
    assert read.json["amount"]["amount"] == 74.97
    assert read.json["_title"] == "With lines"


def test_every_fault_of_a_write_is_told_with_its_field(mona: Api) -> None:
    answer = mona.post("order", {"name": "Cheap", "discount": 40, "due": "soon", "colour": "red"})
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert set(codes(answer)) == {
        ("number", "required"),
        ("discount", "rule"),
        ("due", "invalid"),
        ("colour", "unknown"),
    }


def test_a_change_that_comes_while_a_record_is_being_deleted_stops_it(
    office: Office, mona: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, delete = new_order(mona), Store.delete

    def late(store: Store, entity: str, id: Any, **more: Any) -> None:
        monkeypatch.undo()
        Store(office.tenant, Principal.system(Reader())).update(entity, id, {"name": "Faster"})
        delete(store, entity, id, **more)

    monkeypatch.setattr(Store, "delete", late)
    answer = mona.delete(f"order/{order['id']}", match='"1"')
    assert (answer.status_code, answer.json["version"]) == (412, 2)
    assert mona.get(f"order/{order['id']}").json["name"] == "Faster"


def test_refusals_are_written_in_the_readers_language(mona: Api) -> None:
    answer = mona.post("order", {"name": "Cheap"}, Accept_Language="zh-CN")
    assert answer.json["title"] == "被拒绝"
    assert answer.json["errors"][0]["message"] == "此项为必填项。"


def test_a_change_needs_the_version_that_it_changes(mona: Api) -> None:
    order = new_order(mona)
    path = f"order/{order['id']}"
    assert mona.call("PATCH", path, {"name": "A"}).status_code == 428
    first = mona.patch(path, {"name": "A"}, match='"1"')
    assert (first.status_code, first.headers["ETag"]) == (200, '"2"')
    second = mona.patch(path, {"name": "B"}, match='"1"')
    assert (second.status_code, second.json["version"]) == (412, 2)
    assert mona.get(path).json["name"] == "A"


def test_a_patch_leaves_what_it_does_not_name(mona: Api) -> None:
    order = new_order(mona, due="2026-05-01", discount=10)
    changed = mona.patch(f"order/{order['id']}", {"discount": None}).json
    assert (changed["discount"], changed["due"]) == (None, "2026-05-01")


def test_a_deleted_record_is_gone_and_comes_back(mona: Api) -> None:
    order = new_order(mona)
    path = f"order/{order['id']}"
    assert mona.call("DELETE", path).status_code == 428
    assert mona.delete(path, match='"7"').status_code == 412
    assert mona.delete(path).status_code == 204
    assert mona.get(path).status_code == 404
    listed = mona.get(f"order?deleted=true&fields=number&filter={numbered(order)}").json["data"]
    assert [row["id"] for row in listed] == [order["id"]]
    assert mona.post(f"{path}/restore").json["number"] == order["number"]
    assert mona.get(path).status_code == 200


def test_a_list_is_filtered_sorted_and_paged_to_its_end(mona: Api) -> None:
    for place in range(7):
        new_order(mona, name=f"Paged {place}", discount=place)
    where = quote('starts_with(name, "Paged")')
    path = f"order?filter={where}&sort=-discount&fields=name,discount&limit=3"
    found, cursor = [], ""
    while True:
        page = mona.get(f"{path}&count=exact" + (f"&cursor={cursor}" if cursor else "")).json
        found += [row["discount"] for row in page["data"]]
        assert page["count"] == {"n": 7, "capped": False}
        if (cursor := page["next"]) is None:
            break
    assert found == [6, 5, 4, 3, 2, 1, 0]


def test_the_next_page_stands_in_a_link_header(mona: Api) -> None:
    for _ in range(2):
        new_order(mona)
    page = mona.get("order?limit=1&fields=number")
    address = page.headers["Link"].partition(">")[0].removeprefix("<")
    following = mona.client.get(address, headers={"Authorization": f"Bearer {mona.secret}"}).json
    assert following["data"][0]["id"] != page.json["data"][0]["id"]


def test_fields_reach_over_links_and_into_lines(mona: Api) -> None:
    account = mona.made("account", name="Acme")
    order = new_order(mona, account=account["id"], lines=[{"quantity": 2, "price": 5}])
    [row] = mona.get(f"order?filter={numbered(order)}&fields=number,account.name,account.owner.name,lines").json["data"]
    assert row["account.name"] == "Acme"
    assert row["account.owner.name"] == "Mona Manager"
    assert [line["amount"]["amount"] for line in row["lines"]] == [10]
    assert "name" not in row


def test_a_mistake_in_a_filter_is_told_with_its_place(mona: Api) -> None:
    answer = mona.get(f"order?filter={quote('discount > 3 and colour == 1')}")
    assert answer.status_code == 422
    assert (answer.json["errors"][0]["code"], answer.json["errors"][0]["offset"]) == ("filter", 17)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=many", "limit"),
        ("count=all", "count"),
        ("deleted=perhaps", "deleted"),
        ("updated_since=yesterday", "updated_since"),
        ("updated_since=2026-01-01&sort=name", "sort"),
        ("view=nonsense", "view"),
    ],
)
def test_what_a_query_gets_wrong_is_told(mona: Api, query: str, field: str) -> None:
    answer = mona.get(f"order?{query}")
    assert answer.status_code == 400
    assert codes(answer) == [(field, "invalid")]


def test_a_broken_cursor_is_refused(mona: Api) -> None:
    assert mona.get("order?cursor=nonsense").status_code == 422


def test_a_search_finds_as_people_type(mona: Api) -> None:
    order = new_order(mona, name="上海同济大学订单")
    assert [row["id"] for row in mona.get(f"order?q={quote('同济大学')}&fields=name").json["data"]] == [order["id"]]


def test_a_view_gives_its_records_and_columns(mona: Api) -> None:
    order = new_order(mona, due="2020-01-02")
    rows = mona.get("order?view=late").json["data"]
    assert order["id"] in {row["id"] for row in rows}
    assert set(rows[0]) == {"id", "version", "_title", "number", "account"}


def test_a_change_feed_tells_of_changes_and_deletions_in_order(mona: Api) -> None:
    before = new_order(mona)
    since = quote(before["updated_at"])
    changed, gone = new_order(mona), new_order(mona)
    mona.patch(f"order/{before['id']}", {"name": "Changed"})
    mona.delete(f"order/{gone['id']}")
    feed = mona.get(f"order?updated_since={since}&fields=name").json["data"]
    assert [row["id"] for row in feed] == [changed["id"], before["id"], gone["id"]]
    assert feed[-1].keys() == {"id", "version", "deleted_at", "_gone"}


def test_a_change_feed_tells_of_what_left_the_callers_sight_and_of_nothing_else(
    office: Office, mona: Api, carl: Api
) -> None:
    his = [new_order(mona, owner=str(office.carl)) for _ in range(3)]
    hers = [new_order(mona) for _ in range(2)]
    since = quote(mona.get(f"order/{hers[-1]['id']}").json["updated_at"])
    for order in (his[0], his[1], hers[0]):
        mona.patch(f"order/{order['id']}", {"name": "Another", "margin": 7})
    mona.patch(f"order/{his[0]['id']}", {"owner": str(office.mona)})
    mona.patch(f"order/{his[0]['id']}", {"name": "Hers by now"})
    between = new_order(mona)
    mona.patch(f"order/{between['id']}", {"owner": str(office.carl)})
    mona.patch(f"order/{between['id']}", {"owner": str(office.mona)})
    for limit in (50, 1):
        told, cursor = [], ""
        while cursor is not None:
            page = carl.get(f"order?updated_since={since}&limit={limit}&fields=name,lines&cursor={cursor}").json
            told += page["data"]
            cursor = page["next"]
        lost = [row for row in told if row.get("_gone") == "not_visible"]
        assert lost == [{"id": order["id"], "_gone": "not_visible"} for order in (his[0], between)]
        assert {row["id"] for row in told if row not in lost} == {his[1]["id"]}
    assert not any("_gone" in row for row in mona.get(f"order?updated_since={since}").json["data"])


def test_secrets_and_fields_closed_to_the_api_are_never_given(mona: Api) -> None:
    order = new_order(mona, token="abc")
    assert not {"token", "internal"} & set(mona.get(f"order/{order['id']}").json)
    assert codes(mona.get("order?fields=internal")) == [("internal", "unknown")]
    assert codes(mona.patch(f"order/{order['id']}", {"internal": "x"})) == [("internal", "unknown")]


def test_what_is_no_json_is_told_with_its_place(mona: Api) -> None:
    sent = {"Authorization": f"Bearer {mona.secret}", "Content-Type": "application/json"}
    answer = mona.client.post("/api/v1/order", data=b'{"name": ', headers=sent)
    assert (answer.status_code, answer.json["line"], answer.json["column"]) == (400, 1, 10)
    assert mona.client.post("/api/v1/order", data=b"[1]", headers=sent).status_code == 400
    sent["Content-Type"] = "text/plain"
    assert mona.client.post("/api/v1/order", data=b"{}", headers=sent).status_code == 415


def test_an_entity_that_the_api_does_not_have_is_not_there(mona: Api) -> None:
    for path in ("diary", "nonsense", "diary/views", "meta/diary"):
        assert mona.get(path).status_code == 404


def test_a_request_is_done_once_for_its_idempotency_key(mona: Api) -> None:
    body = {"number": "IK-1", "name": "Once"}
    first = mona.post("order", body, Idempotency_Key="abc")
    again = mona.post("order", body, Idempotency_Key="abc")
    assert (again.status_code, again.json, again.headers["ETag"]) == (201, first.json, first.headers["ETag"])
    assert again.headers["Idempotency-Replayed"] == "true"
    other = mona.post("order", body | {"number": "IK-2"}, Idempotency_Key="abc")
    assert (other.status_code, other.json["type"]) == (422, "urn:trellis:problem:idempotency-key")


def test_a_refused_request_leaves_its_idempotency_key_free(mona: Api) -> None:
    assert mona.post("order", {"name": "No number"}, Idempotency_Key="free").status_code == 422
    assert mona.post("order", {"number": "IK-3", "name": "Now"}, Idempotency_Key="free").status_code == 201


def test_one_callers_idempotency_key_is_not_anothers(office: Office) -> None:
    one, other = office.api(), office.api()
    assert one.post("order", {"number": "IK-4", "name": "One"}, Idempotency_Key="same").status_code == 201
    assert other.post("order", {"number": "IK-5", "name": "Two"}, Idempotency_Key="same").json["number"] == "IK-5"


def test_a_record_moves_through_its_pipeline_with_what_the_gate_asks(mona: Api) -> None:
    order = new_order(mona)
    path = f"order/{order['id']}/move"
    refused = mona.post(path, {"stage": "placed"}, If_Match="*")
    assert refused.status_code == 422
    assert "due" in {error["field"] for error in refused.json["errors"]}
    body = {"stage": "placed", "set": {"due": "2026-12-01"}, "checklist": ["checked"]}
    moved = mona.post(path, body, If_Match="*")
    assert (moved.status_code, moved.json["stage"], moved.json["due"]) == (200, "placed", "2026-12-01")
    assert mona.post(path, {"stage": "draft"}, If_Match="*").status_code == 422
    assert mona.post(f"account/{mona.made('account', name='A')['id']}/move", {"stage": "x"}).status_code == 400


def test_the_history_tells_changes_with_the_values_of_the_time(mona: Api) -> None:
    order = new_order(mona)
    mona.patch(f"order/{order['id']}", {"due": "2026-05-01"})
    found = mona.get(f"order/{order['id']}/history?limit=1").json
    [change] = found["data"]
    assert (change["kind"], change["means"], change["by"]["title"]) == ("update", "api", "Mona Manager")
    assert change["changes"] == [{"field": "due", "old": None, "new": "2026-05-01"}]
    older = mona.get(f"order/{order['id']}/history?before={found['next']}").json
    assert [c["kind"] for c in older["data"]] == ["create"]


def test_links_are_made_with_their_columns_listed_and_taken_away(mona: Api) -> None:
    order, contact = new_order(mona), mona.made("contact", name="Bea Buyer")
    path = f"order/{order['id']}/links/contacts"
    assert mona.post(path, {"id": contact["id"], "columns": {"part": "buyer"}}).status_code == 204
    [row] = mona.get(f"{path}?fields=name").json["data"]
    assert (row["name"], row["_link"]) == ("Bea Buyer", {"part": "buyer"})
    [back] = mona.get(f"contact/{contact['id']}/links/orders?fields=number").json["data"]
    assert (back["number"], back["_link"]) == (order["number"], {"part": "buyer"})
    assert codes(mona.post(path, {"id": contact["id"], "columns": {"part": "boss"}})) == [("part", "choice")]
    assert mona.delete(f"{path}/{contact['id']}").status_code == 204
    assert mona.get(path).json["data"] == []


def test_an_inverse_list_is_listed(mona: Api) -> None:
    account = mona.made("account", name="Listed")
    order = new_order(mona, account=account["id"])
    rows = mona.get(f"account/{account['id']}/links/orders?fields=number&limit=5").json["data"]
    assert [row["id"] for row in rows] == [order["id"]]
    assert mona.get(f"account/{account['id']}/links/nonsense").status_code == 404


def test_a_file_is_sent_named_and_fetched_through_its_record(mona: Api, carl: Api) -> None:
    headers = {"Authorization": f"Bearer {mona.secret}"}
    sent = mona.client.post(
        "/api/v1/order/files/paper", data={"file": (BytesIO(b"%PDF-1.4"), "offer.pdf")}, headers=headers
    )
    assert (sent.status_code, sent.json["name"]) == (201, "offer.pdf")
    order = new_order(mona, paper=[{"id": sent.json["id"], "name": "other.pdf", "size": 1}])
    assert order["paper"] == [sent.json]
    with mona.get(f"order/{order['id']}/files/paper/{sent.json['id']}") as fetched:
        told = fetched.headers["Content-Disposition"].partition(";")[0]
        assert (fetched.data, told) == (b"%PDF-1.4", "attachment")
    mine = carl.made("order", number="F-9", name="Mine")
    stolen = carl.patch(f"order/{mine['id']}", {"paper": [{"id": sent.json["id"]}]})
    assert codes(stolen) == [("paper", "file")]


def test_meta_tells_what_the_caller_may_know(mona: Api, carl: Api) -> None:
    assert {"order", "account"} <= {e["key"] for e in mona.get("meta").json["entities"]}
    assert "diary" not in {e["key"] for e in mona.get("meta").json["entities"]}
    fields = {f["key"]: f for f in carl.get("meta/order").json["fields"]}
    assert "margin" not in fields
    assert (fields["discount"]["writable"], fields["name"]["writable"]) == (False, True)
    assert [c["key"] for c in fields["kind"]["choices"]] == ["standard", "express"]
    [pipeline] = carl.get("meta/order").json["pipelines"]
    assert [stage["key"] for stage in pipeline["stages"]] == ["draft", "placed", "done", "off"]
