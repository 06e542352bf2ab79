"""Pages of other sites: which may use the API from a browser, and what the others get."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from tests.conftest import layers_of
from tests.web.frame_tenants import YAML, add_person, signed_in_client

from trellis.api.app import add_api
from trellis.identity.api_keys import create_key
from trellis.storage.catalogue import BrokenConfiguration, Catalogue
from trellis.storage.secrets import use_installation_key
from trellis.web.app import create_tenant_app
from trellis.web.settings import Settings

SHOP = "https://shop.acme.example"
PROFILE = f"api: {{origins: [{SHOP}, 'http://localhost:5173', 'HTTPS://Portal.acme.example:443']}}\n"
OFFICE = YAML.replace("allow: [admin]", "allow: [admin, api]")


@pytest.fixture(scope="module")
def office(catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FlaskClient, str]]:
    var = tmp_path_factory.mktemp("origins")
    use_installation_key(var)
    tenant = catalogue.create("security-origins", layers_of(OFFICE, "security-origins", profile=PROFILE), "test")
    person = add_person(tenant, "mona@x.example", "admin")
    app = create_tenant_app(tenant, Settings(var=var), None, [add_api])
    yield signed_in_client(app, "mona@x.example"), create_key(tenant, person, "shop")[1]
    catalogue.drop(tenant.slug)


def asked(office: tuple[FlaskClient, str], origin: str, method: str = "GET", **headers: str) -> Any:
    sent = {"Origin": origin, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return office[0].application.test_client().open("/api/v1/account", method=method, headers=sent)


def test_a_named_origin_is_told_beforehand_what_it_may_send(office: tuple[FlaskClient, str]) -> None:
    answer = asked(office, SHOP, "OPTIONS", Access_Control_Request_Method="POST")
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == SHOP
    assert {"GET", "POST"} <= set(answer.headers["Access-Control-Allow-Methods"].split(", "))
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("origin", [SHOP, "http://localhost:5173", "https://portal.acme.example"])
def test_a_named_origin_reads_answers_and_refusals(office: tuple[FlaskClient, str], origin: str) -> None:
    good = asked(office, origin, Authorization=f"Bearer {office[1]}")
    refused = asked(office, origin)
    assert (good.status_code, refused.status_code) == (200, 401)
    for answer in (good, refused):
        assert answer.headers["Access-Control-Allow-Origin"] == origin
        assert "Origin" in answer.vary
        assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "ETag" in good.headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://shop.acme.example", SHOP + ".evil.example"])
def test_another_origin_reads_nothing(office: tuple[FlaskClient, str], origin: str) -> None:
    for method in ("OPTIONS", "GET"):
        answer = asked(office, origin, method, Authorization=f"Bearer {office[1]}")
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]
        assert "Origin" in answer.vary


def test_pages_are_for_no_origin_and_a_session_is_worth_nothing_elsewhere(office: tuple[FlaskClient, str]) -> None:
    client = office[0]
    for address in ("/", "/e/account/", "/profile"):
        answer = client.get(address, headers={"Origin": SHOP})
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert client.post("/api/v1/account", json={"name": "X"}, headers={"Origin": SHOP}).status_code == 400


@pytest.mark.parametrize(
    "origin",
    [
        "'*'",
        "shop.acme.example",
        "https://shop.acme.example/path",
        "http://shop.acme.example",
        "https://*.acme.example",
    ],
)
def test_what_is_no_origin_is_found_when_it_is_written(catalogue: Catalogue, origin: str) -> None:
    with pytest.raises(BrokenConfiguration, match="is no origin"):
        catalogue.create("origins-wrong", layers_of(YAML, "w", profile=f"api: {{origins: [{origin}]}}\n"), "test")


def test_without_a_word_about_origins_there_are_none(catalogue: Catalogue, tmp_path: Path) -> None:
    tenant = catalogue.create("security-no-origins", layers_of(OFFICE, "security-no-origins"), "test")
    try:
        app = create_tenant_app(tenant, Settings(var=tmp_path), None, [add_api])
        answer = app.test_client().get("/api/v1/account", headers={"Origin": SHOP})
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]
    finally:
        catalogue.drop(tenant.slug)
