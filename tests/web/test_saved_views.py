"""Views that people save: kept, renamed, shared, taken back, opened first; and the widths of columns that they keep."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from tests.web.frame_tenants import token_of

STATE = "view=open&f=amount~%3E~500&sort=-amount&w=name:300,amount:9999,nope:100"


def act(client: FlaskClient, do: str, state: str = STATE, **form: str) -> Any:
    token = token_of(client.get("/e/deal/?view=open").text)
    return client.post("/e/deal/views", data={"do": do, "state": state, "csrf_token": token, **form})


def tabs(client: FlaskClient) -> list[str]:
    html = client.get("/e/deal/?view=open").text
    return re.findall(r'class="t-tab" href="[^"]*view=([^"]+)"', html)


def said(client: FlaskClient) -> str:
    return client.get("/e/deal/?view=open").text


@pytest.fixture
def view(anna: FlaskClient) -> Any:
    key = act(anna, "save", label="My <big> ones").location.partition("view=")[2]
    yield key
    act(anna, "undefault")
    if key in tabs(anna):
        act(anna, "delete", f"view={key}")


def test_a_view_keeps_what_the_address_said(anna: FlaskClient, sam: FlaskClient, view: str) -> None:
    html = anna.get(f"/e/deal/?view={view}").text
    assert "My &lt;big&gt; ones" in html
    assert 'data-chip="0"' in html
    assert 'aria-sort="descending"' in html
    assert '<col width="300">' in html
    assert '<col width="800">' in html  # no wider than can be read
    assert view not in tabs(sam)


@pytest.mark.parametrize("base", ["all", "board", "open"])
def test_a_saved_view_is_of_the_view_that_it_was_saved_in(anna: FlaskClient, base: str) -> None:
    key = act(anna, "save", f"view={base}&q=Deal+00", label="Of another").location.partition("view=")[2]
    shown = anna.get(f"/e/deal/?view={key}").text
    plain = anna.get(f"/e/deal/?view={base}&q=Deal+00").text
    assert 'id="list"' in shown
    assert re.findall(r'data-view="(\w+)"', shown) == re.findall(r'data-view="(\w+)"', plain)
    assert ("view-filter" in shown) == ("view-filter" in plain)
    assert "disabled" in anna.get(f"/e/deal/view?view={key}").text  # nothing has been changed yet
    act(anna, "delete", f"view={key}")


def test_a_view_is_deleted_by_its_owner(anna: FlaskClient, view: str) -> None:
    act(anna, "delete", f"view={view}")
    assert view not in tabs(anna)
    assert act(anna, "delete", f"view={view}").status_code == 404


def test_changes_are_saved_into_the_view(anna: FlaskClient, view: str) -> None:
    assert "disabled" in anna.get(f"/e/deal/view?view={view}").text
    changed = f"view={view}&f=amount~%3E~700"
    assert "disabled" not in anna.get(f"/e/deal/view?{changed}").text
    act(anna, "update", changed)
    assert "700" in anna.get(f"/e/deal/?view={view}").text


@pytest.mark.parametrize(("label", "message"), [("  ", "A view needs a name."), ("Other", "named “Other” already")])
def test_a_name_that_cannot_be_is_refused(anna: FlaskClient, view: str, label: str, message: str) -> None:
    other = act(anna, "save", label="Other").location.partition("view=")[2]
    act(anna, "rename", f"view={view}", label=label)
    html = said(anna)
    assert message in html
    assert "My &lt;big&gt; ones" in html
    act(anna, "delete", f"view={other}")


def test_a_view_is_renamed(anna: FlaskClient, view: str) -> None:
    act(anna, "rename", f"view={view}", label=" The   great " + "x" * 80)
    assert "The great " + "x" * 50 + "<" in said(anna)


def test_a_shared_view_is_everybodys_to_see_and_its_owners_to_change(
    anna: FlaskClient, sam: FlaskClient, view: str
) -> None:
    act(anna, "share", f"view={view}")
    assert view in tabs(sam)
    menu = sam.get(f"/e/deal/view?view={view}").text
    assert "Anna Admin" in menu
    assert not re.search(r'value="(rename|delete|share|unshare|update)"', menu)
    for do in ("rename", "delete", "share", "unshare", "update"):
        assert act(sam, do, f"view={view}", label="Mine now").status_code == 403
    act(anna, "unshare", f"view={view}")
    assert view not in tabs(sam)
    assert view in tabs(anna)


def test_an_administrator_takes_back_what_others_share(anna: FlaskClient, sam: FlaskClient) -> None:
    key = act(sam, "save", label="Sam's", shared="1").location.partition("view=")[2]
    assert key in tabs(anna)
    assert 'value="unshare"' in anna.get(f"/e/deal/view?view={key}").text
    assert act(anna, "delete", f"view={key}").status_code == 403
    act(anna, "unshare", f"view={key}")
    assert key not in tabs(anna)
    assert key in tabs(sam)
    act(sam, "delete", f"view={key}")


def test_the_view_of_ones_choice_opens_first(anna: FlaskClient, sam: FlaskClient, view: str) -> None:
    act(anna, "default", f"view={view}")
    assert f'data-query="view={view}' in anna.get("/e/deal/").text
    assert 'data-query="view=open' in anna.get("/e/deal/?q=Deal").text  # an address that says something is kept to
    assert 'data-query="view=open' in sam.get("/e/deal/").text
    act(anna, "delete", f"view={view}")
    assert 'data-query="view=open' in anna.get("/e/deal/").text


def test_what_nobody_can_do_is_refused(anna: FlaskClient, sam: FlaskClient, view: str) -> None:
    assert act(anna, "explode").status_code == 400
    assert act(anna, "rename", "view=open", label="x").status_code == 404
    assert act(sam, "delete", f"view={view}").status_code == 404  # not shared: for Sam there is none
    assert act(anna, "rename", f"view=my-{UUID(int=1).hex}", label="x").status_code == 404
