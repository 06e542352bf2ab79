"""Which app a request goes to, and what is said when there is none."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from tests.web.frame_tenants import YAML, add_person, sign_in
from werkzeug.test import Client

from trellis.storage.apply import apply
from trellis.storage.plan import plan
from trellis.web import apps as apps_module
from trellis.web.assets import asset
from trellis.web.dispatcher import Dispatcher, open_dispatcher
from trellis.web.settings import Settings


class Keeping:
    """A database that stays open when the dispatcher is closed: other tests go on with it."""

    def __init__(self, database: Any) -> None:
        self._database = database

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    def close(self) -> None:
        """Nothing."""


@pytest.fixture
def dispatcher(database: Any, tmp_path: Any) -> Iterator[Dispatcher]:
    settings = Settings(var=tmp_path, domain="crm.example", hosts={"corner.example": "corner"}, kept_apps=2)
    opened = open_dispatcher(settings, Keeping(database))  # type: ignore[arg-type]
    yield opened
    opened.close()


@pytest.fixture
def browser(dispatcher: Dispatcher) -> Client:
    return Client(dispatcher)


def test_addresses(make_tenant: Any, browser: Client) -> None:
    tenant = make_tenant(YAML, slug="corner")
    assert browser.get(f"/t/{tenant.slug}").location == "/t/corner/"
    assert browser.get("/t/corner/").location == "/t/corner/login"
    assert "Sign in to Corner" in browser.get("/t/corner/login").text
    for host in ("corner.example", "corner.crm.example", "corner.crm.example:8000"):
        assert browser.get("/", headers={"Host": host}).location == "/login", host
    assert browser.get("/t/nobody/").status_code == 404
    assert browser.get("/", headers={"Host": "evil.example"}).status_code == 400
    assert browser.get("/t/corner/login", headers={"Host": "10.1.2.3:8000"}).status_code == 200
    assert "/t/corner/" in browser.get("/").text


def test_static_files_are_kept_for_ever_and_compressed(browser: Client) -> None:
    answer = browser.get(asset("main.css"), headers={"Accept-Encoding": "gzip, br"})
    assert answer.headers["Content-Encoding"] == "br"
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert browser.get(asset("main.js")).mimetype == "text/javascript"
    for name in ("../app.py", "..%2fapp.py", "manifest.json", "icons.json", "", ".hidden", "no%00name"):
        assert browser.get(f"/static/dist/{name}").status_code == 404, name


def test_health_and_metrics(make_tenant: Any, browser: Client, dispatcher: Dispatcher) -> None:
    make_tenant(YAML, slug="corner")
    browser.get("/t/corner/login")
    assert browser.get("/healthz").text == "ok\n"
    here = {"REMOTE_ADDR": "127.0.0.1"}
    assert (
        'trellis_requests_total{method="GET",status="2xx",tenant="corner"}'
        in browser.get("/metrics", environ_overrides=here).text
    )
    assert browser.get("/metrics", environ_overrides={"REMOTE_ADDR": "192.0.2.1"}).status_code == 403
    assert browser.get("/metrics", environ_overrides=here, headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 403


def test_headers_on_every_page(make_tenant: Any, browser: Client, dispatcher: Dispatcher) -> None:
    make_tenant(YAML, slug="corner")
    for path in ("/", "/t/corner/login", "/t/corner/nothing", "/t/nobody/"):
        headers = browser.get(path).headers
        assert "default-src 'self'" in headers["Content-Security-Policy"], path
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Request-Id"]
        assert headers["Cache-Control"] == "no-store"
    page = Client(dispatcher).get("/t/corner/login", base_url="https://localhost/")
    assert "max-age" in page.headers["Strict-Transport-Security"]
    assert "Secure" in page.headers["Set-Cookie"]
    assert "Path=/t/corner/" in page.headers["Set-Cookie"]
    assert (
        browser.get("/t/corner/login", headers={"X-Request-Id": "given-by-proxy-1"}).headers["X-Request-Id"]
        == "given-by-proxy-1"
    )
    assert (
        browser.get("/t/corner/login", headers={"X-Request-Id": "x y<script>"}).headers["X-Request-Id"] != "x y<script>"
    )


def test_a_suspended_tenant_says_so(make_tenant: Any, browser: Client, dispatcher: Dispatcher) -> None:
    make_tenant(YAML, slug="corner")
    assert browser.get("/t/corner/login").status_code == 200
    dispatcher.catalogue.suspend("corner")
    dispatcher.apps.refresh("corner")
    closed = browser.get("/t/corner/login")
    assert closed.status_code == 503
    assert "closed at the moment" in closed.text
    dispatcher.catalogue.resume("corner")
    dispatcher.apps.refresh("corner")
    assert browser.get("/t/corner/login").status_code == 200


def test_only_the_apps_used_last_are_kept(make_tenant: Any, browser: Client, dispatcher: Dispatcher) -> None:
    for slug in ("one", "two", "three"):
        make_tenant(YAML, slug=slug)
        assert browser.get(f"/t/{slug}/login").status_code == 200
    assert list(dispatcher.apps._built) == ["two", "three"]
    assert browser.get("/t/one/login").status_code == 200


def test_a_new_revision_is_served_without_a_failed_request(
    make_tenant: Any, browser: Client, dispatcher: Dispatcher
) -> None:
    tenant = make_tenant(YAML, slug="corner")
    add_person(tenant, "anna@x.example", "admin")
    assert sign_in(Under(browser, "/t/corner"), "anna@x.example").status_code == 302  # type: ignore[arg-type]
    codes: list[int] = []
    done = threading.Event()

    def keep_asking() -> None:
        asking = Client(dispatcher)
        for cookie in browser._cookies.values():  # type: ignore[union-attr]
            asking.set_cookie(cookie.key, cookie.value, path=cookie.path)
        while not done.is_set():
            codes.append(asking.get("/t/corner/settings").status_code)

    asker = threading.Thread(target=keep_asking)
    asker.start()
    layers = dispatcher.catalogue.revision("corner", 1).layers
    changed = [
        type(x)(
            x.name,
            {
                p: str(c)
                .replace("label: Account\n", "label: Customer\n")
                .replace("plural: Accounts", "plural: Customers")
                for p, c in x.text().items()
            },
            x.folder,
        )
        for x in layers
    ]
    apply(dispatcher.catalogue, plan(dispatcher.catalogue.get("corner"), changed), "test", "rename")
    for _ in range(100):
        if "Customers" in browser.get("/t/corner/").text:
            break
        done.wait(0.05)
    done.set()
    asker.join()
    assert "Customers" in browser.get("/t/corner/").text
    assert set(codes) == {200}


def test_an_app_that_meets_newer_tables_is_replaced_and_asked_again(
    make_tenant: Any, browser: Client, dispatcher: Dispatcher
) -> None:
    tenant = make_tenant(YAML, slug="corner")
    add_person(tenant, "anna@x.example", "admin")
    sign_in(Under(browser, "/t/corner"), "anna@x.example")  # type: ignore[arg-type]
    with dispatcher.database.engine.begin() as connection:  # as if a column had gone a moment ago
        connection.execute(sa.text(f'ALTER TABLE "{tenant.schema}"."user" RENAME COLUMN time_zone TO zone'))
    assert browser.get("/t/corner/settings").status_code == 500
    built = dispatcher.apps.get("corner")
    assert built is not None
    with dispatcher.database.engine.begin() as connection:
        connection.execute(sa.text(f'ALTER TABLE "{tenant.schema}"."user" RENAME COLUMN zone TO time_zone'))
    assert browser.get("/t/corner/settings").status_code == 200


def test_an_app_that_cannot_be_built_leaves_the_last_good_one(
    make_tenant: Any, browser: Client, dispatcher: Dispatcher, monkeypatch: Any
) -> None:
    make_tenant(YAML, slug="corner")
    browser.get("/t/corner/login")

    def fail(*_: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(apps_module, "create_tenant_app", fail)
    dispatcher.apps.refresh("corner")
    assert browser.get("/t/corner/login").status_code == 200


def test_a_large_body_reaches_the_app(make_tenant: Any, browser: Client) -> None:
    make_tenant(YAML, slug="corner")
    answer = browser.post("/t/corner/login", data=b"0" * 2_000_000, content_type="application/octet-stream")
    assert answer.status_code == 400


class Under:
    """A browser that stays below one address."""

    def __init__(self, browser: Client, root: str) -> None:
        self.browser, self.root = browser, root

    def get(self, path: str, **more: Any) -> Any:
        """GET below the root."""
        return self.browser.get(self.root + path, **more)

    def post(self, path: str, **more: Any) -> Any:
        """POST below the root."""
        return self.browser.post(self.root + path, **more)
