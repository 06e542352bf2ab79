"""axe-core finds nothing wrong with the pages: wide in light and narrow in dark, in English and in Chinese."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

import trellis.web

AXE = Path(trellis.web.__file__).parent / "assets" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOKS = [
    pytest.param({"width": 1440, "height": 900}, "light", "en-US", id="wide-light-en"),
    pytest.param({"width": 390, "height": 844}, "dark", "zh-CN", id="narrow-dark-zh"),
]
# nothing is on its way any more: no exchange of htmx, no part in sight that shows where something will be
SETTLED = (
    "() => document.readyState === 'complete' && "
    "![...document.querySelectorAll('.htmx-request, [aria-busy=true], .t-skel')].some(e => e.checkVisibility())"
)
# ten records each: a row is like the next, and axe looks at every single one
PATHS = (
    *(
        "",
        "e/deal/?view=board&q=Deal+01",
        "admin/users",
        "admin/audit?kind=sign-in",
        "admin/jobs",
        "profile",
        "profile/factor",
        "e/deal/new",
        "changes",
        "settings",
        "settings/keys",
        "dashboards/desk",
        "reports/deals-by-stage",
        "reports/new?entity=deal",
    ),
    "e/deal/?view=open&q=Deal+01",
)


def wrong_with(page: Page) -> list[str]:
    """What axe-core says against the page as it stands."""
    page.wait_for_function(SETTLED)
    found: Any = page.evaluate(
        "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}, resultTypes: ['violations']})", RULES
    )
    return [f"{page.url} {v['id']}: {v['nodes'][0]['html'][:160]}" for v in found["violations"]]


@pytest.mark.parametrize(("size", "theme", "language"), LOOKS)
def test_nothing_stands_in_anybodys_way(
    browser: Browser, live: str, signed_in_state: Path, size: Any, theme: Any, language: str
) -> None:
    look: dict[str, Any] = {"viewport": size, "color_scheme": theme, "locale": language, "reduced_motion": "reduce"}
    outside = browser.new_context(base_url=live, bypass_csp=True, **look)
    outside.add_init_script(path=AXE)
    page = outside.new_page()
    wrong: list[str] = []
    for path in ("login", "forgot", "reset/none"):
        page.goto(path)
        wrong += wrong_with(page)
    outside.close()

    inside = browser.new_context(base_url=live, bypass_csp=True, storage_state=signed_in_state, **look)
    inside.set_default_timeout(10_000)
    inside.add_init_script(path=AXE)
    page = inside.new_page()
    for path in PATHS:
        page.goto(path)
        wrong += wrong_with(page)
    for path, opener in (("dashboards/desk", "[data-dash-gallery]"), ("reports/deals-by-stage", "[hx-get*='/pin']")):
        page.goto(path)
        page.locator(opener).click()
        page.locator("dialog[open]").wait_for()
        wrong += wrong_with(page)
    page.goto(PATHS[-1])
    page.keyboard.press("Control+k")
    page.locator("dialog[open]").wait_for()
    wrong += wrong_with(page)
    page.keyboard.press("Escape")
    page.locator("#list [data-id] a[href*='/e/deal/']").first.click()
    page.wait_for_url("**/e/deal/*-*")
    wrong += wrong_with(page)
    record = page.url
    page.goto(f"{record}/past")
    wrong += wrong_with(page)
    page.goto(f"{record}/merge")
    wrong += wrong_with(page)
    page.goto(record)
    page.wait_for_function(SETTLED)
    page.locator(".t-step[data-stage=lost]").click()  # asks why
    page.locator("dialog[open]").wait_for()
    wrong += wrong_with(page)
    page.goto("e/account/?q=Acme")
    page.locator("#list [data-id] a[href*='/e/account/']").first.click()
    page.wait_for_url("**/e/account/*-*")
    page.wait_for_function(SETTLED)
    page.locator("[popovertarget=rec-more]").click()
    page.locator("#rec-more [data-delete]").click()  # its deals hang on it
    page.locator("dialog[open]").wait_for()
    wrong += wrong_with(page)
    page.goto(record)
    page.goto(page.url + "/edit")
    page.locator("#f-name").fill("")
    page.locator("button[form=record-form]").click()
    page.locator(".t-summary").wait_for()
    wrong += wrong_with(page)
    inside.close()
    assert not wrong, "\n".join(wrong)
