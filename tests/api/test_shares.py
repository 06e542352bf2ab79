"""Sharing by the API: who a record is shared with, and what that opens to a key of theirs."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from tests.api.conftest import Api, Office


@pytest.fixture
def order(mona: Api) -> dict[str, Any]:
    """An order of Mona's, which Carl may not see."""
    return mona.made("order", number=uuid4().hex[:12], name="Quiet")


@pytest.fixture
def carls(office: Office) -> dict[str, str]:
    return {"entity": "user", "id": str(office.carl)}


def test_a_share_opens_a_record_changes_and_ends(
    mona: Api, carl: Api, order: dict[str, Any], carls: dict[str, str]
) -> None:
    address = f"order/{order['id']}"
    assert carl.get(address).status_code == 404
    made = mona.post(f"{address}/shares", {"with": carls, "until": "2100-01-01"})
    assert made.status_code == 201, made.text
    assert (made.json["level"], made.json["until"], made.json["over"]) == ("read", "2100-01-01", False)
    assert carl.get(address).status_code == 200
    assert order["id"] in [row["id"] for row in carl.get("order?limit=1000").json["data"]]
    assert carl.patch(address, {"name": "Loud"}).status_code == 403
    one = f"{address}/shares/{made.json['id']}"
    assert mona.patch(one, {"level": "write", "until": None}).json["level"] == "write"
    assert carl.patch(address, {"name": "Loud"}).json["name"] == "Loud"
    assert [s["with"]["id"] for s in carl.get(f"{address}/shares").json["data"]] == [carls["id"]]
    assert "share" in [c["kind"] for c in mona.get(f"{address}/history").json["data"]]
    assert mona.delete(one).status_code == 204
    assert carl.get(address).status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"with": {"entity": "account", "id": "x"}}, 400),
        ({"with": {"entity": "user"}}, 400),
        ({"with": "carl"}, 400),
        ({"with": {"entity": "user", "id": "carl"}}, 404),
        ({"with": "carl's", "level": "own"}, 400),
        ({"with": "carl's", "until": "soon"}, 400),
        ({"with": "carl's", "until": "2020-01-01"}, 422),
        ({"with": "carl's", "unto": "2100-01-01"}, 400),
    ],
)
def test_what_is_wrong_is_told(
    mona: Api, order: dict[str, Any], carls: dict[str, str], body: dict[str, Any], status: int
) -> None:
    given = {**body, "with": carls} if body.get("with") == "carl's" else body
    assert mona.post(f"order/{order['id']}/shares", given).status_code == status
    assert mona.get(f"order/{order['id']}/shares").json["data"] == []


def test_who_only_reads_does_not_share(mona: Api, carl: Api, order: dict[str, Any], carls: dict[str, str]) -> None:
    address = f"order/{order['id']}/shares"
    assert carl.get(address).status_code == 404
    assert carl.post(address, {"with": carls}).status_code == 404
    mona.post(address, {"with": carls})
    assert carl.post(address, {"with": carls, "level": "write"}).status_code == 403


def test_the_document_has_it_for_who_may(mona: Api) -> None:
    paths = mona.get("openapi.json").json["paths"]
    assert set(paths["/order/{id}/shares"]) >= {"get", "post"}
    assert set(paths["/order/{id}/shares/{share}"]) >= {"patch", "delete"}
