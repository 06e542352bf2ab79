"""Variants of a report: saved as it is looked at, shared, renamed, deleted, without what is kept from a reader."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from tests.conftest import layers_of
from tests.web.frame_tenants import PEOPLE, add_person, app_of, signed_in_client, token_of

from trellis.formula.reader import Reader
from trellis.formula.types import Money
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue

YAML = (
    PEOPLE
    + """
entity: sale
label: Sale
fields:
  name:   {type: text, required: true}
  stage:  {type: choice, choices: [new, won]}
  amount: {type: money}
  margin: {type: money}
---
role: boss
grants: {"*": {read: all, create: true, update: all}}
allow: [admin, reports]
---
role: clerk
grants: {"*": {read: all}, sale: {read: all, fields: {margin: hidden}}}
allow: [reports]
---
role: peer
grants: {"*": {read: all}}
allow: [reports]
---
role: guest
grants: {"*": {read: all}}
---
report: by-stage
label: Sales by stage
entity: sale
filter: stage == param.stage
params: {stage: {type: choice, choices: [new, won], label: Stage}}
group: [stage]
measures:
  sales:  {formula: count(), label: Number}
  margin: {formula: sum(margin), label: Margin}
---
report: other
entity: sale
group: [stage]
"""
)


@pytest.fixture(scope="module")
def app(catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    tenant = catalogue.create("report-variants", layers_of(YAML, "report-variants"), "test")
    for role in ("boss", "clerk", "peer", "guest"):
        add_person(tenant, f"{role}@example.com", role)
    store = Store(tenant, Principal.system(Reader(currency="EUR")))
    for name, stage in (("A", "new"), ("B", "won"), ("C", "won")):
        store.create("sale", {"name": name, "stage": stage, "margin": Money(Decimal(7), "EUR")})
    try:
        yield app_of(tenant, tmp_path_factory.mktemp("report-variants"))
    finally:
        catalogue.drop("report-variants")


CLIENTS: dict[Any, FlaskClient] = {}


def client(app: Flask, role: str) -> FlaskClient:
    if (app, role) not in CLIENTS:
        CLIENTS[app, role] = signed_in_client(app, f"{role}@example.com")
    return CLIENTS[app, role]


def post(who: FlaskClient, key: str = "by-stage", **form: object) -> str:
    """What the page says after a form of the menu."""
    token = token_of(who.get(f"/reports/{key}").text)
    answer = who.post(f"/reports/{key}/variants", data={"csrf_token": token, **form}, follow_redirects=True)
    assert answer.status_code == 200, answer.text[:400]
    return answer.text


def saved_id(text: str, label: str) -> str:
    """The variant's id in the menu."""
    menu = text[text.index('id="rep-variants"') :]
    found = [m for m in re.finditer(r'href="[^"]*saved=([0-9a-f]{32})"[^>]*>(.*?)</a>', menu) if label in m[2]]
    return found[0][1]


def test_a_variant_keeps_settings_order_columns_and_chart(app: Flask) -> None:
    peer = client(app, "peer")
    state = "stage=won&sort=-sales&cols=sales&chart=donut"
    text = post(peer, state=state, label="Won as a ring", do="save")
    id = saved_id(text, "Won as a ring")
    shown = peer.get(f"/reports/by-stage?saved={id}").text
    assert '"type":"donut"' in shown.replace(" ", "")
    assert '<option value="won" selected>' in shown
    assert "Margin" not in shown[shown.index("<table") : shown.index("</table>")]
    assert "not saved yet" not in shown
    changed = peer.get(f"/reports/by-stage?{state.replace('won', 'new')}&saved={id}").text
    assert "not saved yet" in changed
    assert "Won as a ring" not in client(app, "clerk").get("/reports/by-stage").text
    assert "Won as a ring" not in peer.get("/reports/other").text
    assert "Won as a ring" in peer.get("/reports/").text


def test_what_was_saved_is_changed_renamed_and_deleted(app: Flask) -> None:
    peer = client(app, "peer")
    id = saved_id(post(peer, state="stage=won", label="First", do="save"), "First")
    post(peer, saved=id, state=f"stage=new&saved={id}", do="update")
    assert '<option value="new" selected>' in peer.get(f"/reports/by-stage?saved={id}").text
    assert "Second" in post(peer, saved=id, label="Second", do="rename")
    assert "It needs a name" in post(peer, saved=id, label="  ", do="rename")
    post(peer, state="", label="Third", do="save")
    assert "already" in post(peer, saved=id, label="Third", do="rename")
    assert "Second" not in post(peer, saved=id, do="delete").split('id="rep-variants"')[1]


def test_others_see_what_is_shared_with_them_and_change_nothing(app: Flask) -> None:
    boss, clerk, peer = (client(app, role) for role in ("boss", "clerk", "peer"))
    id = saved_id(post(boss, state="cols=margin&sort=-margin", label="For clerks", share="roles", roles="clerk"), "For")
    assert "For clerks" in clerk.get("/reports/by-stage").text
    assert "For clerks" not in peer.get("/reports/by-stage").text
    token = token_of(clerk.get("/reports/by-stage").text)
    for act in ("update", "rename", "share", "unshare", "delete"):
        form = {"csrf_token": token, "saved": id, "do": act, "label": "x"}
        assert clerk.post("/reports/by-stage/variants", data=form).status_code == 403, act
    assert client(app, "guest").get(f"/reports/by-stage?saved={id}").status_code == 403
    post(boss, saved=id, do="share", share="")
    assert "For clerks" not in clerk.get("/reports/by-stage").text


def test_hidden_fields_leave_no_trace_in_a_shared_variant(app: Flask) -> None:
    boss, clerk = client(app, "boss"), client(app, "clerk")
    state = "cols=sales,margin&sort=-margin"
    seen = saved_id(post(boss, state=state, label="By profit", share="all"), "By profit")
    hidden = saved_id(post(boss, state="filter=margin+%3E+5", label="Dear ones", share="all"), "Dear ones")
    page = unescape(clerk.get(f"/reports/by-stage?saved={seen}").text)
    assert "By profit" in page
    assert "margin" not in page.casefold()
    assert "Dear ones" not in page
    page = clerk.get(f"/reports/by-stage?saved={hidden}").text
    assert "margin" not in page.casefold()
    assert "Dear ones" not in page
    assert "Dear ones" not in clerk.get("/reports/").text


def test_an_administrator_takes_a_shared_variant_back(app: Flask) -> None:
    boss, peer = client(app, "boss"), client(app, "peer")
    id = saved_id(post(peer, state="", label="Loud", share="all"), "Loud")
    assert "Loud" in boss.get("/reports/by-stage").text
    post(boss, saved=id, do="unshare")
    assert "Loud" not in boss.get("/reports/by-stage").text
    assert "Loud" in peer.get("/reports/by-stage").text
