"""Many records in one request: an outcome for each row."""

from __future__ import annotations

from typing import Any

from tests.api.conftest import Api


def statuses(answer: Any) -> list[str]:
    return [row["status"] for row in answer.json["data"]]


def test_rows_are_made_and_refused_each_by_itself(mona: Api) -> None:
    rows = [{"code": "B1", "name": "One"}, {"code": "B2"}, {"code": "B3", "name": "Three", "colour": 1}, {"code": "B1"}]
    answer = mona.post("product/bulk", {"operation": "create", "rows": [*rows, {"code": "B5", "name": "Five"}]})
    assert statuses(answer) == ["created", "refused", "refused", "refused", "created"]
    assert answer.json["counts"] == {"created": 2, "refused": 3}
    assert [e["field"] for e in answer.json["data"][1]["errors"]] == ["name"]


def test_rows_are_changed_by_their_ids(mona: Api) -> None:
    one = mona.made("product", code="C1", name="One")
    rows = [{"id": one["id"], "name": "Uno"}, {"id": one["id"][:-1] + "0", "name": "?"}, {"id": "x"}, {"name": "y"}]
    answer = mona.post("product/bulk", {"operation": "update", "rows": rows})
    assert statuses(answer) == ["updated", "refused", "refused", "refused"]
    assert mona.get(f"product/{one['id']}").json["name"] == "Uno"


def test_an_upsert_changes_what_it_recognises_and_makes_the_rest(mona: Api) -> None:
    mona.made("product", code="U1", name="Old")
    rows = [{"code": "U1", "name": "New"}, {"code": "U2", "name": "Other"}]
    assert statuses(mona.post("product/bulk", {"operation": "upsert", "rows": rows})) == ["updated", "created"]
    again = mona.post("product/bulk", {"operation": "upsert", "match": "code", "rows": rows})
    assert statuses(again) == ["unchanged", "unchanged"]
    mona.made("contact", name="Twin")
    mona.made("contact", name="Twin")
    several = mona.post("contact/bulk", {"operation": "upsert", "match": "name", "rows": [{"name": "Twin"}]})
    assert [e["code"] for e in several.json["data"][0]["errors"]] == ["ambiguous"]


def test_an_upsert_does_not_ask_what_is_masked(carl: Api) -> None:
    answer = carl.post("order/bulk", {"operation": "upsert", "match": "phone", "rows": [{"phone": "+4930901820"}]})
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "match")


def test_rows_are_deleted(mona: Api) -> None:
    one = mona.made("product", code="D1", name="One")
    answer = mona.post("product/bulk", {"operation": "delete", "rows": [{"id": one["id"]}, {"id": one["id"]}]})
    assert statuses(answer) == ["deleted", "refused"]
    assert mona.get(f"product/{one['id']}").status_code == 404


def test_changing_many_at_once_needs_the_right(mona: Api, carl: Api) -> None:
    made = mona.made("order", number="B-90", name="Alone")
    for operation in ("update", "delete"):
        answer = carl.post("order/bulk", {"operation": operation, "rows": [{"id": made["id"], "name": "Many"}]})
        assert (answer.status_code, answer.json["action"]) == (403, "bulk-edit")
    assert mona.get(f"order/{made['id']}").json["name"] == "Alone"


def test_the_bin_is_listed_to_who_may_empty_it(mona: Api, carl: Api) -> None:
    assert mona.get("order?deleted=true").status_code == 200
    answer = carl.get("order?deleted=true")
    assert (answer.status_code, answer.json["action"]) == (403, "restore")
    assert carl.get("order?updated_since=2026-01-01T00:00:00Z").status_code == 200


def test_all_or_nothing_takes_everything_back(mona: Api) -> None:
    rows = [{"code": "N1", "name": "One"}, {"code": "N2"}]
    answer = mona.post("product/bulk", {"operation": "create", "rows": rows, "all_or_nothing": True})
    assert (answer.status_code, statuses(answer)) == (422, ["undone", "refused"])
    assert mona.get('product?filter=code == "N1"').json["data"] == []


def test_a_bulk_request_of_a_wrong_shape_is_refused_whole(mona: Api) -> None:
    for body in (
        {"operation": "explode", "rows": [{}]},
        {"operation": "create", "rows": []},
        {"operation": "create", "rows": [1]},
        {"operation": "create", "rows": {}},
        {"operation": "create"},
        {"operation": "create", "rows": [{}], "all_or_nothing": "yes"},
    ):
        assert mona.post("product/bulk", body).status_code == 400, body
    rows = [{"code": str(n), "name": "n"} for n in range(5001)]
    assert mona.post("product/bulk", {"operation": "create", "rows": rows}).status_code == 413
