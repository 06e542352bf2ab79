"""Signing in and out; what is worth nothing in another tenant."""

from __future__ import annotations

from typing import Any

import pytest
from tests.web.frame_tenants import YAML, add_person, app_of, sign_in, signed_in_client, token_of


@pytest.fixture
def tenant(same_tenant: Any) -> Any:
    tenant = same_tenant(YAML)
    add_person(tenant, "anna@x.example", "admin")
    add_person(tenant, "rep@x.example", "rep")
    return tenant


def test_sign_in_by_email_in_any_case(tenant: Any, tmp_path: Any) -> None:
    client = app_of(tenant, tmp_path).test_client()
    assert client.get("/").location == "/login"
    answer = sign_in(client, " Anna@X.example ")
    assert answer.status_code == 302
    (cookie,) = [c for c in answer.headers.getlist("Set-Cookie") if c.startswith(f"t-{tenant.slug}=")]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Anna" in client.get("/profile").text


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("anna@x.example", "wrong password"),
        ("nobody@x.example", "correct horse battery"),
        ("", ""),
        ("anna@x.example", "\0"),
    ],
)
def test_refusals_say_the_same(tenant: Any, tmp_path: Any, email: str, password: str) -> None:
    answer = sign_in(app_of(tenant, tmp_path).test_client(), email, password)
    assert answer.status_code == 422
    assert "E-mail address or password is wrong." in answer.text


def test_the_session_is_new_after_sign_in_and_worth_nothing_after_sign_out(tenant: Any, tmp_path: Any) -> None:
    app = app_of(tenant, tmp_path)
    client = app.test_client()
    client.get("/login")
    before = client.get_cookie(f"t-{tenant.slug}")
    sign_in(client, "anna@x.example")
    after = client.get_cookie(f"t-{tenant.slug}")
    assert before is not None
    assert after is not None
    assert before.value != after.value

    client.post("/logout", data={"csrf_token": token_of(client.get("/profile").text)})
    thief = app.test_client()
    thief.set_cookie(f"t-{tenant.slug}", after.value)
    assert thief.get("/profile").status_code == 302


def test_next_goes_to_pages_of_this_tenant_only(tenant: Any, tmp_path: Any) -> None:
    app = app_of(tenant, tmp_path)
    assert sign_in(app.test_client(), "anna@x.example", next="/profile").location == "/profile"
    for target in (
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "/../x",
        "/\tx",
    ):
        assert sign_in(app.test_client(), "anna@x.example", next=target).location == "/"


def test_every_write_needs_the_token(tenant: Any, tmp_path: Any) -> None:
    app = app_of(tenant, tmp_path)
    client = signed_in_client(app, "anna@x.example")
    for address in ("/login", "/logout", "/profile", "/profile/password", "/admin/users/new", "/forgot"):
        assert client.post(address).status_code == 400, address
    other = signed_in_client(app, "rep@x.example")
    stolen = token_of(other.get("/profile").text)
    assert client.post("/profile/theme", data={"theme": "dark"}, headers={"X-CSRFToken": stolen}).status_code == 400
    own = token_of(client.get("/profile").text)
    assert client.post("/profile/theme", data={"theme": "dark"}, headers={"X-CSRFToken": own}).status_code == 204


def test_nothing_of_one_tenant_is_worth_anything_in_another(same_tenant: Any, tenant: Any, tmp_path: Any) -> None:
    other = same_tenant(YAML)
    add_person(other, "anna@x.example", "admin")
    client, stranger = (
        signed_in_client(app_of(tenant, tmp_path), "anna@x.example"),
        app_of(other, tmp_path).test_client(),
    )
    cookie = client.get_cookie(f"t-{tenant.slug}")
    assert cookie is not None
    for name in (f"t-{tenant.slug}", f"t-{other.slug}"):  # also under the other tenant's own name
        stranger.set_cookie(name, cookie.value)
        assert stranger.get("/profile").status_code == 302

    # even signed with the other tenant's key, a session of this one is unknown there
    with client.session_transaction() as session:
        stolen = dict(session)
    with stranger.session_transaction() as session:
        session.update(stolen)
    assert stranger.get("/profile").status_code == 302
    token = token_of(client.get("/profile").text)
    assert (
        stranger.post(
            "/login", data={"csrf_token": token, "email": "anna@x.example", "password": "correct horse battery"}
        ).status_code
        == 400
    )


def test_a_password_link_of_one_tenant_is_unknown_in_another(same_tenant: Any, tenant: Any, tmp_path: Any) -> None:
    from trellis.identity.accounts import find_account, make_link

    other = same_tenant(YAML)
    account = find_account(tenant, "anna@x.example")
    assert account is not None
    secret = make_link(tenant, account)
    assert app_of(other, tmp_path).test_client().get(f"/reset/{secret}").status_code == 410
    client = app_of(tenant, tmp_path).test_client()
    token = token_of(client.get(f"/reset/{secret}").text)
    new = {"csrf_token": token, "password": "an entirely new one", "again": "an entirely new one"}
    assert client.post(f"/reset/{secret}", data=new).status_code == 302
    assert sign_in(client, "anna@x.example", "an entirely new one").status_code == 302


def test_changing_the_password_signs_out_elsewhere(tenant: Any, tmp_path: Any) -> None:
    app = app_of(tenant, tmp_path)
    here, there = signed_in_client(app, "anna@x.example"), signed_in_client(app, "anna@x.example")
    form = {
        "csrf_token": token_of(here.get("/profile").text),
        "current": "correct horse battery",
        "password": "quite another one",
        "again": "quite another one",
    }
    assert here.post("/profile/password", data=form | {"current": "wrong"}).status_code == 422
    assert here.post("/profile/password", data=form).status_code == 302
    assert here.get("/profile").status_code == 200
    assert there.get("/profile").status_code == 302
