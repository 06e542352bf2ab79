"""The report builder and the gallery in a browser: build, look, save, open again, adopt; pin and put on a dashboard."""

from __future__ import annotations

import yaml
from playwright.sync_api import Page, expect
from tests.conftest import layers_of
from tests.web.live import SHOP

from trellis.model.compile import compile_layers


def test_a_report_is_built_saved_opened_again_pinned_and_adopted(page: Page) -> None:
    page.goto("reports/new?entity=deal")
    shown = page.locator("#builder-preview")
    expect(shown.locator("tbody")).to_contain_text("Offer")
    page.locator(".t-build-kind", has_text="Funnel").click()
    expect(shown).to_contain_text("Came this far")
    page.get_by_label("Where they stand now").check()
    expect(shown.locator("tbody")).to_contain_text("40")
    page.locator(".t-build-kind", has_text="Ageing").click()
    page.get_by_label("Ranges of days").fill("30, 0")
    page.get_by_label("Ranges of days").press("Tab")
    expect(page.locator("[data-fault=buckets]")).to_contain_text("upwards")
    page.get_by_label("Ranges of days").fill("0, 30")
    page.get_by_label("Name of the report").fill("How old")
    expect(page.locator("[data-fault=buckets]")).to_be_hidden()
    text = shown.locator("#build-yaml").text_content() or ""
    page.get_by_role("button", name="Save report").click()
    expect(page.locator("h1")).to_contain_text("How old")
    page.get_by_role("link", name="Edit", exact=True).click()
    expect(page.get_by_label("Ranges of days")).to_have_value("0, 30")
    expect(page.locator("input[name=kind]:checked")).to_have_value("ageing")
    adopted = yaml.safe_load(text) | {"report": "how-old", "label": "How old"}
    compiled = compile_layers(layers_of(f"{SHOP}\n---\n{yaml.safe_dump(adopted, sort_keys=False)}", "how-old"))
    assert [p.message for p in compiled.problems if p.is_error] == []
    expect(shown.locator("table")).to_be_visible()
    page.go_back()
    page.get_by_role("button", name="Pin to a dashboard").click()
    page.locator("#pin-to").select_option("new")
    page.get_by_label("Name of the dashboard").fill("Of my own")
    page.get_by_role("button", name="Pin", exact=True).click()
    expect(page.locator("h1")).to_contain_text("Of my own")
    expect(page.locator("[data-widget=chart] [data-chart] canvas, [data-widget=chart] svg").first).to_be_visible()
    page.get_by_role("button", name="Add a widget").click()
    page.locator(".t-gallery-kind", has_text="Text").click()
    page.locator("#g-text").fill("**Before noon**")
    expect(page.locator("#gallery-preview strong")).to_have_text("Before noon")
    page.get_by_role("button", name="Add to the dashboard").click()
    expect(page.locator("[data-widget=text]")).to_contain_text("Before noon")
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
