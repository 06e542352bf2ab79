"""What a browser gets for a refusal: an answer with its status in a header, so that its console stays silent."""

from __future__ import annotations

import re

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from playwright.sync_api import Page
from structlog.testing import capture_logs
from tests.web.frame_tenants import token_of

from trellis.web.refusals import FOR_SCRIPTS, HEADER, REFUSALS, set_up_refusals

BROWSERS = [
    {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"},
    {"HX-Request": "true", "Accept": "*/*"},
    {"X-Requested-With": "fetch", "Accept": "application/json"},
]


@pytest.fixture(scope="module")
def answering() -> FlaskClient:
    """An app whose pages answer with the status that their address names."""
    app = Flask("refusing")
    set_up_refusals(app)

    @app.get("/<path:rest>")
    def _answer(rest: str) -> Response:
        return Response("what was wrong", int(rest.rpartition("/")[2]))

    return app.test_client()


@pytest.mark.parametrize("headers", BROWSERS)
@pytest.mark.parametrize("status", sorted(REFUSALS))
def test_a_browser_gets_an_answer_that_names_the_refusal(
    answering: FlaskClient, headers: dict[str, str], status: int
) -> None:
    answer = answering.get(f"/{status}", headers=headers)
    assert (answer.status_code, answer.headers[HEADER], answer.text) == (200, str(status), "what was wrong")


@pytest.mark.parametrize("headers", BROWSERS[1:])
@pytest.mark.parametrize("status", sorted(FOR_SCRIPTS))
def test_a_script_gets_an_answer_for_what_is_not_for_it(
    answering: FlaskClient, headers: dict[str, str], status: int
) -> None:
    answer = answering.get(f"/{status}", headers=headers)
    assert (answer.status_code, answer.headers[HEADER]) == (200, str(status))
    assert answering.get(f"/api/v1/{status}", headers=headers).status_code == status


def test_programs_get_the_status_itself(answering: FlaskClient) -> None:
    for headers, path in (({}, "/422"), ({"Accept": "application/json"}, "/409"), (BROWSERS[0], "/api/v1/x/422")):
        answer = answering.get(path, headers=headers)
        assert answer.status_code == int(path.rpartition("/")[2].strip("/"))
        assert HEADER not in answer.headers


@pytest.mark.parametrize("status", [200, 302, 400, 403, 404, 500])
def test_what_is_no_refusal_stays(answering: FlaskClient, status: int) -> None:
    answer = answering.get(f"/{status}", headers=BROWSERS[0])
    assert answer.status_code == status
    assert HEADER not in answer.headers


def test_the_log_keeps_the_status(anna: FlaskClient) -> None:
    form = {"csrf_token": token_of(anna.get("/profile").text), "time_zone": "Mars/Olympus"}
    with capture_logs() as logged:
        answer = anna.post("/profile", data=form, headers=BROWSERS[0])
    assert (answer.status_code, answer.headers[HEADER]) == (200, "422")
    assert [entry["status"] for entry in logged if entry["event"] == "request"] == [422]


def test_a_form_and_a_cell_are_refused_in_silence(page: Page) -> None:
    page.goto("e/deal/new")  # the fixture holds that the console said nothing
    page.locator("#f-name").fill("")
    page.locator("button[form=record-form]").click()
    page.locator(".t-summary").wait_for()
    page.goto("profile")
    page.evaluate("document.querySelector('[name=current]').closest('form').noValidate = true")
    page.locator("[name=current]").fill("not it")
    page.locator("[name=current]").press("Enter")
    page.locator("[aria-invalid=true]").first.wait_for()


def test_what_htmx_may_not_have_is_told_in_silence(page: Page) -> None:
    elsewhere = re.compile("/e/deal/sort")
    page.route(elsewhere, lambda route: route.continue_(url=elsewhere.sub("/e/nothing/sort", route.request.url)))
    page.goto("e/deal/")
    menu = page.locator("#sort-menu")
    before = menu.inner_html()
    page.locator("[popovertarget=sort-menu]").first.click()
    page.locator(".t-toasts", has_text="does not exist any more").wait_for()
    assert menu.inner_html() == before
