"""The list in a browser: by keyboard, by mouse, and what is told when something is refused."""

from __future__ import annotations

from playwright.sync_api import Page, expect
from tests.web.live import system_store

from trellis.storage.tenant import Tenant


def test_rows_are_walked_peeked_and_selected_by_keyboard(page: Page) -> None:
    page.goto("e/deal/")
    page.keyboard.press("j")
    page.keyboard.press("j")
    second = page.locator("#rows tr").nth(1)
    expect(second).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator("#peek h2")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#peek")).to_be_hidden()
    page.keyboard.press("x")
    expect(page.locator("[data-bulk]")).to_contain_text("1 selected")
    page.keyboard.press("Escape")
    expect(page.locator("[data-bulk]")).to_be_hidden()


def test_scrolling_loads_more_rows(page: Page) -> None:
    page.goto("e/deal/")
    expect(page.locator("#rows tr[data-id]")).to_have_count(50)
    page.locator("#rows tr[data-id]").last.scroll_into_view_if_needed()
    expect(page.locator("#rows tr[data-id]")).to_have_count(100)


def test_searching_and_filtering_changes_the_address_and_the_way_back_works(page: Page, shop: Tenant) -> None:
    store = system_store(shop)
    is_open = 'stage_type == "open"'
    offers, deals = (store.count("deal", where=w).n for w in ([is_open, 'stage == "offer"'], [is_open]))
    page.goto("e/deal/")
    page.keyboard.press("/")
    page.keyboard.type("Deal 007")
    expect(page.locator("#rows tr[data-id]")).to_have_count(1)
    assert "q=Deal+007" in page.url
    page.go_back()
    expect(page.locator("#rows tr[data-id]")).to_have_count(50)
    page.click("[data-filter-open]")
    page.select_option("#fp-0", "stage")
    page.get_by_role("group", name="Values").get_by_text("Offer").click()
    page.click('.t-filter button[value="apply"]')
    expect(page.locator(".t-chip")).to_contain_text("Stage")
    expect(page.locator("#list")).to_have_attribute("data-count", str(offers))
    page.click('.t-chip [aria-label^="Remove filter"]')
    expect(page.locator("#list")).to_have_attribute("data-count", str(deals))


def test_a_cell_is_edited_and_a_refusal_stands_at_the_cell(page: Page) -> None:
    page.goto("e/deal/?view=open&q=Deal+009")
    cell = page.locator('#rows td[data-f="amount"]')
    cell.dblclick()
    box = cell.locator('input[name="amount.amount"]')
    box.fill("9999999")
    box.press("Enter")
    expect(cell.locator('[role="alert"]')).to_contain_text("Nobody sells that much")
    box.fill("91")
    box.press("Enter")
    expect(cell).to_have_text("€91.00")
    cell.dblclick()
    box.fill("90")
    box.press("Enter")
    expect(cell).to_have_text("€90.00")


def test_the_palette_opens_by_key_and_goes_somewhere(page: Page) -> None:
    page.goto("e/deal/")
    page.keyboard.press("Control+k")
    page.keyboard.type("Payslips")
    page.locator('.t-palette [data-href$="/e/payslip/"]').click()
    page.wait_for_url("**/e/payslip/")


def test_on_a_phone_rows_are_cards_and_nothing_is_wider_than_the_window(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for path in ("e/deal/", "e/deal/?view=board", "e/deal/?view=plan", "e/deal/bin", "e/place/?view=all"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
    page.goto("e/deal/")
    row = page.locator("#rows tr[data-id]").first
    assert row.bounding_box()["height"] > 60  # type: ignore[index]


def test_a_column_is_made_wider_and_stays_so(page: Page) -> None:
    page.goto("e/deal/?view=open")
    head = page.locator("th[role=columnheader]", has=page.locator('[data-grip="account"]'))
    before = head.bounding_box()
    grip = head.locator("[data-grip]").bounding_box()
    assert before
    assert grip
    page.mouse.move(grip["x"] + 5, grip["y"] + 10)
    page.mouse.down()
    page.mouse.move(grip["x"] + 85, grip["y"] + 10, steps=4)
    page.mouse.up()
    wide = round(before["width"]) + 80
    expect(page.locator("#list")).to_have_attribute("data-query", f"view=open&w=account%3A{wide}")
    head.locator(".t-th").press("Shift+ArrowLeft")
    expect(page.locator("#list")).not_to_have_attribute("data-query", f"view=open&w=account%3A{wide}")
    kept = page.evaluate("new URLSearchParams(document.getElementById('list').dataset.query).get('w')")
    head.locator(".t-th").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    assert f"w={kept.replace(':', '%3A')}" in page.url
    expect(page.locator("col").nth(2)).to_have_attribute("width", kept.partition(":")[2])


def test_columns_are_dragged_into_order(page: Page) -> None:
    page.goto("e/deal/?view=open")
    page.get_by_role("button", name="Columns", exact=True).click()
    shown = page.locator("[data-columns-shown] li")
    expect(shown).to_have_count(6)
    # only when it has settled is the menu in its place, and its lines can be dragged
    page.wait_for_function("Object.keys(document.querySelector('[data-columns-shown]')).some(k => /^Sortable/.test(k))")
    to = shown.nth(1).bounding_box()
    handle = shown.nth(3).locator(".t-drag").bounding_box()
    assert to
    assert handle
    page.mouse.move(handle["x"] + 6, handle["y"] + 8)
    page.mouse.down()
    page.mouse.move(handle["x"] + 6, to["y"] + 4, steps=8)
    page.mouse.up()
    expect(shown.nth(1)).to_have_attribute("data-path", "amount")
    page.click("#columns-menu button[type=submit]")
    expect(page.locator("th[role=columnheader]").nth(2)).to_contain_text("Amount")
