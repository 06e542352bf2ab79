"""Letting a contact into the portal, and what there is then to see."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from tests.conftest import layers_of
from tests.records.access.test_portal import CRM
from tests.web.frame_tenants import add_person, app_of, signed_in_client, token_of

from trellis.formula.reader import Reader
from trellis.identity.accounts import Account, set_password
from trellis.identity.portal import guest_of
from trellis.records.principal import Principal
from trellis.records.record import Record
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant

ADMIN = "ada@portal.example"
YAML = (
    CRM.replace(
        "  name: {type: text, required: true, search: true}\n  roles",
        "  name: {type: text, required: true}\n"
        "  email: {type: email, unique: true}\n  active: {type: boolean, default: true}\n  roles",
    )
    + """---
role: admin
grants: {"*": {read: all, create: true, update: all, delete: all, restore: all}}
allow: [admin]
"""
)


@pytest.fixture(scope="module")
def firm(catalogue: Catalogue) -> Iterator[Tenant]:
    tenant = catalogue.create("portal", layers_of(YAML, "portal"), "test")
    add_person(tenant, ADMIN, "admin", name="Ada Admin")
    add_person(tenant, "agnes@portal.example", "agent", name="Agnes Agent")
    yield tenant
    catalogue.drop("portal")


@pytest.fixture(scope="module")
def app(firm: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return app_of(firm, tmp_path_factory.mktemp("portal"))


@pytest.fixture(scope="module")
def ada(app: Flask) -> FlaskClient:
    return signed_in_client(app, ADMIN)


@pytest.fixture(scope="module")
def store(firm: Tenant) -> Store:
    return Store(firm, Principal.system(Reader()))


@pytest.fixture(scope="module")
def carla(store: Store) -> Record:
    account = store.create("account", {"name": "Acme"})
    other = store.create("account", {"name": "Bolt"})
    store.create("ticket", {"subject": "Ours", "account": account.id})
    store.create("ticket", {"subject": "Theirs", "account": other.id})
    return store.create("contact", {"name": "Carla", "email": "carla@acme.example", "account": account.id})


def post(client: FlaskClient, path: str, **values: str) -> Any:
    return client.post(path, data=values, headers={"X-CSRFToken": token_of(client.get("/").text)})


def test_a_contact_is_invited_and_comes_in(
    app: Flask, ada: FlaskClient, firm: Tenant, store: Store, carla: Record
) -> None:
    assert f"/e/contact/{carla.id}/portal" in ada.get(f"/e/contact/{carla.id}").text
    assert "Customer" in ada.get(f"/e/contact/{carla.id}/portal").text
    answer = post(ada, f"/e/contact/{carla.id}/portal", role="customer")
    link = re.search(r"/invite/([\w-]+)", answer.text)
    guest = guest_of(firm, carla.id)
    assert guest is not None
    assert guest.roles == ("customer",)
    assert link is not None
    again = post(ada, f"/e/contact/{carla.id}/portal", role="customer")
    assert "carla@acme.example" in again.text  # who it is, instead of a second one
    assert store.count("user", where=['name == "Carla"']).n == 1


def test_the_portal_holds_what_is_ones_own_and_no_page_of_the_house(
    app: Flask, firm: Tenant, store: Store, carla: Record
) -> None:
    held = {"name": "Carl", "email": "carl@acme.example", "account": carla["account"].id}
    contact = store.create("contact", held)
    add_person(firm, "carl@acme.example", "customer", name="Carl")
    [user] = store.list("user", columns=[], where=['name == "Carl"']).rows
    store.update("user", user.id, {"contact": contact.id})
    carl = signed_in_client(app, "carl@acme.example")
    home = carl.get("/")
    assert home.status_code == 200
    page = carl.get("/e/ticket/?view=all").text
    assert "Ours" in page
    assert "Theirs" not in page
    for path in ("/admin/users", "/e/user/", "/e/payslip/", "/settings/keys", f"/e/contact/{carla.id}/portal"):
        assert carl.get(path).status_code == 403, path
    assert "Agnes" not in home.text + page


def test_who_cannot_be_invited_is_told_why(ada: FlaskClient, store: Store) -> None:
    nowhere = store.create("contact", {"name": "Nemo"})
    assert "e-mail address first" in post(ada, f"/e/contact/{nowhere.id}/portal", role="customer").text
    twin = store.create("contact", {"name": "Twin", "email": ADMIN})
    assert (
        "signs in with this e-mail address already" in post(ada, f"/e/contact/{twin.id}/portal", role="customer").text
    )
    free = store.create("contact", {"name": "Free", "email": "free@acme.example"})
    assert "for people from outside" in post(ada, f"/e/contact/{free.id}/portal", role="agent").text


def test_only_administrators_invite(app: Flask, carla: Record) -> None:
    agnes = signed_in_client(app, "agnes@portal.example")
    assert agnes.get(f"/e/contact/{carla.id}/portal").status_code == 403
    assert f'{carla.id}/portal"' not in agnes.get(f"/e/contact/{carla.id}").text


def test_a_named_filter_tells_nothing_of_what_is_hidden(app: Flask, firm: Tenant, store: Store, carla: Record) -> None:
    guest = guest_of(firm, carla.id)
    if guest is None:
        store.create("user", {"name": "Carla", "email": "c@acme.example", "roles": ["customer"], "contact": carla.id})
        guest = guest_of(firm, carla.id)
    assert guest is not None
    with firm.begin() as connection:
        set_password(connection, firm, Account(guest.id, "Carla", guest.email, None), "plenty of words")
    client = signed_in_client(app, guest.email, "plenty of words")
    page = client.get("/e/ticket/?view=all").text
    assert "Answered" in page
    assert "Delicate" not in page
    assert "Ours" in client.get("/e/ticket/?view=all&on=delicate").text  # not used, if the address names it
    assert "Ours" not in client.get("/e/ticket/?view=all&on=answered").text


def test_views_that_the_house_saves_stay_in_the_house(app: Flask, firm: Tenant, carla: Record) -> None:
    agnes = signed_in_client(app, "agnes@portal.example")
    post(agnes, "/e/ticket/views", do="save", label="Difficult customers", shared="1", state="view=all")
    guest = guest_of(firm, carla.id)
    assert guest is not None
    client = signed_in_client(app, guest.email, "plenty of words")
    page = client.get("/e/ticket/?view=all").text
    assert "Difficult customers" not in page
    assert "Share with everybody" not in page
    assert post(client, "/e/ticket/views", do="save", label="Mine", shared="1", state="view=all").status_code == 403
