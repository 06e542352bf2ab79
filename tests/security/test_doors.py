"""What stands before every page: hosts, proxies, cookies, headers, sizes, ways back, errors that tell nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from tests.security.table import ROUTES
from tests.security.world import BREAKS_OUT, World, open_world, prepare, send
from tests.web.frame_tenants import PASSWORD, YAML, add_person, token_of
from tests.web.test_frame_dispatcher import Keeping
from werkzeug.test import Client

from trellis.storage.tenant import Tenant
from trellis.web.app import LARGEST_REQUEST, LARGEST_TEXT
from trellis.web.dispatcher import Dispatcher, behind_proxy, open_dispatcher
from trellis.web.security import HEADERS
from trellis.web.settings import Settings

TLS = "https://localhost/"
EMAIL = "ada@x.example"


@pytest.fixture(scope="module")
def world(catalogue: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = open_world(catalogue, tmp_path_factory.mktemp("doors"), "security-doors")
    yield made
    for tenant in (made.tenant, made.other):
        catalogue.drop(tenant.slug)


@pytest.fixture
def corner(make_tenant: Any) -> Tenant:
    tenant: Tenant = make_tenant(YAML, slug="corner")
    add_person(tenant, EMAIL, "admin")
    return tenant


@pytest.fixture
def dispatcher(database: Any, tmp_path: Any) -> Iterator[Dispatcher]:
    settings = Settings(var=tmp_path, hosts={"corner.example": "corner"}, allowed_hosts=frozenset({"crm.example"}))
    opened = open_dispatcher(settings, Keeping(database))  # type: ignore[arg-type]
    yield opened
    opened.close()


def sign_in(client: Client, path: str = "/t/corner/login", *, base_url: str = TLS, **more: str) -> Any:
    token = token_of(client.get(path, base_url=base_url).text)
    data = {"csrf_token": token, "email": EMAIL, "password": PASSWORD, **more}
    return client.post(path, data=data, base_url=base_url, headers={"Referer": base_url})


# ── hosts and proxies ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "host", ["evil.example", "crm.example.evil.example", "crm.example@evil.example", "evil.example:80", "", "a b"]
)
def test_a_name_that_is_not_ours_is_not_answered(corner: Tenant, dispatcher: Dispatcher, host: str) -> None:
    answer = Client(dispatcher).get("/t/corner/login", headers={"Host": host})
    assert answer.status_code == 400
    assert "evil" not in answer.text


def test_what_a_proxy_says_is_believed_only_of_a_proxy_that_is_there(corner: Tenant, dispatcher: Dispatcher) -> None:
    said = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "crm.example", "X-Forwarded-For": "203.0.113.7"}
    alone = Client(dispatcher).get("/t/corner/login", headers=said)
    assert "Strict-Transport-Security" not in alone.headers
    assert "Secure" not in alone.headers["Set-Cookie"]
    proxied = Client(behind_proxy(dispatcher, Settings(behind_proxy=1)))
    behind = proxied.get("/t/corner/login", headers=said)
    assert "max-age" in behind.headers["Strict-Transport-Security"]
    assert "Secure" in behind.headers["Set-Cookie"]
    assert proxied.get("/t/corner/login", headers=said | {"X-Forwarded-Host": "evil.example"}).status_code == 400
    forged = {**said, "X-Forwarded-Proto": "https, http"}  # the proxy adds what it has seen itself: plain http
    assert "Strict-Transport-Security" not in proxied.get("/t/corner/login", headers=forged).headers


# ── cookies ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("base_url", "path", "begins"),
    [
        ("http://localhost/", "/t/corner/login", "t-corner="),
        ("https://localhost/", "/t/corner/login", "__Secure-t-corner="),
        ("https://corner.example/", "/login", "__Host-t-corner="),
    ],
)
def test_the_session_is_bound_to_the_place(
    corner: Tenant, dispatcher: Dispatcher, base_url: str, path: str, begins: str
) -> None:
    cookie = Client(dispatcher).get(path, base_url=base_url).headers["Set-Cookie"]
    assert cookie.startswith(begins)
    parts = cookie.split("; ")
    assert {"HttpOnly", "SameSite=Lax", f"Path={path.removesuffix('login')}"} <= set(parts)
    assert ("Secure" in parts) is base_url.startswith("https")
    assert not any(part.startswith("Domain") for part in parts)


@pytest.mark.parametrize(("base_url", "root"), [(TLS, "/t/corner/"), ("https://corner.example/", "/")])
def test_one_signs_in_under_tls_and_gets_a_new_session(
    corner: Tenant, dispatcher: Dispatcher, base_url: str, root: str
) -> None:
    client = Client(dispatcher)
    before = client.get(f"{root}login", base_url=base_url).headers["Set-Cookie"]
    done = sign_in(client, f"{root}login", base_url=base_url)
    assert (done.status_code, done.location) == (302, root)
    assert done.headers["Set-Cookie"].partition(";")[0] != before.partition(";")[0]
    assert client.get(root, base_url=base_url).status_code == 200


# ── ways back ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/t/other/",
        "/t/corner/../other/",
        "/t/corner/%2e%2e/other/",
        "/t/corner//../..//evil.example",
        "javascript:alert(1)",
        " //evil.example",
        "/t/corner/\r\nSet-Cookie: a=b",
        "/t/cornerstone/",
    ],
)
def test_nobody_is_sent_elsewhere_after_signing_in(corner: Tenant, dispatcher: Dispatcher, target: str) -> None:
    done = sign_in(Client(dispatcher), next=target)
    assert (done.status_code, done.location) == (302, "/t/corner/")
    assert "a=b" not in str(done.headers)


def test_one_goes_on_to_the_page_that_was_asked_for(corner: Tenant, dispatcher: Dispatcher) -> None:
    assert sign_in(Client(dispatcher), next="/t/corner/e/account/?q=x").location == "/t/corner/e/account/?q=x"


# ── headers and pages ────────────────────────────────────────────────────────────────────────────────────────

INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")|<style|\sstyle=|\son[a-z]+=\"|javascript:", re.I
)


def test_every_page_has_the_headers_and_nothing_inline(world: World) -> None:
    names, wrong = world.names(), []
    for rule in world.app.url_map.iter_rules():
        ask = ROUTES.get(rule.endpoint)
        if ask is None or "GET" not in (rule.methods or ()):
            continue
        prepare(world, rule, ask, names)
        answer = send(world, world.client("admin"), "GET", rule, ask, names)
        for name in HEADERS:
            if name not in answer.headers:
                wrong.append(f"{rule}: no {name}")
        if "unsafe" in answer.headers["Content-Security-Policy"] and answer.mimetype == "text/html":
            wrong.append(f"{rule}: {answer.headers['Content-Security-Policy']}")
        kept = answer.headers.get("Cache-Control", "")
        if ask.kind != "public" and not ("no-store" in kept or "private" in kept):
            wrong.append(f"{rule}: kept by caches: {kept}")
        if answer.mimetype == "text/html" and (found := INLINE.search(answer.text)):
            wrong.append(f"{rule}: inline: {answer.text[found.start() - 40 : found.end() + 40]}")
        if answer.mimetype == "text/html" and (at := answer.text.find(BREAKS_OUT)) >= 0:
            wrong.append(f"{rule}: not escaped: {answer.text[max(0, at - 80) : at + 20]}")
    assert not wrong, "\n".join(wrong)


def test_an_error_tells_a_number_and_nothing_else(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("password of the database: hunter2")

    monkeypatch.setitem(world.app.view_functions, "HomeView.index", broken)
    for headers in ({}, {"Accept": "application/json"}, {"HX-Request": "true"}):
        answer = world.client("admin").get("/", headers=headers)
        assert answer.status_code == 500
        for told in ("hunter2", "RuntimeError", "Traceback", "/trellis/", "Werkzeug"):
            assert told not in answer.text, told
        assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    "address", ["/nothing", "/e/account/x", "/api/v1/nothing", "/e/account/count?q=%00%ff", "/e/%00/"]
)
def test_an_address_that_is_not_there_tells_nothing(world: World, address: str) -> None:
    answer = world.client("admin").get(address)
    assert answer.status_code in (200, 302, 400, 404)
    assert "Traceback" not in answer.text


# ── sizes ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_too_large_is_refused_before_it_is_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    app: Flask = world.app
    assert app.config["MAX_CONTENT_LENGTH"] == LARGEST_REQUEST
    client = world.client("admin")
    for kind, most in (("multipart/form-data", LARGEST_REQUEST), ("application/json", LARGEST_TEXT)):
        said = {"CONTENT_LENGTH": str(most + 1), "CONTENT_TYPE": f"{kind}; boundary=x"}
        assert client.post("/profile/theme", environ_overrides=said).status_code == 413, kind
    monkeypatch.setattr("trellis.web.app.LARGEST_TEXT", 10_000)
    monkeypatch.setitem(app.config, "MAX_FORM_MEMORY_SIZE", 10_000)
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        sent = {"theme": "x" * 10_001}
        assert client.post("/profile/theme", data=sent, content_type=kind).status_code == 413, kind
    monkeypatch.setitem(app.config, "MAX_FORM_PARTS", 10)
    many = {f"f{n}": "x" for n in range(11)}
    assert client.post("/profile/theme", data=many, content_type="multipart/form-data").status_code == 413


@pytest.mark.parametrize("header", ["X-Request-Id", "Accept-Language", "HX-Current-URL", "Referer", "User-Agent"])
def test_no_header_comes_back_as_another(world: World, header: str) -> None:
    answer = world.client("admin").get("/nothing", headers={header: "en\tx; Set-Cookie: evil=1"})
    assert "evil" not in str(answer.headers)
