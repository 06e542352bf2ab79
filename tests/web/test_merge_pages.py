"""Merging and duplicates in the pages, through a client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from tests.conftest import layers_of
from tests.web.frame_tenants import add_person, app_of, outcome, signed_in_client

from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.record import Record
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant

YAML = """
entity: firm
label: Firm
plural: Firms
title: name
fields:
  name: {type: text, required: true, search: true}
  city: {type: text}
  website: {type: url}
  owner: {type: user, role: owner, default: =me}
dedupe:
  alike: {match: [similar(name)], action: warn}
  same-site: {match: [website], action: block}
---
entity: job
label: Job
plural: Jobs
title: name
fields:
  name: {type: text, required: true}
  firm: {type: link, to: firm, inverse: jobs, on_delete: clear}
---
role: admin
label: Administrator
grants: {"*": {read: all, create: true, update: all, delete: all, restore: all}}
allow: [admin, merge, bulk-edit]
---
role: clerk
label: Clerk
grants:
  firm: {read: own, create: true, update: own}
  job: {read: all}
"""
EVIL = '<b id="evil">Bold</b>'


@pytest.fixture(scope="module")
def works(catalogue: Catalogue) -> Iterator[Tenant]:
    tenant = catalogue.create("merge-pages", layers_of(YAML, "merge-pages"), "test")
    add_person(tenant, "ada@works.example", "admin", name="Ada Admin")
    add_person(tenant, "cleo@works.example", "clerk", name="Cleo Clerk")
    yield tenant
    catalogue.drop("merge-pages")


@pytest.fixture(scope="module")
def app(works: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return app_of(works, tmp_path_factory.mktemp("merge-pages"))


@pytest.fixture(scope="module")
def ada(app: Any) -> FlaskClient:
    return signed_in_client(app, "ada@works.example")


@pytest.fixture(scope="module")
def cleo(app: Any) -> FlaskClient:
    return signed_in_client(app, "cleo@works.example")


@pytest.fixture
def store(works: Tenant) -> Iterator[Store]:
    yield Store(works, Principal.system(Reader()))
    with works.database.engine.begin() as connection:
        names = [f'"{works.schema}"."{works.tables.entity[key].name}"' for key in ("firm", "job")]
        connection.exec_driver_sql(
            "SET LOCAL session_replication_role = replica;" + "".join(f"DELETE FROM {name};" for name in names)
        )


@pytest.fixture
def firms(store: Store) -> list[Record]:
    one = store.create("firm", {"name": f"Acme {EVIL}", "city": "Kiel"})
    two = store.create("firm", {"name": "Acme GmbH", "city": "Ulm", "website": "acme.example"})
    store.create("job", {"name": "roof", "firm": two.id})
    return [one, two]


def post(client: FlaskClient, path: str, data: dict[str, Any], *, as_script: bool = True) -> Any:
    """A POST as the page makes it."""
    token = client.get("/e/firm/new").text.split('name="csrf-token" content="')[1].split('"')[0]
    headers = {"X-CSRFToken": token, **({"X-Requested-With": "fetch"} if as_script else {})}
    return client.post(path, data=data, headers=headers)


def test_the_merge_page_shows_what_differs_first_and_escapes_it(ada, firms):
    html = ada.get(f"/e/firm/merge?ids={firms[0].id},{firms[1].id}").text
    assert EVIL not in html
    assert html.index("Ulm") < html.index("The same, or not to be chosen" if "not to be chosen" in html else "</table>")
    assert "1 Job" in html
    assert html.count('type="radio"') == 5  # two names, two cities, one website


def test_what_was_chosen_stays_when_another_record_is_to_stay(ada, firms):
    one, two = (str(f.id) for f in firms)
    html = ada.get(f"/e/firm/merge?ids={one},{two}&was={one}&winner={two}&take.city={two}&take.name={one}").text
    assert f'name="take.city" value="{two}" checked' in html
    assert f'name="take.name" value="{two}" checked' in html  # it was only the default


def test_the_token_of_the_form_does_not_stay_in_the_address(ada, firms):
    one, two = (str(f.id) for f in firms)
    answer = ada.get(f"/e/firm/merge?csrf_token=secret&ids={one},{two}&winner={two}&take.city={one}")
    assert answer.status_code == 303
    assert "secret" not in answer.location
    assert f"take.city={one}" in answer.location
    assert f"winner={two}" in answer.location


def test_merging_and_undoing(ada, firms, store):
    one, two = (str(f.id) for f in firms)
    answer = post(ada, "/e/firm/merge", {"ids": f"{one},{two}", "winner": one, "take.city": two}, as_script=False)
    assert answer.location.endswith(f"/e/firm/{one}")
    merged = store.read("firm", one)
    assert (merged["city"], merged["website"]) == ("Ulm", "https://acme.example")
    assert ada.get(f"/e/firm/{two}").location.endswith(f"/e/firm/{one}")
    timeline = ada.get(f"/e/firm/{one}/timeline").text
    assert "Undo the merge" in timeline
    assert timeline.count("created this") == 1
    assert timeline.count("created what was merged into this") == 1
    merge = store.merges("firm", one)[0]
    assert post(ada, f"/e/firm/{one}/unmerge/{merge.id}", {}).get_json()["location"].endswith(f"/e/firm/{one}")
    assert store.read("firm", two)["website"] == "https://acme.example"
    again = post(ada, f"/e/firm/{one}/unmerge/{merge.id}", {})
    assert (outcome(again), again.get_json()["message"]) == (422, "This merge has been undone already.")


def test_a_stale_merge_is_shown_again(ada, firms, store):
    one, two = (str(f.id) for f in firms)
    store.update("firm", two, {"city": "Bonn"})
    answer = post(ada, "/e/firm/merge", {"ids": f"{one},{two}", "winner": one, f"version.{two}": 1})
    assert outcome(answer) == 422
    assert "changed in the meantime" in answer.text
    assert "Bonn" in answer.text


@pytest.mark.parametrize("ids", ["", "x", "01900000-0000-7000-8000-000000000001,01900000-0000-7000-8000-000000000002"])
def test_nonsense_is_told(ada, ids):
    assert ada.get(f"/e/firm/merge?ids={ids}").status_code in (303, 404)


def test_somebody_who_may_not_merge(cleo, ada, firms):
    one, two = (str(f.id) for f in firms)
    assert cleo.get(f"/e/firm/merge?ids={one},{two}").status_code == 403
    assert cleo.get("/e/firm/duplicates").status_code == 403
    assert "duplicates" not in cleo.get("/e/firm/").text
    assert "/e/firm/duplicates" in ada.get("/e/firm/").text


def test_an_old_address_says_no_more_than_one_may_know(cleo, works, store):
    people = {r["email"]: r.id for r in store.list("user", columns=["email"]).rows}
    mine = store.create("firm", {"name": "Mine", "owner": people["cleo@works.example"]})
    other = store.create("firm", {"name": "Other", "owner": people["ada@works.example"]})
    store.merge("firm", other.id, [mine.id])
    answer = cleo.get(f"/e/firm/{mine.id}")
    assert answer.location.endswith("/e/firm/")


def test_groups_of_duplicates_are_set_aside(ada, firms):
    one, two = (str(f.id) for f in firms)
    twin = "/e/firm/duplicates?rule=same-site"
    assert "No duplicates here" in ada.get(twin).text
    answer = post(ada, "/e/firm/duplicates/apart", {"ids": [one, two], "rule": "alike"})
    assert answer.status_code == 303
    assert one not in ada.get("/e/firm/duplicates").text


def test_the_form_tells_while_one_types(ada, firms):
    told = post(ada, "/e/firm/form-state", {"_has": "name", "name": "ACME Ltd.", "_touched": "name"}).get_json()
    assert "Acme GmbH" in told["alike"]["name"]
    assert (
        post(ada, "/e/firm/form-state", {"_has": "name", "name": "Zen", "_touched": "name"}).get_json()["alike"] == {}
    )


def test_a_warning_can_be_confirmed_and_a_block_cannot(ada, firms):
    form = {"_has": ["name", "website"], "name": "Acme", "website": ""}
    html = post(ada, "/e/firm/new", form)
    assert outcome(html) == 422
    assert 'name="_confirmed"' in html.text
    blocked = post(ada, "/e/firm/new", {**form, "name": "Zen", "website": "acme.example"})
    assert outcome(blocked) == 422
    assert 'name="_confirmed"' not in blocked.text
    assert "Acme GmbH" in blocked.text
    assert post(ada, "/e/firm/new", {**form, "_confirmed": "1"}).get_json()["location"]


def test_editing_in_place_asks_too(ada, store, firms):
    other = store.create("firm", {"name": "Zen"})
    address = f"/e/firm/{other.id}/field/name"
    form = {"_has": "name", "name": "ACME", "version": "1"}
    asked = post(ada, address, form)
    assert outcome(asked) == 422
    assert 'name="_confirmed"' in asked.text
    assert "Merge" in asked.text
    assert post(ada, address, {**form, "_confirmed": "1"}).status_code == 200


def test_a_bulk_edit_leaves_what_would_be_a_duplicate(ada, store, firms):
    others = [store.create("firm", {"name": name}) for name in ("Zen", "Yak")]
    form = {"ids": ",".join(str(o.id) for o in others), "field": "name", "_has": "name", "name": "Walrus", "state": ""}
    said = post(ada, "/e/firm/bulk/edit", form).get_json()
    assert (said["done"], said["refused"]) == (1, 1)
    assert post(ada, "/e/firm/bulk/edit", {**form, "confirmed": "1"}).get_json()["refused"] == 0
