"""The page of a person's data: given out, kept by law, erased; for those with the right."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from tests.conftest import layers_of
from tests.web.frame_tenants import YAML, add_person, app_of, outcome, signed_in_client, token_of

from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant

CRM = YAML + (
    """
---
entity: member
label: Member
plural: Members
title: name
fields:
  name: {type: text, required: true, search: true, personal: true}
  email: {type: email, personal: true}
  account: {type: link, to: account, inverse: members}
---
entity: sale
label: Sale
plural: Sales
title: number
fields:
  number: {type: text, required: true}
  member: {type: link, to: member, inverse: sales}
  total: {type: money}
---
role: officer
label: Privacy officer
grants: {"*": {read: all}}
allow: [privacy]
"""
)


@pytest.fixture(scope="module")
def tenant(catalogue: Catalogue) -> Iterator[Tenant]:
    tenant = catalogue.create("privacy-pages", layers_of(CRM, "privacy-pages"), "test")
    add_person(tenant, "olga@p.example", "officer", name="Olga")
    add_person(tenant, "rob@p.example", "rep")
    add_person(tenant, "ada@p.example", "admin")
    yield tenant
    catalogue.drop("privacy-pages")


@pytest.fixture(scope="module")
def app(tenant: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return app_of(tenant, Path(tmp_path_factory.mktemp("privacy")))


@pytest.fixture(scope="module")
def system(tenant: Tenant) -> Store:
    return Store(tenant, Principal.system(Reader()))


@pytest.fixture
def olga(app: Flask) -> FlaskClient:
    return signed_in_client(app, "olga@p.example")


@pytest.fixture
def pia(system: Store) -> UUID:
    """A member with a sale, and somebody with the same address."""
    id = system.create("member", {"name": "Pia <Post>", "email": "pia@post.example"}).id
    system.create("sale", {"number": "S-1", "member": id, "total": 12})
    return id


def post(client: FlaskClient, path: str, **form: Any) -> Any:
    return client.post(path, data={"csrf_token": token_of(client.get("/").text), **form})


def test_the_menu_of_a_person_leads_there_for_those_with_the_right(app: Flask, olga: FlaskClient, pia: UUID) -> None:
    assert f"/e/member/{pia}/privacy" in olga.get(f"/e/member/{pia}").text
    page = olga.get(f"/e/member/{pia}/privacy").text
    assert "Pia &lt;Post&gt;" in page
    assert "Sales" in page
    rob = signed_in_client(app, "rob@p.example")
    for method, path in (("get", ""), ("post", "/export"), ("post", "/decide"), ("get", "/erase"), ("post", "/erase")):
        data = {
            "csrf_token": token_of(rob.get("/").text),
            "state": "hold",
            "on": "1",
            "reason": "x",
            "typed": "Pia <Post>",
        }
        assert getattr(rob, method)(f"/e/member/{pia}/privacy{path}", data=data).status_code in (403, 404)
    assert olga.get(f"/e/sale/{pia}/privacy").status_code == 404


def test_everything_is_given_out_as_a_file(olga: FlaskClient, system: Store, pia: UUID) -> None:
    twin = system.create("member", {"name": "P. Post", "email": "PIA@post.example"})
    olga.get(f"/e/member/{pia}")
    assert f"member:{twin.id}" in olga.get(f"/e/member/{pia}/privacy").text
    answer = post(olga, f"/e/member/{pia}/privacy/export", also=f"member:{twin.id}")
    assert answer.headers["Content-Disposition"] == "attachment; filename=Pia-Post.zip"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        data = json.loads(archive.read("data.json"))
        page = archive.read("index.html").decode()
        assert "tables/sale.csv" in archive.namelist()
    assert [r["values"]["email"] for r in data["records"]] == ["pia@post.example", "PIA@post.example"]
    assert data["about"][0]["values"]["number"] == "S-1"
    assert {line["how"] for line in data["access"]} >= {"record"}
    assert "Pia &lt;Post&gt;" in page
    assert "<Post>" not in page
    assert "Record opened" in page
    assert post(olga, f"/e/member/{pia}/privacy/export", also="member:nonsense").status_code == 404


def test_a_decision_needs_a_reason_and_stands_in_the_way(olga: FlaskClient, pia: UUID) -> None:
    path = f"/e/member/{pia}/privacy"
    refused = post(olga, f"{path}/decide", state="hold", on="1", reason=" ")
    assert outcome(refused) == 422
    assert "Say why" in refused.text
    assert post(olga, f"{path}/decide", state="hold", on="1", reason="Court order 7").status_code == 303
    assert "Court order 7" in olga.get(path).text
    confirm = olga.get(f"{path}/erase").text
    assert "Court order 7" in confirm
    assert 'name="typed"' not in confirm
    assert outcome(post(olga, f"{path}/erase", typed="Pia <Post>")) == 422
    assert post(olga, f"{path}/decide", state="hold", on="0").status_code == 303
    assert post(olga, f"{path}/decide", state="erased", on="1", reason="x").status_code == 404


def test_erasing_asks_for_the_name_and_says_what_goes(olga: FlaskClient, system: Store, pia: UUID) -> None:
    path = f"/e/member/{pia}/privacy/erase"
    page = olga.get(path).text
    assert "Goes for good" in page
    sent = olga.get(f"{path}?csrf_token=x&also=member:{pia}")
    assert (sent.status_code, sent.headers["Location"]) == (303, f"{path}?also=member:{pia}")
    assert "Email" in page or "E-mail" in page
    wrong = post(olga, path, typed="Pia")
    assert outcome(wrong) == 422
    assert system.read("member", pia).title == "Pia <Post>"
    assert post(olga, path, typed=" pia <post> ", reason="request of today").status_code == 303
    assert system.read("member", pia).title == f"Erased {pia.hex[-8:]}"
    page = olga.get(f"/e/member/{pia}/privacy").text
    assert "was erased on" in page


def test_nobody_is_given_a_form_for_what_is_restricted(app: Flask, olga: FlaskClient, system: Store, pia: UUID) -> None:
    ada = signed_in_client(app, "ada@p.example")
    assert ada.get(f"/e/member/{pia}/edit").status_code == 200
    post(olga, f"/e/member/{pia}/privacy/decide", state="restricted", on="1", reason="The address is disputed")
    answer = ada.get(f"/e/member/{pia}/edit")
    assert answer.location.endswith(f"/e/member/{pia}")
    assert "restricted: it may not be changed" in ada.get("/").text
    assert outcome(ada.get(f"/e/member/{pia}/edit", headers={"X-Requested-With": "fetch"})) == 403
    page = ada.get(f"/e/member/{pia}").text
    assert "Processing restricted" in page
    assert f"/e/member/{pia}/edit" not in page
    post(olga, f"/e/member/{pia}/privacy/decide", state="restricted", on="0")
    assert f"/e/member/{pia}/edit" in ada.get(f"/e/member/{pia}").text
