"""The page that says who may see a record, and why: for administrators only."""

from __future__ import annotations

from flask.testing import FlaskClient
from tests.web.live import system_store

from trellis.model.view import Sort
from trellis.storage.tenant import Tenant


def test_an_administrator_is_told_the_rules_of_a_person(anna: FlaskClient, shop: Tenant) -> None:
    store = system_store(shop)
    [deal] = store.list("deal", columns=["name"], sort=[Sort("name")], limit=1).rows
    [sam] = store.list("user", columns=["name"], where=['name == "Sam Seller"']).rows
    page = anna.get(f"/admin/access/deal/{deal.id}?person={sam.id}")
    assert page.status_code == 200
    assert "Sam Seller" in page.text
    assert "their own" in page.text
    assert f"/admin/access/deal/{deal.id}" in anna.get(f"/e/deal/{deal.id}").text


def test_others_have_no_such_page(sam: FlaskClient, anna: FlaskClient, shop: Tenant) -> None:
    [deal] = system_store(shop).list("deal", columns=["name"], limit=1).rows
    assert sam.get(f"/admin/access/deal/{deal.id}").status_code == 403
    assert anna.get(f"/admin/access/nonsense/{deal.id}").status_code == 404
    assert anna.get(f"/admin/access/deal/{deal.id}?person=nobody").status_code == 404
