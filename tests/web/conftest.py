"""One live tenant and one browser for all the tests of the pages."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from tests.web.frame_tenants import PASSWORD, app_of, signed_in_client
from tests.web.live import ADMIN, SELLER, shop_tenant
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.shared_data import SharedDataMiddleware
from werkzeug.serving import make_server

from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant
from trellis.web.assets import DIST

# as the server does it: a traceback never looks into local variables (where the signed-in person is read anew)
structlog.configure([structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)])


@pytest.fixture(scope="session")
def shop(catalogue: Catalogue) -> Iterator[Tenant]:
    """A tenant with an administrator, a seller and 120 deals."""
    with shop_tenant(catalogue, "shop") as made:
        yield made


@pytest.fixture(scope="session")
def shop_app(shop: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The shop's app."""
    return app_of(shop, tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="session")
def anna(shop_app: Flask) -> FlaskClient:
    """The administrator's client."""
    return signed_in_client(shop_app, ADMIN)


@pytest.fixture(scope="session")
def sam(shop_app: Flask) -> FlaskClient:
    """The seller's client."""
    return signed_in_client(shop_app, SELLER)


@pytest.fixture(scope="session")
def live(shop_app: Flask) -> Iterator[str]:
    """The address of the shop on a server of its own thread."""

    def nothing(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("404 NOT FOUND", [])
        return [b""]

    mounted = DispatcherMiddleware(nothing, {"/t/shop": shop_app})
    server = make_server("127.0.0.1", 0, SharedDataMiddleware(mounted, {"/static/dist": str(DIST)}), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/t/shop/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the run: the machine's own where there is one."""
    own = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=own, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def signed_in_state(browser: Browser, live: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cookies of the administrator after signing in through the form."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(live + "login")
    page.fill('input[name="email"]', ADMIN)
    page.fill('input[name="password"]', PASSWORD)
    page.press('input[name="password"]', "Enter")
    page.wait_for_url(live)
    path = tmp_path_factory.mktemp("browser") / "state.json"
    context.storage_state(path=path)
    context.close()
    return path


@pytest.fixture
def page(browser: Browser, live: str, signed_in_state: Path) -> Iterator[Page]:
    """A page of the administrator's; its console must have stayed silent."""
    context = browser.new_context(base_url=live, storage_state=signed_in_state, viewport={"width": 1440, "height": 900})
    opened = context.new_page()
    said: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            said.append(message.text)

    opened.on("console", listen)
    opened.on("pageerror", lambda error: said.append(str(error)))
    yield opened
    context.close()
    assert said == []
