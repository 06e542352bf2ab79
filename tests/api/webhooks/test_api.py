"""Webhooks by the API and on their pages: for administrators; what is wrong is said; secrets are told once."""

from __future__ import annotations

from uuid import uuid4

import pytest
from tests.api.conftest import MANAGER, Api, Office
from tests.api.webhooks.conftest import Make
from tests.api.webhooks.receiver import Receiver
from tests.web.frame_tenants import signed_in_client

from trellis.api.webhooks.signing import PREFIX

ASKED = {"name": "ERP", "entity": "account", "events": ["created"]}


def test_from_making_to_deleting(office: Office, mona: Api, receiver: Receiver) -> None:
    made = mona.post("webhooks", {**ASKED, "url": receiver.url, "formula": 'name == "x" and changed(name)'})
    assert made.status_code == 201, made.text
    body = made.json
    assert body["secret"].startswith(PREFIX)
    assert made.headers["Location"].endswith(f"/api/v1/webhooks/{body['id']}")
    path = f"webhooks/{body['id']}"
    assert "secret" not in mona.get(path).json
    assert [one["id"] for one in mona.get("webhooks").json["data"]] == [body["id"]]
    changed = mona.patch(path, {"events": ["created", "moved"], "state": "paused"}).json
    assert (changed["events"], changed["state"], changed["reason"]) == (["created", "moved"], "paused", "by_hand")
    assert mona.patch(path, {"state": "active", "formula": None}).json["state"] == "active"
    new = mona.post(f"{path}/rotate", {}).json["secret"]
    assert new.startswith(PREFIX)
    assert new != body["secret"]
    assert mona.post(f"{path}/test").json["status"] == 204
    [message] = mona.get(f"{path}/messages").json["data"]
    assert message["type"] == "trellis.ping"
    assert mona.get(f"{path}/messages/{message['id']}").json["attempts"][0]["status"] == 204
    assert mona.post(f"{path}/replay", {"since": "2020-01-01"}).json == {"count": 0}
    assert mona.delete(path).status_code == 204
    assert mona.get(path).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": " "}, "name"),
        ({"url": ""}, "url"),
        ({"url": "ftp://example.com"}, "url"),
        ({"url": "http://169.254.169.254/"}, "url"),
        ({"url": "http://there-is-no-such-machine.invalid/"}, "url"),
        ({"entity": "nothing"}, "entity"),
        ({"entity": "diary"}, "entity"),
        ({"events": []}, "events"),
        ({"events": ["exploded"]}, "events"),
        ({"formula": "nme == 1"}, "formula"),
        ({"formula": "name"}, "formula"),
        ({"entity": "*", "formula": 'name == "x"'}, "formula"),
        ({"owner": str(uuid4())}, "owner"),
    ],
)
def test_what_is_wrong_is_said(mona: Api, receiver: Receiver, wrong: dict[str, object], field: str) -> None:
    refused = mona.post("webhooks", {**ASKED, "url": receiver.url, **wrong})
    assert refused.status_code == 422, refused.text
    assert field in {error["field"] for error in refused.json["errors"]}
    assert mona.get("webhooks").json["data"] == []


@pytest.mark.parametrize("body", [{"events": "created"}, {"owner": "x"}, {"name": 3}, {"state": 1}])
def test_what_has_the_wrong_shape(mona: Api, make: Make, body: dict[str, object]) -> None:
    assert mona.patch(f"webhooks/{make().id}", body).status_code == 400


def test_only_for_administrators(office: Office, carl: Api, make: Make) -> None:
    path = f"webhooks/{make().id}"
    narrow = office.api(scopes=["*:read", "*:write"])
    for who in (carl, narrow):
        assert who.get("webhooks").status_code == 403
        assert who.get(path).status_code == 403
        assert who.post(f"{path}/rotate", {}).status_code == 403
        assert who.delete(path).status_code == 403
        assert "/webhooks" not in who.get("openapi.json").json["paths"]


def test_the_pages(office: Office, receiver: Receiver, make: Make) -> None:
    client = signed_in_client(office.app, MANAGER)
    assert "No webhooks yet" in client.get("/admin/webhooks").text
    webhook = make(name="Warehouse <b>", events=("created", "moved"))
    page = client.get("/admin/webhooks").text
    assert "Warehouse &lt;b&gt;" in page
    base = f"/admin/webhooks/{webhook.id}"
    token = page.split('name="csrf_token" value="')[1].split('"')[0] if 'name="csrf_token"' in page else ""
    token = token or client.get(base).text.split('name="csrf_token" value="')[1].split('"')[0]
    tried = client.post(f"{base}/test", data={"csrf_token": token}, follow_redirects=True).text
    assert "It answered 204" in tried
    shown = client.post(f"{base}/rotate", data={"csrf_token": token}).text
    assert "whsec_" in shown
    assert "whsec_" not in client.get(base).text
    assert "paused" in client.post(f"{base}/pause", data={"csrf_token": token}, follow_redirects=True).text
    assert "active" in client.post(f"{base}/resume", data={"csrf_token": token}, follow_redirects=True).text
    wrong = client.post(f"{base}/edit", data={"csrf_token": token, "name": "Kept", "url": "x", "entity": "account"})
    assert wrong.status_code == 422
    assert 'value="Kept"' in wrong.text
    assert "An address begins with https://" in wrong.text
    assert "Choose at least one event." in wrong.text
    assert client.get(f"/admin/webhooks/{uuid4()}").status_code == 404
    assert client.get(f"{base}/messages/{uuid4()}").status_code == 404
    gone = client.post(f"{base}/delete", data={"csrf_token": token}, follow_redirects=True)
    assert "No webhooks yet" in gone.text
