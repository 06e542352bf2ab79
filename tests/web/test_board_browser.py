"""The board in a browser: drag, the menu for the keyboard, and a gate."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from tests.web.live import system_store

from trellis.storage.tenant import Tenant


@pytest.fixture
def card(shop: Tenant) -> Iterator[str]:
    store = system_store(shop)
    made = store.create("deal", {"name": "A card", "stage": "new"})
    yield f'.t-card[data-id="{made.id}"]'
    store.delete("deal", made.id)
    store.purge("deal", made.id)


def drag(page: Page, card: str, to: str, *, wheel: int = 0) -> None:
    """Drag a card by its title as a hand does it; `wheel` scrolls the board after the press, before the hand moves."""
    page.locator(f"{card} .t-card-title").hover()
    page.mouse.down()
    if wheel:
        page.locator("[data-board]").evaluate("(board, by) => board.scrollBy(by, 0)", wheel)
    box = page.locator(to).bounding_box()
    assert box
    page.mouse.move(box["x"] + 20, box["y"] + 80, steps=6)
    page.mouse.up()


def test_a_card_is_dragged_into_a_gate_and_goes_on_when_it_has_what_is_needed(page: Page, card: str) -> None:
    page.goto("e/deal/?view=board")
    drag(page, card, '[data-lane="offer"] [data-cards]')
    dialog = page.locator("dialog[open]")
    expect(dialog).to_contain_text("Amount")
    expect(page.locator(card)).to_have_class("t-card is-held")
    dialog.get_by_role("button", name="Cancel").click()
    expect(page.locator(f'[data-lane="new"] {card}')).to_be_visible()
    drag(page, card, '[data-lane="offer"] [data-cards]')
    dialog.locator("#f-amount").fill("12")
    dialog.locator('button[type="submit"]').click()
    expect(page.locator(f'[data-lane="offer"] {card}')).to_contain_text("€12.00")
    expect(page.locator(".t-toast")).to_contain_text("Undo")


def test_a_card_is_moved_by_keyboard_and_put_back_with_the_reason(page: Page, card: str) -> None:
    page.goto("e/deal/?view=board")
    page.locator(f'{card} [data-do="card-move"]').focus()
    page.keyboard.press("Enter")
    page.locator('#move-menu [data-to="closed"]').press("Enter")
    expect(page.locator(f'[data-lane="new"] {card}')).to_have_class("t-card is-refused")
    expect(page.locator(f'{card} [role="alert"]')).to_contain_text("Put back")


def test_a_collapsed_column_takes_a_card_and_shows_it_once(page: Page, card: str) -> None:
    page.goto("e/deal/?view=board")
    lost = page.locator('[data-lane="lost"]')
    before = int(lost.locator(".t-shut [data-lane-count]").inner_text())  # other tests lose deals, too
    drag(page, card, '[data-lane="lost"] .t-shut')
    dialog = page.locator("dialog[open]")
    dialog.locator("#f-lost_reason").select_option("time")
    dialog.locator('button[type="submit"]').click()
    expect(page.locator(".t-toast")).to_contain_text("A card moved to Lost")
    expect(lost.locator(".t-shut [data-lane-count]")).to_have_text(str(before + 1))
    lost.locator(".t-shut").click()
    expect(page.locator(card)).to_have_count(1)
    expect(lost.locator(card)).to_be_visible()
    page.locator(".t-toast").get_by_role("button", name="Undo").click()
    expect(page.locator(f"{card} [role='alert']")).to_contain_text("“Lost” cannot be followed by “New”.")


def test_a_card_that_is_held_while_the_board_scrolls_goes_where_it_is_let_go(page: Page, card: str) -> None:
    page.set_viewport_size({"width": 700, "height": 700})
    page.goto("e/deal/?view=board")
    drag(page, card, '[data-lane="lost"] .t-shut', wheel=2000)
    expect(page.locator("dialog[open] #f-lost_reason")).to_be_visible()
