"""Forms and the record page in a browser: what scripts do."""

from __future__ import annotations

import itertools
import time
from datetime import date, timedelta
from pathlib import Path

import sqlalchemy as sa
from playwright.sync_api import Browser, Page, Route, expect
from tests.web.frame_tenants import PASSWORD
from tests.web.live import ADMIN

from trellis.storage.tenant import Tenant


def sign_in(page: Page) -> None:
    page.fill('input[name="email"]', ADMIN)
    page.fill('input[name="password"]', PASSWORD)
    page.press('input[name="password"]', "Enter")
    page.wait_for_load_state()


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


def test_nothing_typed_is_lost_when_the_session_ends(browser: Browser, live: str, shop: Tenant) -> None:
    context = browser.new_context(base_url=live)
    page = context.new_page()
    page.goto("login?next=/t/shop/e/deal/new")
    sign_in(page)
    page.goto("e/deal/new")
    page.locator("#f-name").fill("Typed before lunch")
    with shop.begin() as connection:
        table = shop.tables.platform.session
        newest = sa.select(table.c.id).order_by(table.c.created_at.desc()).limit(1).scalar_subquery()
        connection.execute(sa.delete(table).where(table.c.id == newest))
    page.locator("button[form=record-form]").click()
    asked = page.get_by_role("dialog", name="You are signed out")
    expect(asked).to_be_visible()
    with context.expect_page() as opened:
        asked.get_by_role("link", name="Sign in").click()
    other = opened.value
    sign_in(other)
    other.close()
    asked.get_by_role("button", name="Stay here").click()
    expect(page.locator("#f-name")).to_have_value("Typed before lunch")
    page.locator("button[form=record-form]").click()
    page.wait_for_url("**/e/deal/*-*")
    expect(page.locator("h1")).to_have_text("Typed before lunch")
    context.close()


def test_rich_text_is_written_as_it_looks(page: Page) -> None:
    page.goto("e/deal/new")
    page.locator("#f-name").fill("Rich deal")
    box = page.get_by_role("textbox", name="Pitch")
    box.click()
    page.get_by_role("button", name="Bold").click()
    page.keyboard.type("Very good")
    page.locator("button[form=record-form]").click()
    page.wait_for_url("**/e/deal/*-*")
    expect(page.locator("#rec-left-in b, #rec-left-in strong")).to_have_text("Very good")


def test_what_is_locked_while_one_types_is_saved_and_stays(page: Page, tmp_path: Path) -> None:
    paper = tmp_path / "paper.txt"
    paper.write_text("signed")
    page.goto("e/sheet/new")
    page.locator("#f-name").fill("Locked")
    page.locator("#f-text").fill("words")
    rich = page.get_by_role("textbox", name="Rich")
    rich.click()
    page.keyboard.type("kept")
    page.locator("#f-one").select_option("y")
    page.locator("#f-flag").check()
    page.locator("label[for=f-stars-3]").click()
    page.locator("[name='items']").first.fill("first")
    page.locator("#f-papers").set_input_files(paper)
    expect(page.locator("[data-file-list]")).to_contain_text("paper.txt")
    page.locator("#f-locked").check()
    expect(page.locator("#f-one")).to_be_disabled()
    expect(rich).to_have_attribute("contenteditable", "false")
    expect(rich).to_have_attribute("aria-readonly", "true")
    expect(page.locator("[data-field=rich] .t-rich-bar")).to_be_hidden()
    expect(page.locator("[data-field=items] [data-row-add]")).to_be_hidden()
    page.locator("#f-locked").uncheck()
    expect(page.locator("#f-one")).to_be_enabled()
    expect(rich).to_have_attribute("contenteditable", "true")
    page.locator("#f-locked").check()
    expect(page.locator("#f-one")).to_be_disabled()
    for name in ("Locked", "Locked twice"):  # once as a new record, once where a save would refuse any change of it
        page.locator("#f-name").fill(name)
        page.locator("button[form=record-form]").click()
        page.wait_for_url(lambda url: not url.endswith(("/new", "/edit")))
        details = page.locator("#rec-left-in")
        for text in ("words", "kept", "Y", "first", "paper.txt"):
            expect(details).to_contain_text(text)
        expect(page.locator("h1")).to_have_text(name)
        with page.expect_response(lambda answer: answer.url.endswith("/form-state")):
            page.goto(page.url + "/edit")
        expect(page.locator("[data-field=unseen] input[name=unseen]")).to_be_disabled()
        assert not page.evaluate("document.querySelector('form[data-draft]').formOf.dirty")  # nothing was typed
        expect(page.locator("[data-field=flag] input[type=checkbox]")).to_be_checked()
        expect(page.locator("[data-field=stars] input:checked")).to_have_value("3")


def test_a_file_that_is_too_large_is_told_the_limit(page: Page, tmp_path: Path) -> None:
    paper = tmp_path / "long.txt"
    paper.write_text("x" * 2000)
    page.goto("e/sheet/new")
    page.locator("#f-papers").set_input_files(paper)
    expect(page.locator("[data-file-wrong]")).to_have_text("“long.txt” is larger than 1.0 KB.")


def slowly(route: Route) -> None:
    """An answer that comes after the person has typed on."""
    time.sleep(0.4)
    route.continue_()


def test_enter_takes_what_was_typed_not_what_was_listed_before(page: Page) -> None:
    page.goto("e/deal/new")
    page.locator("#f-account").click()
    expect(page.get_by_role("option").first).to_be_visible()  # everything there is
    page.route("**/pick**", slowly)
    page.keyboard.type("Ångs")
    page.keyboard.press("Enter")
    expect(page.locator("[data-field='account']")).to_contain_text("Ångström")


def test_what_was_typed_becomes_the_name_of_what_is_created(page: Page) -> None:
    page.goto("e/deal/new")
    page.locator("#f-account").click()
    expect(page.get_by_role("option").first).to_be_visible()
    page.route("**/pick**", slowly)
    page.keyboard.type("Brand New")
    page.keyboard.press("Control+Enter")
    expect(page.locator("dialog[open] [name=name]")).to_have_value("Brand New")
    page.keyboard.press("Escape")


def test_dates_that_changed_stand_beside_each_other_on_the_timeline(page: Page) -> None:
    page.goto("e/deal/?view=open")
    page.locator("tbody .is-title a").first.click()
    for day in ("2027-03-04", "2027-04-05"):
        page.locator("[data-edit$='/field/close_date']").first.click()
        box = page.locator(".t-edit-in input:not([type=hidden])").first
        box.fill(day)
        box.press("Enter")
        expect(page.locator(".t-edit-in")).to_have_count(0)
    page.reload()
    line = page.locator(".t-event-line", has_text="Close date").first
    expect(line).to_contain_text("Apr 5")
    boxes = [shown.bounding_box() for shown in line.locator("time").all()]
    places = sorted((box["x"], box["x"] + box["width"]) for box in boxes if box)
    assert len(places) == 3
    assert all(left[1] <= right[0] for left, right in itertools.pairwise(places))


def test_an_empty_field_is_told_in_the_pages_language(browser: Browser, live: str) -> None:
    page = browser.new_page(locale="en-US")
    page.goto(live + "login")
    page.get_by_role("button", name="简体中文").click()
    page.press("#email", "Enter")
    told = "document.activeElement.validationMessage"
    assert page.evaluate(told) == "此项为必填项。"
    page.keyboard.type("ada@")
    assert page.evaluate(told) != "此项为必填项。"
    page.keyboard.press("Enter")
    assert page.evaluate(told) == "请填写邮箱地址。"
    page.context.close()
