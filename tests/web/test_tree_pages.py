"""Trees and deletions on the pages: the way up, filters over what is below, what is asked before something goes."""

from __future__ import annotations

import re

import pytest
from tests.conftest import layers_of
from tests.web.frame_tenants import add_person, app_of, signed_in_client

from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.web.i18n import lower_first

YAML = """
entity: region
label: Region
plural: Regions
title: name
fields:
  name: {type: text, required: true, search: true}
  parent: {type: link, to: region, tree: true, inverse: children, on_delete: restrict}
---
entity: shop
label: Shop
plural: Shops
title: name
fields:
  name: {type: text, required: true}
  region: {type: link, to: region, inverse: shops, on_delete: cascade}
---
role: admin
grants: {"*": {read: all, create: true, update: all, delete: all, restore: all}}
allow: [admin]
"""


@pytest.fixture(scope="module")
def tenant(catalogue):
    made = catalogue.create("trees", layers_of(YAML, "trees", profile="language: de\n"), "test")
    add_person(made, "ada@trees.example", "admin", name="Ada Admin")
    yield made
    catalogue.drop("trees")


@pytest.fixture(scope="module")
def ada(tenant, tmp_path_factory):
    return signed_in_client(app_of(tenant, tmp_path_factory.mktemp("trees")), "ada@trees.example")


@pytest.fixture
def world(tenant):
    store = Store(tenant, Principal.system(Reader()))
    top = store.create("region", {"name": "North"})
    low = store.create("region", {"name": "Kiel", "parent": top.id})
    shop = store.create("shop", {"name": "Fish & Co", "region": low.id})
    yield top, low, shop
    for record in (shop, low, top):
        store.delete(record.entity, record.id)
        store.purge(record.entity, record.id)


def test_the_page_shows_the_way_up(ada, world):
    top, low, _ = world
    html = ada.get(f"/e/region/{low.id}").text
    assert re.search(rf'class="t-above".*?href="[^"]*{top.id}"><bdi class="t-cut">North', html, re.S)
    assert 't-above"' not in ada.get(f"/e/region/{top.id}").text


def test_a_chip_takes_all_that_is_below(ada, world):
    top, low, shop = world
    assert str(shop.id) in ada.get(f"/e/shop/?view=all&f=region~under~{top.id}").text
    assert str(shop.id) not in ada.get(f"/e/shop/?view=all&f=region~in~{top.id}").text
    assert "is or is below" in ada.get(f"/e/shop/?view=all&f=region~under~{low.id}").text


def test_what_holds_is_told_with_links_and_cannot_be_confirmed(ada, world):
    top, low, _ = world
    html = ada.get(f"/e/region/{top.id}/deletion").text
    assert "cannot be deleted" in html
    assert f'{low.id}"><bdi>Kiel' in html
    assert "btn-danger" not in html


def test_what_goes_along_is_asked_first(ada, world):
    _, low, shop = world
    html = ada.get(f"/e/region/{low.id}/deletion").text
    assert "1 Shop<" in html
    assert "Fish &amp; Co" in html
    assert "btn-danger" in html
    assert ada.get(f"/e/shop/{shop.id}/deletion").status_code == 204  # alone: gone at once, with Undo


def test_german_nouns_keep_their_capital(ada, world):
    with ada.application.test_request_context("/"):
        assert lower_first("Angebote") == "Angebote"
    assert lower_first("Open deals") == "open deals"
    assert lower_first("API keys") == "API keys"
    assert lower_first("WeChat account") == "WeChat account"
