"""The page of API keys: made, shown once, renewed, ended; one's own, and for administrators everybody's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from tests.conftest import layers_of
from tests.web.frame_tenants import YAML, add_person, app_of, signed_in_client, token_of

from trellis.identity.api_keys import find_key, list_keys
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant

KEYS = YAML.replace("allow: [admin]", "allow: [admin, api]").replace(
    "grants: {account:", "allow: [api]\ngrants: {account:"
)


@pytest.fixture(scope="module")
def tenant(catalogue: Catalogue) -> Iterator[Tenant]:
    tenant = catalogue.create("keys", layers_of(KEYS, "keys"), "test")
    add_person(tenant, "ada@keys.example", "admin")
    add_person(tenant, "rob@keys.example", "rep")
    add_person(tenant, "nil@keys.example")
    yield tenant
    catalogue.drop("keys")


@pytest.fixture(scope="module")
def app(tenant: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return app_of(tenant, Path(tmp_path_factory.mktemp("keys")))


def make(client: FlaskClient, **form: str) -> str:
    token = token_of(client.get("/settings/keys").text)
    return client.post("/settings/keys", data={"csrf_token": token, **form}).text


def secret_in(page: str) -> str:
    found = re.search(r"trellis_[\w-]{43}", page)
    assert found, page[-2000:]
    return found[0]


def test_a_key_is_made_and_its_secret_is_shown_once(app: Flask, tenant: Tenant) -> None:
    rob = signed_in_client(app, "rob@keys.example")
    secret = secret_in(make(rob, name="Sync", access="scopes", scopes="account:read, account:write", lasts="30"))
    found = find_key(tenant, secret)
    assert found is not None
    assert (found[0].name, found[0].scopes, found[1].email) == (
        "Sync",
        ("account:read", "account:write"),
        "rob@keys.example",
    )
    assert found[0].expires_at is not None
    assert secret not in rob.get("/settings/keys").text


def test_a_mistake_is_told_at_its_field_and_nothing_typed_is_lost(app: Flask) -> None:
    rob = signed_in_client(app, "rob@keys.example")
    page = make(rob, name="Kept name", access="scopes", scopes="acount:read", addresses="somewhere")
    assert "“acount:read” is no scope" in page
    assert "“somewhere” is no address" in page
    assert 'value="Kept name"' in page


def test_a_key_is_renewed_and_ended_by_its_owner_and_by_administrators_only(app: Flask, tenant: Tenant) -> None:
    ada, rob = (signed_in_client(app, f"{name}@keys.example") for name in ("ada", "rob"))
    old = secret_in(make(ada, name="Hers", access="all", lasts=""))
    key = next(k for k in list_keys(tenant) if k.name == "Hers")
    assert "Hers" not in rob.get("/settings/keys").text
    data = {"csrf_token": token_of(rob.get("/settings/keys").text)}
    assert rob.post(f"/settings/keys/{key.id}/revoke", data=data).status_code == 404
    data = {"csrf_token": token_of(ada.get("/settings/keys").text)}
    fresh = secret_in(ada.post(f"/settings/keys/{key.id}/rotate", data=data).text)
    assert find_key(tenant, old) is None
    assert find_key(tenant, fresh) is not None
    his = secret_in(make(rob, name="His", access="read", lasts="90"))
    assert "His" in ada.get("/settings/keys").text
    key = next(k for k in list_keys(tenant) if k.name == "His")
    assert ada.post(f"/settings/keys/{key.id}/rotate", data=data).status_code == 404  # she would act as him
    assert ada.post(f"/settings/keys/{key.id}/revoke", data=data).status_code == 302
    assert find_key(tenant, his) is None


def test_who_has_no_right_to_the_api_has_no_keys(app: Flask) -> None:
    assert signed_in_client(app, "nil@keys.example").get("/settings/keys").status_code == 403
