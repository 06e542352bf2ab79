"""The page of the queue: what waits, what was given up, once more or away with it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from tests.web.frame_tenants import token_of

from trellis.automation import jobs, state
from trellis.automation.worker import drain
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant


@pytest.fixture
def failed(catalogue: Catalogue, shop: Tenant) -> Iterator[None]:
    """Two jobs that were given up."""
    before = dict(jobs.KINDS)

    @jobs.kind("test.page")
    def give_up(work: jobs.Work) -> None:
        raise jobs.GiveUp("<b>no such thing</b>")

    with shop.begin() as connection:
        jobs.defer_many(connection, [jobs.Job(give_up, {"n": n}) for n in range(2)])
    drain(catalogue, shop)
    yield
    state.discard(shop)
    jobs.KINDS.clear()
    jobs.KINDS.update(before)


def test_nothing_was_given_up(anna: FlaskClient) -> None:
    assert "Nothing was given up." in anna.get("/admin/jobs").text


def test_dead_letters_are_seen_tried_again_and_thrown_away(failed: None, shop: Tenant, anna: FlaskClient) -> None:
    page = anna.get("/admin/jobs").text
    assert page.count("&lt;b&gt;no such thing&lt;/b&gt;") == 2
    token, letters = token_of(page), state.dead_letters(shop)
    anna.post("/admin/jobs/retry", data={"csrf_token": token, "id": letters[0].id})
    assert (state.depth(shop).waiting, state.depth(shop).dead) == (1, 1)
    anna.post("/admin/jobs/discard", data={"csrf_token": token, "id": "nonsense"})
    assert state.depth(shop).dead == 1
    anna.post("/admin/jobs/discard", data={"csrf_token": token, "all": "1"})
    assert state.depth(shop).dead == 0


def test_a_page_reads_only_the_newest_and_says_how_many_more_there_are(
    failed: None, shop: Tenant, anna: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest, *older = state.dead_letters(shop)
    assert state.dead_letters(shop, 1) == [newest]
    assert older
    monkeypatch.setattr("trellis.web.pages.jobs.MOST", 1)
    page = anna.get("/admin/jobs").text
    assert page.count("&lt;b&gt;no such thing&lt;/b&gt;") == 1
    assert re.search(rf"\b{len(older)} more (is|are) not shown", page)


def test_it_is_for_administrators(sam: FlaskClient) -> None:
    assert sam.get("/admin/jobs").status_code == 403
