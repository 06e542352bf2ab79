"""Lists in groups, what a view leaves in, and boards over one of several pipelines."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from tests.web.live import system_store

from trellis.storage.tenant import Tenant


def test_groups_come_in_order_with_counts_and_sums(anna: FlaskClient, shop: Tenant) -> None:
    page = anna.get("/e/deal/?view=open&group=stage").text
    assert re.findall(r'data-band="(\w+)"', page) == ["new", "offer"]
    store = system_store(shop)
    counts = {str(g.value): g.count for g in store.groups("deal", "stage", where=['stage_type == "open"'])}
    shown = [int(n) for n in re.findall(r'class="t-band-head">.*?<span class="t-tab-n">(\d+)</span>', page)]
    assert shown == [counts["new"], counts["offer"]]


@pytest.mark.parametrize("field", ["owner", "account", "close_date", "created_at", "priority"])
def test_the_rows_of_every_group_are_its_own(anna: FlaskClient, shop: Tenant, field: str) -> None:
    page = anna.get(f"/e/deal/?view=all&group={field}").text
    found = set(re.findall(r'data-id="([^"]+)"', page))
    todo = re.findall(r'hx-get="([^"]+/rows[^"]+)"', page)
    while todo:
        more = anna.get(todo.pop().replace("&amp;", "&"))
        assert more.status_code == 200
        found |= set(re.findall(r'data-id="([^"]+)"', more.text))
        todo += re.findall(r'hx-get="([^"]+/rows[^"]+)"', more.text)
    assert len(found) == system_store(shop).count("deal").n


@pytest.mark.parametrize("address", ["view=all&group=nope", "view=all&group=name", "view=all&group=-"])
def test_what_makes_no_groups_is_left_out(anna: FlaskClient, address: str) -> None:
    assert "data-band" not in anna.get(f"/e/deal/?{address}").text


def test_a_made_up_group_is_empty(anna: FlaskClient) -> None:
    for group, band in [("close_date", "x-y"), ("close_date", "2026-99"), ("owner", "nobody"), ("stage", '"')]:
        assert anna.get(f"/e/deal/rows?view=all&group={group}&in={band}").status_code == 200


def test_a_view_says_what_it_leaves_in(anna: FlaskClient) -> None:
    page = anna.get("/e/deal/?view=open").text
    assert "Stage is Open" in page
    assert "stage_type == &#34;open&#34;" in page
