"""What a browser prints: what is there, and nothing that one would click."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

SHEET = {"width": 718, "height": 1040}  # A4 within its margins


@pytest.fixture
def paper(page: Page) -> Page:
    """A page as it is printed by somebody whose screen is dark."""
    page.set_viewport_size(SHEET)
    page.emulate_media(media="print", color_scheme="dark")
    return page


def test_a_record_is_printed_without_prompts_and_buttons(paper: Page) -> None:
    paper.goto("e/deal/?view=open")
    paper.goto(str(paper.locator("#list [data-id] a[href*='/e/deal/']").first.get_attribute("href")))
    expect(paper.locator("h1")).to_be_visible()
    assert paper.locator(".t-val-btn.is-empty").count() > 0  # there are blanks on the screen
    for gone in (
        ".t-val-btn.is-empty",
        ".t-side",
        ".t-composer",
        ".t-fold > .icon",
        ".t-head-actions",
        ".t-stream-filter",
    ):
        assert not [one for one in paper.locator(gone).all() if one.is_visible()], gone
    assert paper.evaluate("() => getComputedStyle(document.documentElement).colorScheme") == "light"


def test_a_list_is_printed_as_a_table(paper: Page) -> None:
    paper.goto("e/deal/?view=open")
    expect(paper.locator(".t-grid thead th").nth(1)).to_be_visible()
    assert not [box for box in paper.locator(".t-grid .t-check").all() if box.is_visible()]
    heads = paper.locator(".t-grid thead th:not(.is-pick)").all()
    cells = paper.locator(".t-grid tbody tr").first.locator("td:not(.is-pick)").all()
    under = [(h.bounding_box(), c.bounding_box()) for h, c in zip(heads, cells, strict=True)]
    assert [(h["x"], c["x"]) for h, c in under if h and c and h["x"] != c["x"]] == []
    assert paper.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
