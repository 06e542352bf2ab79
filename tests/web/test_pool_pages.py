"""Pools and scores on pages and through the API: claiming, putting back, locking, and why a score is what it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from tests.conftest import layers_of
from tests.web.frame_tenants import add_person, app_of, signed_in_client, token_of

import trellis.automation.scoring.engine  # noqa: F401 (takes part in saves)
from trellis.api.app import add_api
from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.record import Record
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant

YAML = """
entity: lead
label: Lead
plural: Leads
title: name
fields:
  name: {type: text, required: true, search: true}
  phone: {type: phone}
  heat: {type: integer, default: 0}
  owner: {type: user, role: owner}
---
pool: cold
label: Cold leads
entity: lead
members: {roles: [rep]}
admins: {roles: [boss]}
hide: [phone]
release: {after: 10 days}
claim: {per_day: 2}
lock: {at_most: 1, for: 5 days}
---
scoring: warm
entity: lead
field: heat
fit: {named: {label: Has a name, when: not is_blank(name), points: 7}}
---
role: rep
grants: {lead: {read: own, create: true, update: own}, user: {read: all}}
allow: [api]
---
role: boss
grants: {"*": {read: all, create: true, update: all}}
"""


@pytest.fixture(scope="module")
def pool(catalogue: Catalogue) -> Iterator[Tenant]:
    tenant = catalogue.create("pool-pages", layers_of(YAML, "pool-pages"), "test")
    add_person(tenant, "rita@pool.example", "rep", name="Rita Rep")
    add_person(tenant, "bob@pool.example", "boss", name="Bob Boss")
    yield tenant
    catalogue.drop("pool-pages")


@pytest.fixture(scope="module")
def app(pool: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Any:
    made = app_of(pool, tmp_path_factory.mktemp("pool"))
    add_api(made)
    return made


@pytest.fixture(scope="module")
def rita(app: Any) -> FlaskClient:
    return signed_in_client(app, "rita@pool.example")


@pytest.fixture(scope="module")
def bob(app: Any) -> FlaskClient:
    return signed_in_client(app, "bob@pool.example")


def lead(pool: Tenant, name: str) -> Record:
    return Store(pool, Principal.system(Reader())).create("lead", {"name": name, "phone": "+4915112345678"})


def post(client: FlaskClient, path: str, **values: str) -> Any:
    headers = {"X-CSRFToken": token_of(client.get("/pools").text)}
    return client.post(path, data=values, headers=headers)


def test_a_record_is_claimed_locked_and_put_back(rita: FlaskClient, pool: Tenant) -> None:
    page = f"/e/lead/{lead(pool, 'Acme').id}"
    listed = rita.get("/e/lead/?view=cold").text
    assert "Acme" in listed
    assert "Claimed today: 0 of 2" in listed
    free = rita.get(page).text
    assert "In the pool Cold leads" in free
    assert "Phone: shown when it is claimed" in free
    assert "5112345678" not in free.replace(" ", "")
    assert post(rita, "/pools/cold/claim", id=page.rpartition("/")[2]).status_code == 303
    mine = rita.get(page).text
    assert "Claimed: it is yours now." in mine
    assert "Goes back to the pool Cold leads on" in mine
    assert "5112345678" in mine.replace(" ", "")
    post(rita, f"{page}/pool/lock", on="1")
    assert "Locked until" in rita.get(page).text
    assert "Reason" in rita.get(f"{page}/pool/return").text
    post(rita, f"{page}/pool/return", reason="Wrong region")
    assert "In the pool Cold leads" in rita.get(page).text
    told = rita.get(f"{page}/timeline").text
    assert "claimed this from the pool Cold leads" in told
    assert "put this back into the pool Cold leads: Wrong region" in told


def test_a_selection_is_claimed_as_far_as_the_limits_go(rita: FlaskClient, pool: Tenant) -> None:
    ids = [str(lead(pool, f"Many {n}").id) for n in range(3)]
    answer = post(rita, "/pools/cold/claim", ids=",".join(ids), state="view=cold").json
    assert answer["done"] + answer["refused"] == 3
    assert answer["refused"] >= 1
    assert "You may claim again from" in answer["text"]
    assert "Rita Rep" in rita.get("/pools").text


def test_admins_assign_and_see_what_is_hidden(bob: FlaskClient, rita: FlaskClient, pool: Tenant) -> None:
    made = lead(pool, "Assigned")
    assert "5112345678" in bob.get(f"/e/lead/{made.id}").text.replace(" ", "")
    assert post(rita, "/pools/cold/assign", id=str(made.id)).status_code == 403
    assert "Choose a person." in post(bob, "/pools/cold/assign", id=str(made.id)).text
    [user] = Store(pool, Principal.system(Reader())).list("user", columns=[], where=['name == "Rita Rep"']).rows
    post(bob, "/pools/cold/assign", id=str(made.id), to=str(user.id))
    assert "gave this out of the pool Cold leads" in rita.get(f"/e/lead/{made.id}/timeline").text


def test_programs_claim_and_put_back(rita: FlaskClient, pool: Tenant) -> None:
    made = lead(pool, "By a program")
    headers = {"X-CSRFToken": token_of(rita.get("/pools").text)}
    [told] = rita.get("/api/v1/lead/pools").json["data"]
    assert (told["key"], told["per_day"], told["hidden"]) == ("cold", 2, ["phone"])
    body = {"ids": [str(made.id)]}
    answer = rita.post("/api/v1/lead/pools/cold/claim", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    [row] = answer.json["data"]
    assert row["id"] == str(made.id)
    if row["status"] == "refused":
        assert "You may claim again from" in row["error"]
    assert rita.post("/api/v1/lead/pools/warm/claim", json=body, headers=headers).status_code == 404
    assert rita.post("/api/v1/lead/pools/cold/claim", json={}, headers=headers).status_code == 400


def test_a_score_says_why(bob: FlaskClient, pool: Tenant) -> None:
    made = lead(pool, "Scored")
    assert f"/e/lead/{made.id}/why/heat" in bob.get(f"/e/lead/{made.id}").text
    told = bob.get(f"/e/lead/{made.id}/why/heat").text
    assert "Why Heat is 7" in told
    assert "Has a name" in told
    assert bob.get(f"/e/lead/{made.id}/why/phone").status_code == 404
