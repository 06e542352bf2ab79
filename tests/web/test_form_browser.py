"""Forms and the record page in a browser: what scripts do."""

from __future__ import annotations

from datetime import date, timedelta

from playwright.sync_api import Page, expect


def test_keyboard_alone_creates_finds_and_edits(page: Page) -> None:
    page.goto("e/deal/new")
    page.locator("#f-name").fill("Keyboard deal")
    page.locator("#f-account").focus()
    page.keyboard.type("Ångs", delay=30)
    expect(page.get_by_role("option", name="Ångström")).to_be_visible()
    page.keyboard.press("Enter")
    page.locator("#f-close_date").fill("+3d")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/e/deal/*-*")
    expect(page.locator("h1")).to_have_text("Keyboard deal")
    page.locator("[data-edit$='/field/amount']").first.focus()
    page.keyboard.press("Enter")
    page.locator(".t-edit-in input[name='amount.amount']").fill("2,500")
    page.keyboard.press("Enter")
    expect(page.locator("#rec-left-in")).to_contain_text("€2,500.00")


def test_refusal_stays_at_the_field_and_escape_takes_it_back(page: Page) -> None:
    page.goto("e/deal/?view=open")
    page.locator("tbody .is-title a").first.click()
    page.locator("[data-edit$='/field/amount']").first.click()
    box = page.locator(".t-edit-in input[name='amount.amount']")
    box.fill("2000000")
    box.press("Enter")
    expect(page.locator(".t-edit-in .t-wrong")).to_contain_text("Nobody sells that much.")
    box.press("Escape")
    expect(page.locator(".t-edit-in")).to_have_count(0)


def test_gate_opens_a_dialog_and_moves(page: Page) -> None:
    page.goto("e/deal/?view=open")
    page.locator("tbody tr", has=page.locator("text=New")).locator(".is-title a").first.click()
    page.locator("[data-stage=lost]").click()
    dialog = page.get_by_role("dialog", name="Move to Lost")
    dialog.locator("select[name=lost_reason]").select_option("price")
    dialog.get_by_role("button", name="Move to Lost").click()
    expect(page.locator("[data-stage=lost]")).to_have_class("t-step is-now is-lost")


def test_draft_survives_a_reload(page: Page) -> None:
    page.goto("e/deal/new")
    page.locator("#f-name").fill("Half done")
    page.locator("#f-close_date").fill((date.today() + timedelta(days=9)).isoformat())
    page.locator("#f-name").focus()
    expect(page.locator("[data-draft-note]")).not_to_be_empty()
    page.once("dialog", lambda asked: asked.accept())
    page.reload()
    expect(page.locator(".t-draft")).to_be_visible()
    expect(page.locator("#f-name")).to_have_value("Half done")
    page.locator(".t-draft button").click()
    page.wait_for_load_state()
    expect(page.locator("#f-name")).to_have_value("")
