"""The list page and its fragments, over HTTP."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from tests.web.frame_tenants import app_of, signed_in_client, token_of
from tests.web.live import ADMIN, EVIL, SELLER, shop_tenant, system_store
from werkzeug.datastructures import MultiDict

from trellis.formula.types import Ref
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant
from trellis.web.lists.grid import make_grid
from trellis.web.lists.state import read_state

if TYPE_CHECKING:
    from tests.conftest import MakeTenant

FRAME_STATEMENTS = 1  # who is signed in


@pytest.fixture(scope="module")
def shop(catalogue: Catalogue) -> Iterator[Tenant]:
    """A shop of this module's own: its deals are counted, and the tests in the browser make more."""
    with shop_tenant(catalogue, "shop-lists") as made:
        yield made


@pytest.fixture(scope="module")
def shop_app(shop: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return app_of(shop, tmp_path_factory.mktemp("shop-lists"))


@pytest.fixture(scope="module")
def anna(shop_app: Flask) -> FlaskClient:
    return signed_in_client(shop_app, ADMIN)


@pytest.fixture(scope="module")
def sam(shop_app: Flask) -> FlaskClient:
    return signed_in_client(shop_app, SELLER)


def rows_of(html: str) -> list[str]:
    return re.findall(r'<tr role="row" data-id="([0-9a-f-]{36})"', html)


def test_a_list_shows_its_first_page_and_how_many_there_are(anna: FlaskClient) -> None:
    html = anna.get("/e/deal/").text
    assert len(rows_of(html)) == 50
    assert "120 deals" in html
    assert 'aria-sort="ascending"' in html


def test_scrolling_brings_every_record_once(anna: FlaskClient) -> None:
    html = anna.get("/e/deal/?sort=amount").text
    seen = rows_of(html)
    while more := re.search(r'hx-get="([^"]+rows[^"]+)"', html):
        html = anna.get(more[1].replace("&amp;", "&")).text
        seen += rows_of(html)
    assert len(seen) == len(set(seen)) == 120


def test_nothing_that_a_person_typed_is_markup(anna: FlaskClient) -> None:
    for path in (
        "/e/deal/",
        "/e/deal/?view=board",
        "/e/deal/?view=plan",
        f"/e/deal/?q={quote(EVIL)}",
        "/search?q=bold",
    ):
        html = anna.get(path).text
        assert 'id="evil"' not in html, path
    assert "&lt;b id=" in anna.get("/e/deal/").text


def test_a_page_has_no_inline_style_script_or_handler(anna: FlaskClient) -> None:
    for path in ("/e/deal/", "/e/deal/?view=board", "/e/deal/?view=plan", "/e/place/", "/e/deal/bin", "/keys"):
        html = anna.get(path).text
        assert not re.search(r"\sstyle=|\son[a-z]+=\"|<script(?! type=\"(module|application/json)\")", html), path


def test_the_data_of_a_page_costs_three_statements(anna: FlaskClient, shop: Tenant) -> None:
    anna.get("/e/deal/")
    said: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if "set_config" not in statement:
            said.append(statement)

    engine = shop.database.engine
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        anna.get("/e/deal/")
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    assert len(said) - FRAME_STATEMENTS <= 3, said


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("on=big", 23),
        ("f=amount~%3E~500", 23),
        ("f=stage~in~offer", 40),
        ("f=stage~in~offer&f=amount~%3C%3D~500", 17),
        ("f=amount~%3E~1100%7Camount~%3C~25", 4),
        ("f=account.name~contains~acme", 30),
        ("f=owner~in~me", 120),
        ("f=owner~in~my_team", 120),
        ("f=close_date~period~past", 5),
        ("f=close_date~%3C~today", 5),
        ("f=priority~not%20in~high", 120),
        ("f=amount~is_blank", 80),
        ("where=amount%20%3E%20500", 23),
        ("q=Deal%20007", 1),
        ("f=created_at~period~today", 120),
        ("f=nonsense~%3E~1", 120),
    ],
)
def test_filters_narrow_the_list(anna: FlaskClient, query: str, count: int) -> None:
    response = anna.get(f"/e/deal/?view=open&{query}")
    assert response.status_code == 200
    assert f'data-count="{count}"' in response.text


def test_a_wrong_formula_is_told_and_left_out(anna: FlaskClient) -> None:
    html = anna.get("/e/deal/?where=amout > 5").text
    assert 'role="alert"' in html
    assert "amout" in html
    assert 'data-count="120"' in html


@pytest.mark.parametrize("chip", ["amount~%3E~ten", "account~in~me", "close_date~period~whenever"])
def test_a_chip_that_says_nothing_is_told_and_left_out(anna: FlaskClient, chip: str) -> None:
    for path in ("", "count", "rows"):
        assert anna.get(f"/e/deal/{path}?view=open&f={chip}").status_code == 200
    html = anna.get(f"/e/deal/?view=open&f={chip}").text
    assert 'role="alert"' in html
    assert 'data-chip="0"' not in html
    assert 'data-count="120"' in html


@pytest.mark.parametrize(
    ("path", "operator", "typed", "said"),
    [
        ("amount", ">", "ten", "“ten” is not a number."),
        ("close_date", "<", "soon", "“soon” is not a date."),
        ("amount", ">", "", "Please choose a value."),
    ],
)
def test_the_builder_says_what_is_wrong_with_a_value(
    anna: FlaskClient, path: str, operator: str, typed: str, said: str
) -> None:
    form = {"path-0": path, "was-0": path, "op-0": operator, "value-0": typed, "do": "apply", "state": "view=open"}
    answer = anna.post("/e/deal/filter", data=form | {"csrf_token": token_of(anna.get("/e/deal/").text)})
    assert said in answer.text
    assert f'value="{typed}"' in answer.text


def test_formulas_are_checked_while_they_are_typed(anna: FlaskClient) -> None:
    token = re.search(r'name="csrf-token" content="([^"]+)"', anna.get("/e/deal/").text)
    assert token
    faults = anna.post("/e/deal/filter/check", data={"where": "amount >", "csrf_token": token[1]}).json
    assert faults
    assert faults[0]["message"]


def test_numbers_that_saving_gives_are_shown_and_not_offered_for_editing(make_tenant: MakeTenant) -> None:
    thing = "entity: bill\ntitle: number\nfields:\n  number: {type: sequence, mask: 'B-{0000}'}\n  what: {type: text}\n"
    store = system_store(make_tenant(thing))
    bill = store.tenant.model.entities["bill"]
    state = read_state(store.tenant.model, bill, MultiDict(), (), ())
    grid = make_grid(store, state)
    assert grid.title is not None
    assert not grid.title.is_editable
    assert [column.is_editable for column in grid.columns if column.path == "what"] == [True]


def test_totals_sum_all_that_match_not_the_page(anna: FlaskClient) -> None:
    assert "€23,400.00" in anna.get("/e/deal/totals?view=open").text


def test_a_seller_sees_only_what_the_role_lets_through(sam: FlaskClient) -> None:
    html = sam.get("/e/deal/").text
    assert 'data-count="0"' in html
    assert sam.get("/e/deal/bin").status_code == 403
    assert sam.get("/e/deal/export.csv").status_code == 403
    assert sam.get("/e/nothing/").status_code == 404


def test_an_empty_list_says_what_the_entity_is_for(anna: FlaskClient) -> None:
    html = anna.get("/e/place/?view=all").text
    assert "Somewhere that we go to." in html
    assert "/e/place/new" in html
    assert "No places yet" in html


def test_export_is_what_is_listed_and_safe_to_open(anna: FlaskClient, shop: Tenant) -> None:
    store = system_store(shop)
    risky = store.create("deal", {"name": "=1+1", "amount": 5, "stage": "offer"})
    try:
        text = anna.get("/e/deal/export.csv?view=open&f=amount~%3C~25&cols=name,amount,account.name").text
    finally:
        store.delete("deal", risky.id)
    rows = list(csv.reader(io.StringIO(text.lstrip("\ufeff"))))
    assert rows[0][0] == "Name"
    assert len(rows) == 3
    assert any(row[0] == "'=1+1" for row in rows)


def test_bulk_edit_says_what_was_refused(anna: FlaskClient, shop: Tenant) -> None:
    store = system_store(shop)
    made = [store.create("deal", {"name": f"Bulk {n}", "stage": "new"}).id for n in range(3)]
    token = re.search(r'name="csrf-token" content="([^"]+)"', anna.get("/e/deal/").text)
    assert token
    sent = {"ids": ",".join(map(str, made)), "csrf_token": token[1], "state": "view=open", "_has": "note"}
    done = anna.post("/e/deal/bulk/edit", data={**sent, "field": "note", "note": "seen"}).json
    assert (done["done"], done["text"]) == (3, "3 records changed")
    store.update("deal", made[0], {"note": "other"})
    again = anna.post("/e/deal/bulk/edit", data={**sent, "field": "note", "note": "seen"}).json
    assert (again["done"], again["text"]) == (1, "1 record changed, 2 had that value already")
    same = anna.post("/e/deal/bulk/edit", data={**sent, "field": "note", "note": "seen"}).json
    assert (same["done"], same["text"], "undo" in same) == (0, "3 had that value already", False)
    gone = anna.post("/e/deal/bulk/delete", data=sent).json
    assert gone["done"] == 3
    assert "Bulk 0" in anna.get("/e/deal/bin").text
    assert anna.post("/e/deal/bulk/restore", data=sent).json["done"] == 3
    anna.post("/e/deal/bulk/delete", data=sent)
    for id in made:
        anna.post(f"/e/deal/{id}/purge", data={"csrf_token": token[1]})
    assert "Bulk 0" not in anna.get("/e/deal/bin").text


def test_more_than_one_action_touches_is_told(anna: FlaskClient, shop: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("trellis.web.lists.selection", "trellis.web.pages.bulk"):
        monkeypatch.setattr(f"{module}.MOST", 2)
    form = {"all": "1", "csrf_token": token_of(anna.get("/e/deal/").text), "state": "view=open&q=Deal+01"}
    done = anna.post("/e/deal/bulk/edit", data={**form, "field": "note", "_has": "note", "note": "cut"}).json
    assert done["done"] == 2
    assert "No more than 2 are done at once" in done["text"]
    store = system_store(shop)
    for row in store.list("deal", columns=["note"], where=['note == "cut"']).rows:
        store.update("deal", row.id, {"note": None})


def test_who_may_not_edit_many_is_not_offered_it_and_is_refused(sam: FlaskClient, shop: Tenant) -> None:
    store = system_store(shop)
    me = store.list("user", columns=["name"], where=[f'email == "{SELLER}"']).rows[0].id
    own = store.create("deal", {"name": "Sam's one", "stage": "new", "owner": Ref("user", me)}).id
    html = sam.get("/e/deal/").text
    assert str(own) in html
    assert 'data-part="edit"' not in html
    assert 'type="checkbox" tabindex="-1"' not in html  # there is nothing to select it for
    assert "data-pick-all" not in html
    sent = {"ids": str(own), "csrf_token": token_of(html), "state": "view=open", "field": "note", "note": "x"}
    assert sam.get("/e/deal/bulk/edit?field=note&count=1").status_code == 403
    for act in ("edit", "delete", "restore"):
        assert sam.post(f"/e/deal/bulk/{act}", data=sent).status_code == 403
    assert store.read("deal", own)["note"] is None
    store.delete("deal", own)


def test_the_palette_finds_records_pages_and_commands(anna: FlaskClient, sam: FlaskClient) -> None:
    html = anna.get("/search?q=ångst&here=deal").text
    assert "Ångst" in html
    assert "Search deals for" in html
    assert "New deal" in anna.get("/search?q=new deal").text
    firsts = {"payslips": "/e/payslip/", "new payslip": "/e/payslip/new", "zzzz": "/e/deal/?q=zzzz"}
    for q, first in firsts.items():
        found = re.findall(r'data-href="([^"]+)"', anna.get(f"/search?q={q}&here=deal").text)
        assert found[0] == first
    assert "payslip" in anna.get("/search?q=pay").text
    assert "/e/payslip/new" not in sam.get("/search?q=new").text


def test_a_calendar_and_a_map_are_drawn(anna: FlaskClient, shop: Tenant) -> None:
    assert "t-cal-entry" in anna.get("/e/deal/?view=plan").text
    store = system_store(shop)
    place = store.create("place", {"name": "Here", "at": {"latitude": 52.5, "longitude": 13.4}})
    try:
        assert "openstreetmap.org" in anna.get("/e/place/?view=map").text
    finally:
        store.delete("place", place.id)
        store.purge("place", place.id)


def test_a_selection_is_exported_alone(anna: FlaskClient) -> None:
    html = anna.get("/e/deal/?view=open").text
    token = re.search(r'name="csrf-token" content="([^"]+)"', html)
    assert token
    sent = {"ids": ",".join(rows_of(html)[:2]), "state": "view=open", "csrf_token": token[1]}
    rows = list(csv.reader(io.StringIO(anna.post("/e/deal/export.csv", data=sent).text)))
    assert len(rows) == 3


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("rows?cursor=garbage", 400),
        ("rows?only=abc", 404),
        ("?sort=nope,-amount,account.name,,&cols=a,b,name&view=nope", 200),
        ("?f=~~&f=amount~%3E&f=stage~in~&f=name~contains~%2500", 200),
        ("?f=account~in~01930000-0000-7000-8000-000000000001", 200),
        ("?view=plan&month=9999-12", 200),
        ("?where=((((((((", 200),
        ("lane?lane=nope&view=board", 404),
        ("filter?chip=99", 200),
        ("filter/pick?path=nope", 200),
    ],
)
def test_an_address_that_somebody_has_made_up_breaks_nothing(anna: FlaskClient, path: str, status: int) -> None:
    assert anna.get(f"/e/deal/{path}").status_code == status


def test_recent_records_are_read_anew_for_whoever_asks(anna: FlaskClient, sam: FlaskClient) -> None:
    id = rows_of(anna.get("/e/deal/?view=open&q=Deal+010").text)[0]
    asked = f"/search?q=&recent=deal/{id},deal/nonsense,nothing/{id}"
    assert "Deal 010" in anna.get(asked).text
    assert "Deal 010" not in sam.get(asked).text


def test_a_record_that_was_looked_at_is_remembered(anna: FlaskClient, shop: Tenant) -> None:
    html = anna.get("/e/deal/?view=open&q=Deal+010").text
    token = re.search(r'name="csrf-token" content="([^"]+)"', html)
    assert token
    for place in (f"deal/{rows_of(html)[0]}", f"deal/{rows_of(html)[0]}", "deal/nonsense", "nothing/1"):
        assert anna.post("/recent", data={"place": place, "csrf_token": token[1]}).status_code == 204
    with shop.begin() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(shop.tables.platform.recent)).scalar() == 1
