"""Converting from a record's page, looking back at one, and undoing what was done to many, through a client."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from tests.conftest import layers_of
from tests.records.conversion_crm import CRM
from tests.web.frame_tenants import add_person, app_of, outcome, signed_in_client

from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.record import Record
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant

ROLES = """
---
role: admin
grants: {"*": all}
allow: [admin, import, bulk-edit]
"""


@pytest.fixture(scope="module")
def works(catalogue: Catalogue) -> Iterator[Tenant]:
    people_of_its_own = CRM.partition("---\n")[2]  # the platform's own, who can sign in
    tenant = catalogue.create("works", layers_of(people_of_its_own + ROLES, "works"), "test")
    add_person(tenant, "ada@works.example", "admin", name="Ada Admin")
    add_person(tenant, "rae@works.example", "rep", name="Rae Rep")
    yield tenant
    catalogue.drop("works")


@pytest.fixture(scope="module")
def app(works: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return app_of(works, tmp_path_factory.mktemp("works"))


@pytest.fixture(scope="module")
def ada(app: Any) -> FlaskClient:
    return signed_in_client(app, "ada@works.example")


@pytest.fixture(scope="module")
def rae(app: Any) -> FlaskClient:
    return signed_in_client(app, "rae@works.example")


@pytest.fixture
def store(works: Tenant) -> Store:
    return Store(works, Principal.system(Reader()))


@pytest.fixture
def lead(store: Store) -> Record:
    return store.create("lead", {"name": "Lena Lead", "company": "Lead Works", "email": "lena@lead.example"})


def token(client: FlaskClient) -> str:
    found = re.search(r'name="csrf-token" content="([^"]+)"', client.get("/e/lead/").text)
    assert found
    return found[1]


def post(client: FlaskClient, address: str, **data: Any) -> Any:
    return client.post(address, data={"csrf_token": token(client), **data}, headers={"X-Requested-With": "fetch"})


def sent(**values: Any) -> dict[str, Any]:
    """A form of the convert page as the browser sends it."""
    return {"_has": [name for name in values if not name.endswith("_use")], **values}


def test_the_page_proposes_what_is_filled_in_and_what_looks_like_it(ada, store, lead):
    account = store.create("account", {"name": "LEAD works"})
    page = ada.get(f"/e/lead/{lead.id}/convert").text
    assert 'value="Lead Works"' in page
    assert f'value="{account.id}" checked' in page
    assert "same Name" in page
    assert 'name="contact.account"' not in page  # follows by itself
    assert f'href="/e/lead/{lead.id}/convert"' in ada.get(f"/e/lead/{lead.id}").text


def test_a_refusal_comes_back_with_everything_that_was_typed(ada, lead):
    values = sent(
        **{
            "account._use": "new",
            "account.name": "x" * 41,
            "contact._use": "new",
            "contact.email": "nonsense",
            "contact.name": "Lena",
            "deal._use": "skip",
        }
    )
    answer = post(ada, f"/e/lead/{lead.id}/convert", **values)
    assert answer.headers["X-Refused"] == "422"
    assert 'value="nonsense"' in answer.text
    assert 'href="#f-account-name"' in answer.text
    assert 'href="#f-contact-email"' in answer.text


def test_converting_leads_back_to_the_record_which_tells_what_it_became(ada, store, lead):
    values = sent(
        **{"account._use": "new", "account.name": "Lead Works Ltd", "contact._use": "new", "deal._use": "skip"}
    )
    answer = post(ada, f"/e/lead/{lead.id}/convert", **values)
    assert answer.json["location"].endswith(f"/e/lead/{lead.id}")
    page = ada.get(f"/e/lead/{lead.id}").text
    assert "It was converted to:" in page
    assert "Lead Works Ltd" in page
    assert f"/e/lead/{lead.id}/edit" not in page
    assert "/convert" not in page.split('id="rec-head"')[1].split("t-rec-left")[0]
    account = store.read("lead", lead.id)["converted_account"].id
    assert "It came from:" in ada.get(f"/e/account/{account}").text
    again = ada.get(f"/e/lead/{lead.id}/convert")
    assert again.status_code == 302


def test_an_existing_record_is_chosen_and_another_is_picked(ada, store, lead):
    account = store.create("account", {"name": "Picked"})
    contact = store.create("contact", {"name": "Carl"})
    values = sent(
        **{
            "account._use": "_other",
            "account._other": str(account.id),
            "contact._use": str(contact.id),
            "deal._use": "skip",
        }
    )
    assert post(ada, f"/e/lead/{lead.id}/convert", **values).json["location"]
    after = store.read("lead", lead.id)
    assert (after["converted_account"].id, after["converted_contact"].id) == (account.id, contact.id)


def test_moving_to_the_stage_that_a_conversion_leads_to_opens_its_page(ada, lead):
    answer = post(ada, f"/e/lead/{lead.id}/move/status", to="converted", **{"from": "new"})
    assert outcome(answer) == 409
    assert answer.json["location"].endswith(f"/e/lead/{lead.id}/convert")


def test_who_may_not_convert_is_not_offered_it(rae, lead):
    assert rae.get(f"/e/lead/{lead.id}/convert").status_code == 404  # somebody else's lead
    mine = rae.get("/e/account/")
    assert mine.status_code == 200
    assert rae.get(f"/e/account/{lead.id}/convert").status_code in (403, 404)


def test_bulk_changes_are_listed_and_undone(ada, rae, store):
    made = [store.create("account", {"name": f"Bulk {n}"}).id for n in range(3)]
    data = {"ids": ",".join(map(str, made)), "state": "", "field": "name", "name": "Same", "_has": "name"}
    said = post(ada, "/e/account/bulk/edit", **data).json
    assert said["done"] == 3
    undo = said["undo"]["url"]
    assert undo in ada.get("/changes").text
    assert undo not in rae.get("/changes").text
    assert outcome(post(rae, undo)) == 404
    store.update("account", made[0], {"name": "Other"})
    page = ada.post(undo, data={"csrf_token": token(ada)}).text
    assert "It has been changed since." in page
    assert [store.read("account", id)["name"] for id in made] == ["Other", "Bulk 1", "Bulk 2"]
    assert post(ada, undo).headers["X-Refused"] == "422"


def test_the_toasts_undo_tells_the_list(ada, store):
    made = store.create("account", {"name": "Toast"}).id
    said = post(ada, "/e/account/bulk/edit", ids=str(made), state="", field="name", name="Toasted", _has="name").json
    answer = post(ada, said["undo"]["url"], **said["undo"]["values"])
    assert "trellis:list-changed" in answer.headers["HX-Trigger"]
    assert "1 record is as it was" in answer.headers["HX-Trigger"]


def test_the_page_looks_back_and_marks_what_is_different(ada, store):
    account = store.create("account", {"name": "First"})
    later = Store(store.tenant, Principal.system(Reader()))
    later.update("account", account.id, {"name": "Second"})
    first, *_more = reversed(later.history("account", account.id))
    page = ada.get(f"/e/account/{account.id}", query_string={"at": first.at.isoformat()}).text
    assert "is-other" in page
    assert "1 of 2" in page
    pane = ada.get(
        f"/e/account/{account.id}/past", query_string={"at": "latest"}, headers={"X-Requested-With": "f"}
    ).text
    assert "2 of 2" in pane
    assert "is-other" not in pane
    answer = post(ada, f"/e/account/{account.id}/past/restore", at=first.at.isoformat(), field="name")
    assert answer.status_code == 200
    assert store.read("account", account.id)["name"] == "First"


def test_looking_back_shows_no_change_of_a_hidden_field(ada, rae, store, works):
    rep = next(r for r in store.list("user", columns=["name"]).rows if r["name"] == "Rae Rep")
    account = store.create("account", {"name": "Quiet", "owner": rep.id})
    Store(works, Principal.system(Reader())).update("account", account.id, {"secret": "hush"})
    for client, count in ((ada, "1 of 2"), (rae, "1 of 1")):
        page = client.get(f"/e/account/{account.id}", query_string={"at": "2000-01-01T00:00:00+00:00"}).text
        assert count in page
    assert "hush" not in page
    assert "Secret" not in page


@pytest.mark.parametrize("at", ["", "nonsense", "9999-99-99", "2999-01-01", "2999-01-01T00:00:00+00:00"])
def test_a_moment_that_is_none_shows_the_last_one(ada, store, at):
    account = store.create("account", {"name": "Odd"})
    assert "1 of 1" in ada.get(f"/e/account/{account.id}", query_string={"at": at}).text


def test_a_selection_is_converted_after_a_look_at_what_each_becomes(ada, store):
    there = store.create("account", {"name": "Many Works"})
    leads = [store.create("lead", {"name": f"Mo {n}", "company": "Many Works"}) for n in range(2)]
    sent_ids = ",".join(str(lead.id) for lead in leads)
    dialog = post(ada, "/e/lead/bulk/conversion", ids=sent_ids, state="").text
    assert 'name="with" value="deal" checked' in dialog
    assert f"/e/account/{there.id}" in dialog
    assert "was there" in dialog
    assert 'data-do="bulk-convert"' in ada.get("/e/lead/").text
    done = post(ada, "/e/lead/bulk/convert", ids=sent_ids, state="").text
    assert "2 records converted" in done
    assert store.read("lead", leads[0].id)["converted_deal"] is None  # it was not ticked
    again = post(ada, "/e/lead/bulk/convert", ids=sent_ids, state="").text
    assert again.count("It has been converted already.") == 2
    undo = re.search(r'action="[^"]*/changes/([^/]+)/undo"', done)
    assert undo
    store.undo(undo[1])
    assert store.read("lead", leads[0].id)["converted_at"] is None


def test_who_may_not_convert_is_offered_no_conversion_of_many(rae, store):
    account = store.create("account", {"name": "Plain"})
    assert 'data-do="bulk-convert"' not in rae.get("/e/account/").text
    answer = rae.post(
        "/e/account/bulk/conversion", data={"csrf_token": token(rae), "ids": str(account.id), "state": ""}
    )
    assert answer.status_code in (403, 404)  # there is none, or none for this person


def test_several_are_restored_from_the_bin_and_it_can_be_undone(ada, store):
    ids = [store.create("account", {"name": f"Binned {n}"}).id for n in range(2)]
    store.delete_many("account", ids)
    assert ada.get("/e/account/bin").text.count("data-bin-pick") >= 2
    ada.post("/e/account/bin/restore", data={"csrf_token": token(ada), "id": [str(id) for id in ids]})
    page = ada.get("/e/account/").text
    assert "2 records restored" in page
    undo = re.search(r"/changes/([0-9a-f-]{36})/undo", page)
    assert undo
    assert store.undo(undo[1]).counts == {"deleted": 2}


def test_several_are_deleted_for_good_and_what_is_held_stays(ada, store):
    free, held = (store.create("account", {"name": name}) for name in ("Free", "Held"))
    with store.batch("import", "account") as made:
        kept = store.create("account", {"name": "Kept"})
        store.create("deal", {"name": "It", "account": kept.id})
    store.undo(made.id)
    store.delete_many("account", [free.id, held.id])
    chosen = [str(one.id) for one in (free, held, kept)]
    ada.post("/e/account/bin/purge", data={"csrf_token": token(ada), "id": chosen})
    page = ada.get("/e/account/bin").text
    assert "2 records deleted for good. 1 left as it was" in page
    assert (str(kept.id) in page, str(free.id) in page) == (True, False)


def test_the_toast_says_what_came_back_along(ada, store, lead):
    store.update("lead", lead.id, {"lines": [{"what": "more"}, {"what": "less"}]})
    store.delete("lead", lead.id)
    ada.post(f"/e/lead/{lead.id}/restore", data={"csrf_token": token(ada)})
    assert "Restored, together with 2 Wishs" in ada.get("/e/lead/").text


def test_rows_are_marked_and_given_back_as_they_were(ada, store, lead):
    store.update("lead", lead.id, {"lines": [{"what": "more"}]})
    [line] = store.lines("lead", lead.id, "lines")
    Store(store.tenant, Principal.system(Reader())).update("lead", lead.id, {"lines": []})  # a moment later
    changes = store.history("lead", lead.id)
    at = next(c.at for c in changes if any(f.new == "more" for f in c.changes))
    page = ada.get(f"/e/lead/{lead.id}", query_string={"at": at.isoformat()}).text
    assert "gone today" in page
    assert "Restore these rows" in page
    assert post(ada, f"/e/lead/{lead.id}/past/restore", at=at.isoformat(), field="lines").json["location"]
    assert [one.id for one in store.lines("lead", lead.id, "lines")] == [line.id]
