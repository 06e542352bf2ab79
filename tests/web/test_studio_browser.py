"""The studio's editor in a browser: what is typed arrives whole, is kept, and is judged where it stands."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.web.frame_tenants import PASSWORD
from tests.web.live import ADMIN
from tests.web.test_accessible import AXE, wrong_with
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.shared_data import SharedDataMiddleware
from werkzeug.serving import make_server

from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant
from trellis.studio.app import add_studio
from trellis.web.app import create_tenant_app
from trellis.web.assets import DIST
from trellis.web.settings import Settings


@pytest.fixture
def studio(browser: Browser, shop: Tenant, catalogue: Catalogue, tmp_path: Path) -> Iterator[Page]:
    """The shop with the studio beside its pages, and an administrator in it; the console stays silent."""
    app = create_tenant_app(shop, Settings(var=tmp_path), catalogue, [add_studio])

    def nothing(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("404 NOT FOUND", [])
        return [b""]

    mounted = SharedDataMiddleware(DispatcherMiddleware(nothing, {"/t/shop": app}), {"/static/dist": str(DIST)})
    server = make_server("127.0.0.1", 0, mounted, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}/t/shop/"
    context = browser.new_context(base_url=address)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda m: said.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto("login")
    page.fill('input[name="email"]', ADMIN)
    page.fill('input[name="password"]', PASSWORD)
    page.press('input[name="password"]', "Enter")
    page.wait_for_url(address)
    yield page
    context.close()
    server.shutdown()
    thread.join()
    server.server_close()
    assert said == []


def test_what_is_typed_is_kept_and_judged_in_place(studio: Page) -> None:
    page = studio
    page.goto("admin/configuration/edit?file=tenant.yaml")
    kept = page.locator("[data-saved]")
    page.locator(".cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.type("\ndescrption: Shop # every key counts")  # c and e are keys of the page's own elsewhere
    expect(page.locator(".t-studio-problem")).to_contain_text("did you mean 'description'?", timeout=15_000)
    expect(page.locator(".cm-lintRange-error")).to_have_text("descrption")
    expect(page.locator("[data-file='tenant.yaml'] .t-studio-n")).to_have_text("1")
    page.locator(".t-studio-problem").click()
    page.keyboard.press("Control+Delete")
    page.keyboard.type("descri")
    expect(page.locator(".cm-tooltip-autocomplete")).to_contain_text("description")
    page.wait_for_timeout(150)  # the editor takes no Enter for a list that has only just come up
    page.keyboard.press("Enter")
    page.keyboard.press("Delete")
    page.keyboard.press("Delete")
    expect(page.locator(".cm-content")).to_contain_text("description: Shop # every key counts")
    expect(page.locator("[data-sum]")).to_have_text("No problems", timeout=15_000)
    expect(kept).to_have_text("Kept as a draft")
    page.reload()
    expect(page.locator(".cm-content")).to_contain_text("description: Shop # every key counts")
    page.evaluate(AXE.read_text())
    assert wrong_with(page) == []
    page.get_by_role("button", name="Take back").click()
    page.locator("#t-confirm [value=yes]").click()
    expect(page.locator(".cm-content")).not_to_contain_text("every key counts")
