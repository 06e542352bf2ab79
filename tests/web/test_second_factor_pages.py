"""Signing in with a code: between the password and the first page there is no way round."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pyotp
import pytest
from flask.testing import FlaskClient
from tests.web.frame_tenants import PASSWORD, YAML, add_person, app_of, outcome, sign_in, token_of

from trellis.identity import second_factor
from trellis.identity.sign_in_log import sign_in_history
from trellis.storage.secrets import use_installation_key

TREASURER = """
---
role: treasurer
label: Treasurer
second_factor: required
grants: {account: {read: all}}
"""
WRONG = "That is not the current code."


@pytest.fixture
def tenant(make_tenant: Any, tmp_path: Path) -> Any:
    use_installation_key(tmp_path)
    return make_tenant(YAML + TREASURER)


def code_of(secret: str, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(int(time.time()) + steps * second_factor.STEP)


def secret_on(page: str) -> str:
    found = re.search(r'id="secret" readonly value="([A-Z2-7 ]+)"', page)
    assert found
    return found[1].replace(" ", "")


def codes_on(page: str) -> list[str]:
    return re.findall(r"<li><code>([a-z0-9-]+)</code>", page)


def turn_on(client: FlaskClient) -> tuple[str, list[str]]:
    """Set a second factor up in the profile."""
    page = client.get("/profile/factor").text
    secret = secret_on(page)
    form = {"csrf_token": token_of(page), "code": code_of(secret), "current": PASSWORD}
    done = client.post("/profile/factor", data=form)
    assert done.status_code == 200
    return secret, codes_on(done.text)


def send_code(client: FlaskClient, code: str) -> Any:
    return client.post("/login/code", data={"csrf_token": token_of(client.get("/login/code").text), "code": code})


def test_with_a_factor_the_password_is_half_the_way(tenant: Any, tmp_path: Path) -> None:
    person = add_person(tenant, "rep@x.example", "rep")
    app = app_of(tenant, tmp_path)
    here = app.test_client()
    sign_in(here, "rep@x.example")
    secret, codes = turn_on(here)
    assert len(codes) == second_factor.RECOVERY_CODES

    there = app.test_client()
    assert sign_in(there, "rep@x.example", next="/settings").location == "/login/code"
    assert there.get("/settings").status_code == 302  # not in yet
    answer = send_code(there, "000000")
    assert outcome(answer) == 422
    assert WRONG in answer.text
    assert send_code(there, code_of(secret, 1)).location == "/settings"
    assert there.get("/settings").status_code == 200

    third = app.test_client()
    sign_in(third, "rep@x.example")
    assert outcome(send_code(third, code_of(secret, 1))) == 422  # replayed
    assert send_code(third, codes[0]).location == "/"
    events = [entry.event for entry in sign_in_history(tenant, person)]
    assert events == ["in", "code-used", "code-refused", "in", "code-refused", "factor-on", "in"]


def test_guessing_codes_is_stopped(tenant: Any, tmp_path: Path) -> None:
    add_person(tenant, "rep@x.example", "rep")
    app = app_of(tenant, tmp_path)
    here = app.test_client()
    sign_in(here, "rep@x.example")
    turn_on(here)
    there = app.test_client()
    sign_in(there, "rep@x.example")
    codes = [outcome(send_code(there, "000000")) for _ in range(7)]
    assert codes == [422] * 5 + [429] * 2
    again = app.test_client()  # the right password again begins no new count
    sign_in(again, "rep@x.example")
    assert outcome(send_code(again, "000000")) == 429


def test_a_role_that_asks_for_it_is_set_up_before_the_first_page(tenant: Any, tmp_path: Path) -> None:
    add_person(tenant, "tina@x.example", "rep", "treasurer")
    client = app_of(tenant, tmp_path).test_client()
    assert sign_in(client, "tina@x.example", next="/e/account/").location == "/login/set-up"
    assert client.get("/").status_code == 302
    page = client.get("/login/set-up").text
    secret = secret_on(page)
    wrong = client.post("/login/set-up", data={"csrf_token": token_of(page), "code": "000000"})
    assert outcome(wrong) == 422
    assert secret_on(wrong.text) == secret  # what was scanned still counts
    done = client.post("/login/set-up", data={"csrf_token": token_of(page), "code": code_of(secret)})
    assert len(codes_on(done.text)) == second_factor.RECOVERY_CODES
    assert 'href="/e/account/"' in done.text
    assert client.get("/e/account/").status_code == 200
    assert "formaction" not in client.get("/profile").text  # no way to turn it off
    token = token_of(client.get("/profile").text)
    client.post("/profile/factor/off", data={"csrf_token": token, "code": code_of(secret, 1)})
    assert sign_in(client.application.test_client(), "tina@x.example").location == "/login/code"


def test_it_is_turned_off_with_a_code_only(tenant: Any, tmp_path: Path) -> None:
    add_person(tenant, "rep@x.example", "rep")
    app = app_of(tenant, tmp_path)
    client = app.test_client()
    sign_in(client, "rep@x.example")
    before = client.get_cookie(f"t-{tenant.slug}")
    secret, codes = turn_on(client)
    after = client.get_cookie(f"t-{tenant.slug}")
    assert before is not None
    assert after is not None
    thief = app.test_client()
    thief.set_cookie(f"t-{tenant.slug}", before.value)
    assert thief.get("/profile").status_code == 302  # the session has another secret by now

    token = token_of(client.get("/profile").text)
    client.post("/profile/factor/off", data={"csrf_token": token, "code": "000000"})
    assert sign_in(app.test_client(), "rep@x.example").location == "/login/code"
    fresh = client.post("/profile/factor/codes", data={"csrf_token": token, "code": codes[3]})
    assert codes_on(fresh.text)
    client.post("/profile/factor/off", data={"csrf_token": token, "code": codes_on(fresh.text)[0]})
    assert sign_in(app.test_client(), "rep@x.example").location == "/"
    assert code_of(secret)


def test_setting_up_asks_for_the_password_again(tenant: Any, tmp_path: Path) -> None:
    person = add_person(tenant, "rep@x.example", "rep")
    client = app_of(tenant, tmp_path).test_client()
    sign_in(client, "rep@x.example")
    page = client.get("/profile/factor").text
    form = {"csrf_token": token_of(page), "code": code_of(secret_on(page)), "current": "wrong password"}
    assert outcome(client.post("/profile/factor", data=form)) == 422
    assert not second_factor.has_factor(tenant, person)


def test_the_pages_between_are_nothing_without_a_password(tenant: Any, tmp_path: Path) -> None:
    client = app_of(tenant, tmp_path).test_client()
    for address in ("/login/code", "/login/set-up"):
        assert client.get(address).location == "/login"
        token = token_of(client.get("/login").text)
        assert client.post(address, data={"csrf_token": token, "code": "000000"}).location == "/login"
