"""The dialog that shares a record: who it is shared with, adding somebody, changing and ending it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from tests.web.frame_tenants import token_of
from tests.web.live import system_store

from trellis.records.record import Record
from trellis.storage.tenant import Tenant


@pytest.fixture
def deal(shop: Tenant) -> Iterator[Record]:
    """A deal of Anna's that Sam may not see."""
    store = system_store(shop)
    [anna] = store.list("user", columns=["name"], where=['name == "Anna Admin"']).rows
    account = store.create("account", {"name": "Quiet account"})
    made = store.create("deal", {"name": "Quiet deal", "account": account.id, "owner": anna.id})
    yield made
    store.delete("deal", made.id)
    store.purge("deal", made.id)
    store.delete("account", account.id)
    store.purge("account", account.id)


@pytest.fixture
def sams_id(shop: Tenant) -> str:
    [sam] = system_store(shop).list("user", columns=["name"], where=['name == "Sam Seller"']).rows
    return str(sam.id)


@pytest.fixture
def send(anna: FlaskClient, deal: Record) -> Callable[..., Any]:
    """Posts what the dialog sends."""

    token = token_of(anna.get("/").text)

    def post(path: str = "", **values: str) -> Any:
        return anna.post(f"/e/deal/{deal.id}/sharing{path}", data=values, headers={"X-CSRFToken": token})

    return post


def test_a_record_is_shared_told_of_and_taken_back(
    anna: FlaskClient, sam: FlaskClient, deal: Record, sams_id: str, shop: Tenant, send: Callable[..., Any]
) -> None:
    page = f"/e/deal/{deal.id}"
    assert sam.get(page).status_code == 404
    assert f"{page}/sharing" in anna.get(page).text
    answer = send(whom=f"user:{sams_id}", level="read")
    assert answer.headers["HX-Trigger"] == "trellis:changed"
    assert "Sam Seller" in answer.text
    assert sam.get(page).status_code == 200
    assert "Quiet deal" in sam.get("/e/deal/?view=all").text
    assert "shared this with Sam Seller for reading" in anna.get(f"{page}/timeline").text
    [share] = system_store(shop).shares("deal", deal.id)
    send(f"/{share.id}", level="write", until="2100-12-24")
    assert "for changing, until" in anna.get(f"{page}/timeline").text
    send(f"/{share.id}/end")
    assert sam.get(page).status_code == 404
    assert "ended the share with Sam Seller" in anna.get(f"{page}/timeline").text


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"whom": ""}, "Choose a person or a team."),
        ({"whom": "user:nonsense"}, None),
        ({"whom": "account:018f0000-0000-7000-8000-000000000000"}, "Share it with a person or a team."),
        ({"whom": "user:018f0000-0000-7000-8000-000000000000"}, "There is no such record."),
        ({"whom": "sam", "until": "2020-01-01"}, "This day is past."),
        ({"whom": "sam", "until": "soon"}, "soon"),
        ({"whom": "sam", "level": "own"}, "cannot be chosen here"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(
    values: dict[str, str], said: str | None, sams_id: str, send: Callable[..., Any]
) -> None:
    given = {**values, "whom": values["whom"].replace("sam", f"user:{sams_id}")}
    answer = send(**given)
    if said is None:
        assert answer.status_code == 404
        return
    assert answer.status_code == 200
    assert "HX-Trigger" not in answer.headers
    assert said in answer.text
    if values["whom"] == "sam":
        assert "Sam Seller" in answer.text


def test_the_picker_offers_people_and_not_oneself(anna: FlaskClient, deal: Record) -> None:
    titles = [o["title"] for o in anna.get(f"/e/deal/{deal.id}/sharing/pick?q=").get_json()["options"]]
    assert "Sam Seller" in titles
    assert "Anna Admin" not in titles


def test_who_may_not_see_it_gets_no_dialog(sam: FlaskClient, deal: Record) -> None:
    assert sam.get(f"/e/deal/{deal.id}/sharing").status_code == 404
    headers = {"X-CSRFToken": token_of(sam.get("/").text)}
    assert sam.post(f"/e/deal/{deal.id}/sharing", headers=headers).status_code == 404
