"""The grid of lines in a browser: rows added, typed, pasted, moved and taken away, with totals as one types."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.web.live import system_store

from trellis.storage.tenant import Tenant

TOTAL = '[data-computed="total"]'


@pytest.fixture(scope="module")
def wares(shop: Tenant) -> Iterator[None]:
    store = system_store(shop)
    made = [store.create("ware", {"name": name, "price": price}) for name, price in (("Bolt", 2), ("Nut", 5))]
    yield
    bills = store.list("bill", columns=["name"]).rows
    for entity, id in [*(("bill", b.id) for b in bills), *(("ware", w.id) for w in made)]:
        store.delete(entity, id)
        store.purge(entity, id)


@pytest.fixture
def bill(page: Page, wares: None) -> Page:
    """A new bill with two rows: a bolt, three nuts."""
    page.goto("e/bill/new")
    page.locator("#f-name").fill("A bill")
    choose(page, 0, "Bolt")
    cell(page, 0, "quantity").press("Enter")  # the last row: another one is added
    choose(page, 1, "Nut")
    cell(page, 1, "quantity").fill("3")
    expect(page.locator(TOTAL)).to_have_text("€17.00")
    return page


def rows(page: Page) -> Locator:
    return page.locator("tr[data-line]")


def cell(page: Page, row: int, name: str) -> Locator:
    return rows(page).nth(row).locator(f'td[data-field$=".{name}"] input:not([type=hidden])').first


def choose(page: Page, row: int, name: str) -> None:
    cell(page, row, "ware").click()
    page.keyboard.type(name)
    page.get_by_role("option", name=name).click()
    expect(cell(page, row, "price")).not_to_have_value("")


def quantities(page: Page) -> list[str]:
    return [cell(page, at, "quantity").input_value() for at in range(rows(page).count())]


def paste(page: Page, into: Locator, text: str) -> None:
    into.evaluate(
        """(control, text) => {
            const data = new DataTransfer();
            data.setData("text/plain", text);
            const event = { clipboardData: data, bubbles: true, cancelable: true };
            control.dispatchEvent(new ClipboardEvent("paste", event));
        }""",
        text,
    )


def test_rows_are_typed_added_repeated_and_removed_with_the_total_following(bill: Page) -> None:
    cell(bill, 0, "price").fill("4")
    cell(bill, 0, "price").press("Tab")
    expect(bill.locator(TOTAL)).to_have_text("€19.00")
    cell(bill, 0, "quantity").fill("2")
    cell(bill, 0, "quantity").press("Tab")
    expect(bill.locator(TOTAL)).to_have_text("€23.00")  # the price set by hand stays
    rows(bill).nth(1).locator("[data-line-copy]").click()
    expect(bill.locator(TOTAL)).to_have_text("€38.00")
    rows(bill).nth(0).locator("[data-line-remove]").click()
    expect(bill.locator(TOTAL)).to_have_text("€30.00")
    bill.keyboard.press("Control+Enter")
    bill.wait_for_url("**/e/bill/*-*")
    expect(bill.locator("body")).to_contain_text("€30.00")


def test_rows_are_moved_by_keyboard_and_by_the_grip_and_saved_in_that_order(bill: Page, shop: Tenant) -> None:
    cell(bill, 1, "quantity").press("Alt+ArrowUp")
    assert quantities(bill) == ["3", "1"]
    expect(cell(bill, 0, "quantity")).to_be_focused()
    grip = rows(bill).nth(1).locator("[data-grip]")
    grip.hover()
    bill.mouse.down()
    box = rows(bill).nth(0).bounding_box()
    assert box
    bill.mouse.move(box["x"] + 12, box["y"] + 30, steps=4)
    bill.mouse.move(box["x"] + 12, box["y"] + 3, steps=8)
    bill.mouse.up()
    expect(cell(bill, 0, "quantity")).to_have_value("1")
    assert quantities(bill) == ["1", "3"]
    cell(bill, 0, "quantity").press("Alt+ArrowDown")
    bill.keyboard.press("Control+Enter")
    bill.wait_for_url("**/e/bill/*-*")
    store = system_store(shop)
    stored = store.lines("bill", bill.url.rsplit("/", 1)[-1], "rows")
    assert [row["quantity"] for row in stored] == [3, 1]


def test_pasted_rows_fill_the_grid_and_say_which_cell_is_wrong(bill: Page) -> None:
    paste(bill, cell(bill, 1, "ware"), "Ware\tQuantity\nNut\t10\nNo such ware\t1\nBolt\tmany\n")
    expect(rows(bill)).to_have_count(4)
    said = bill.locator("tr.is-why")
    expect(said).to_have_count(2)
    expect(said.nth(0)).to_contain_text("No ware is called “No such ware”.")
    expect(said.nth(1)).to_contain_text("“many” is not a number.")
    cell(bill, 3, "quantity").fill("5")
    expect(said).to_have_count(1)  # what was put right is not complained about
    rows(bill).nth(2).locator("[data-line-remove]").click()
    expect(said).to_have_count(0)
    expect(bill.locator(TOTAL)).to_have_text("€62.00")
