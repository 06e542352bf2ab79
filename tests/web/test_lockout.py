"""Too many attempts: told politely, the same for everybody, and counted where all processes see it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.web.frame_tenants import YAML, add_person, app_of, outcome, sign_in, token_of

from trellis.identity.sign_in_log import sign_in_history


@pytest.fixture
def tenant(same_tenant: Any) -> Any:
    tenant = same_tenant(YAML)
    add_person(tenant, "anna@x.example", "admin")
    return tenant


@pytest.mark.parametrize("email", ["anna@x.example", "nobody@x.example"])
def test_the_sixth_attempt_waits_whoever_it_is(tenant: Any, tmp_path: Path, email: str) -> None:
    one, other = app_of(tenant, tmp_path), app_of(tenant, tmp_path)  # two processes
    answers = [sign_in(app.test_client(), email, "wrong") for app in (one, other) * 4]
    assert [outcome(a) for a in answers] == [422] * 5 + [429] * 3
    assert "Please wait 15 seconds." in answers[5].text or "Please wait 14 seconds." in answers[5].text
    assert f'value="{email}"' in answers[5].text  # nothing typed is lost


def test_the_right_password_waits_too(tenant: Any, tmp_path: Path) -> None:
    app = app_of(tenant, tmp_path)
    for _ in range(5):
        sign_in(app.test_client(), "anna@x.example", "wrong")
    assert outcome(sign_in(app.test_client(), "anna@x.example")) == 429


def test_strangers_do_not_lock_somebody_out_of_their_own_browser(tenant: Any, tmp_path: Path) -> None:
    app = app_of(tenant, tmp_path)
    own = app.test_client()
    sign_in(own, "anna@x.example")
    own.delete_cookie(f"t-{tenant.slug}")
    for _ in range(6):
        sign_in(app.test_client(), "anna@x.example", "wrong")
    assert sign_in(own, "anna@x.example").status_code == 302


def test_a_forged_mark_of_a_browser_counts_for_nothing(tenant: Any, tmp_path: Path) -> None:
    app = app_of(tenant, tmp_path)
    for number in range(6):
        client = app.test_client()
        client.set_cookie("t-device", f"forged-{number}")
        answer = sign_in(client, "anna@x.example", "wrong")
    assert outcome(answer) == 429


def test_a_success_begins_the_count_anew(tenant: Any, tmp_path: Path) -> None:
    app = app_of(tenant, tmp_path)
    for _ in range(2):
        for _ in range(4):
            assert outcome(sign_in(app.test_client(), "anna@x.example", "wrong")) == 422
        assert sign_in(app.test_client(), "anna@x.example").status_code == 302


def test_a_password_that_is_set_by_a_link_does_not_wait(tenant: Any, tmp_path: Path) -> None:
    from trellis.identity.accounts import find_account, make_link

    app = app_of(tenant, tmp_path)
    for _ in range(6):
        sign_in(app.test_client(), "anna@x.example", "wrong")
    account = find_account(tenant, "anna@x.example")
    assert account is not None
    client, address = app.test_client(), f"/reset/{make_link(tenant, account)}"
    new = {"password": "violet kettle harbour", "again": "violet kettle harbour"}
    client.post(address, data={"csrf_token": token_of(client.get(address).text), **new})
    assert sign_in(client, "anna@x.example", "violet kettle harbour").status_code == 302


def test_an_administrator_sees_it_and_lets_them_try_again(tenant: Any, tmp_path: Path) -> None:
    app = app_of(tenant, tmp_path)
    rep = add_person(tenant, "rep@x.example", "rep")
    admin = app.test_client()
    sign_in(admin, "anna@x.example")
    address = f"/admin/users/{rep}"
    assert "waits until" not in admin.get(address).text
    for _ in range(6):
        sign_in(app.test_client(), "rep@x.example", "wrong")
    page = admin.get(address).text
    assert "waits until" in page
    admin.post(f"{address}/unlock", data={"csrf_token": token_of(page)})
    assert sign_in(app.test_client(), "rep@x.example").status_code == 302
    assert [e.event for e in sign_in_history(tenant, rep)][:2] == ["in", "unlocked"]


def test_the_history_tells_of_each(tenant: Any, tmp_path: Path) -> None:
    app = app_of(tenant, tmp_path)
    person = app_person(tenant)
    sign_in(app.test_client(), "anna@x.example")
    for _ in range(6):
        sign_in(app.test_client(), "Anna@X.example", "wrong")
    entries = sign_in_history(tenant, person)
    assert [entry.event for entry in entries] == ["locked", *["refused"] * 5, "in"]
    assert {entry.address for entry in entries} == {"127.0.0.1"}


def app_person(tenant: Any) -> Any:
    from trellis.identity.accounts import find_account

    account = find_account(tenant, "anna@x.example")
    assert account is not None
    return account.id
