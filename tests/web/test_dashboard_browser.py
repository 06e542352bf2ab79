"""A dashboard in a browser: widgets are dragged, moved by keys, put away, and stay where they were left."""

from __future__ import annotations

from playwright.sync_api import Page, Route, expect


def places(page: Page) -> dict[str, str]:
    """Where the widgets stand: x, y, width, height."""
    return {
        str(w.get_attribute("data-widget")): " ".join(str(w.get_attribute(f"gs-{part}")) for part in "xywh")
        for w in page.locator("[data-widget]").all()
    }


def test_a_person_arranges_a_dashboard_by_hand_and_by_keys_and_finds_it_so(page: Page) -> None:
    page.goto("dashboards/desk")
    expect(page.locator("[data-widget=word]")).to_contain_text("Hello to all")
    page.locator("[data-dash-edit]").click()
    grip = page.locator("[data-widget=word] .t-dw-tools")
    to = page.locator("[data-widget=news]").bounding_box()
    assert to
    grip.hover()
    page.mouse.down()
    page.mouse.move(to["x"] + 60, to["y"] + 30, steps=8)
    page.mouse.move(to["x"] + 150, to["y"] + 20, steps=6)
    page.mouse.up()
    page.locator("[data-widget=open] [data-dash-grip]").focus()
    page.keyboard.press("Shift+ArrowDown")
    expect(page.locator("[data-dash-said]")).to_contain_text("Open deals")
    expect(page.locator("[data-dash-said]")).to_contain_text("6 high")
    page.locator("[data-widget=news] [data-dash-menu]").press("Enter")
    away = page.locator("[data-widget=news] [data-dash-act=away]")
    expect(away).to_be_visible()
    away.press("Enter")
    expect(page.locator("[data-dash-add=news]")).to_be_visible()
    page.locator("[data-dash-save=me]").click()
    expect(page.locator(".t-toast")).to_contain_text("Your arrangement is kept")
    kept = places(page)
    assert "news" not in kept
    assert kept["open"] == "0 0 6 6"
    assert kept["word"] != "6 0 3 3"
    page.locator("[data-dash-edit]").click()
    page.locator("[popovertarget=dash-reset]").click()
    page.get_by_role("menuitem", name="Undo my arrangement").click()
    expect(page.locator("[data-widget=news]")).to_contain_text("Deal")
    assert places(page)["word"] == "6 0 3 3"


def test_a_widget_that_cannot_be_had_says_so_alone_and_is_asked_for_again(page: Page) -> None:
    broken = [True]

    def answer(route: Route) -> None:
        if broken:
            broken.clear()
            route.fulfill(status=200, content_type="text/html", headers={"X-Refused": "500"}, body="")
        else:
            route.continue_()

    page.route("**/dashboards/desk/word", answer)
    page.goto("dashboards/desk")
    expect(page.locator("[data-widget=open]")).to_contain_text("Deal")
    expect(page.locator("[data-widget=word]")).to_contain_text("could not be loaded")
    page.locator("[data-widget=word] [data-dash-again]").click()
    expect(page.locator("[data-widget=word]")).to_contain_text("Hello to all")
