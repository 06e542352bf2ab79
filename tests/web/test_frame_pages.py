"""The pages of the frame: who may open what, people, roles, profile, errors."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from tests.web.frame_tenants import YAML, add_person, app_of, outcome, sign_in, signed_in_client, token_of

from trellis.storage.secrets import use_installation_key

ADMIN_PAGES = ("/admin/users", "/admin/users/new", "/admin/roles", "/admin/roles/rep")


@pytest.fixture
def tenant(same_tenant: Any, tmp_path: Any) -> Any:
    use_installation_key(tmp_path)
    tenant = same_tenant(YAML)
    add_person(tenant, "anna@x.example", "admin", name="Anna Admin")
    add_person(tenant, "rep@x.example", "rep", name="Rita Rep")
    return tenant


@pytest.fixture
def admin(tenant: Any, tmp_path: Any) -> FlaskClient:
    return signed_in_client(app_of(tenant, tmp_path), "anna@x.example")


@pytest.fixture
def rep(tenant: Any, tmp_path: Any) -> FlaskClient:
    return signed_in_client(app_of(tenant, tmp_path), "rep@x.example")


def send(client: FlaskClient, address: str, **form: Any) -> Any:
    """Post a form with its token."""
    return client.post(address, data=form | {"csrf_token": token_of(client.get("/profile").text)})


def test_pages_for_everybody(admin: FlaskClient, rep: FlaskClient) -> None:
    for client in (admin, rep):
        for page in ("/", "/settings", "/profile"):
            answer = client.get(page)
            assert answer.status_code == 200, page
            assert answer.text.count("<h1") == 1
            assert 'class="t-skip"' in answer.text
            assert not re.search(r"\sstyle=|\son[a-z]+=|<style|<script(?![^>]*(src=|application/json))", answer.text), (
                page
            )


def test_administration_is_for_administrators(admin: FlaskClient, rep: FlaskClient, tenant: Any, tmp_path: Any) -> None:
    nobody = app_of(tenant, tmp_path).test_client()
    for page in ADMIN_PAGES:
        assert admin.get(page).status_code == 200, page
        assert rep.get(page).status_code == 403, page
        assert nobody.get(page).status_code == 302, page
    assert send(rep, "/admin/users/new", name="X", email="x@x.example").status_code == 403
    assert "/admin/users" not in rep.get("/settings").text


def test_the_sidebar_shows_what_one_may_read(admin: FlaskClient, rep: FlaskClient) -> None:
    assert "Payslips" in admin.get("/").text
    assert "Payslips" not in rep.get("/").text
    assert "Accounts" in rep.get("/").text


def test_a_page_of_the_frame_takes_few_statements(rep: FlaskClient, tenant: Any) -> None:
    statements: list[str] = []

    def count(*args: Any) -> None:
        if "set_config" not in args[2]:
            statements.append(args[2])

    rep.get("/settings")
    sa.event.listen(tenant.database.engine, "before_cursor_execute", count)
    try:
        assert rep.get("/settings").status_code == 200
    finally:
        sa.event.remove(tenant.database.engine, "before_cursor_execute", count)
    assert len(statements) == 1, statements


def test_make_a_person_who_then_signs_in(admin: FlaskClient, tenant: Any, tmp_path: Any) -> None:
    made = send(admin, "/admin/users/new", name="Nina New", email="nina@x.example", roles="rep", active="1")
    assert made.status_code == 200
    link = re.search(r'value="http://localhost(/invite/[^"]+)"', made.text)
    assert link
    fresh = app_of(tenant, tmp_path).test_client()
    token = token_of(fresh.get(link[1]).text)
    password = {"csrf_token": token, "password": "a few words in a row", "again": "a few words in a row"}
    assert fresh.post(link[1], data=password).status_code == 302
    assert "Nina New" in fresh.get("/profile").text
    again = app_of(tenant, tmp_path).test_client()
    assert sign_in(again, "nina@x.example", "a few words in a row").status_code == 302
    assert fresh.get("/admin/users").status_code == 403


def test_what_was_typed_stays_when_a_person_is_refused(admin: FlaskClient) -> None:
    answer = send(admin, "/admin/users/new", name="Rita Second", email="rep@x.example", roles="rep")
    assert answer.status_code == 422
    assert 'value="Rita Second"' in answer.text
    assert 'id="email-error"' in answer.text


def test_the_last_administrator_stays(admin: FlaskClient, tenant: Any) -> None:
    user = tenant.tables.entity["user"]
    with tenant.begin() as connection:
        anna = connection.execute(sa.select(user.c.id).where(user.c.email == "anna@x.example")).scalar_one()
    form = {"name": "Anna Admin", "email": "anna@x.example", "version": "1"}
    assert send(admin, f"/admin/users/{anna}", **form, roles="rep", active="1").status_code == 422
    assert send(admin, f"/admin/users/{anna}", **form, roles="admin").status_code == 422
    form |= {"roles": "admin", "active": "1"}
    assert send(admin, f"/admin/users/{anna}", **form | {"name": "Anna"}).status_code == 302
    stale = send(admin, f"/admin/users/{anna}", **form | {"name": "Annabel"})
    assert stale.status_code == 422
    assert "Somebody else has saved" in stale.text


def test_switching_a_person_off_ends_their_sessions(admin: FlaskClient, rep: FlaskClient, tenant: Any) -> None:
    user = tenant.tables.entity["user"]
    with tenant.begin() as connection:
        rita = connection.execute(sa.select(user.c.id).where(user.c.email == "rep@x.example")).scalar_one()
    assert rep.get("/profile").status_code == 200
    assert send(admin, f"/admin/users/{rita}", name="Rita Rep", email="rep@x.example", roles="rep").status_code == 302
    assert rep.get("/profile").status_code == 302


def test_language_and_time_zone_are_ones_own(rep: FlaskClient, tenant: Any) -> None:
    assert send(rep, "/profile", language="zh-Hans", time_zone="Asia/Shanghai").status_code == 302
    page = rep.get("/profile").text
    assert '<html lang="zh-Hans"' in page
    assert send(rep, "/profile", time_zone="Mars/Olympus").status_code == 422


def test_what_a_browser_keeps_of_a_safe_connection_stays_on_safe_ones(tenant: Any, tmp_path: Any) -> None:
    app = app_of(tenant, tmp_path)
    app.config["PREFERRED_URL_SCHEME"] = "https"  # what the client asks by
    client = app.test_client()
    client.environ_base["HTTP_REFERER"] = "https://localhost/profile"
    sign_in(client, "rep@x.example")
    for address in ("/profile", "/language/en"):
        cookies = send(client, address, language="en").headers.getlist("Set-Cookie")
        [language] = [cookie for cookie in cookies if cookie.startswith("t-lang=")]
        assert "; Secure" in language, address


def test_theme_follows_the_person(rep: FlaskClient, tenant: Any, tmp_path: Any) -> None:
    assert send(rep, "/profile/theme", theme="dark").status_code == 204
    other = app_of(tenant, tmp_path).test_client()
    sign_in(other, "rep@x.example")
    assert 'data-bs-theme="dark"' in other.get("/profile").text


def test_errors_in_the_form_that_the_caller_reads(
    rep: FlaskClient, tenant: Any, tmp_path: Any, monkeypatch: Any
) -> None:
    assert "There is nothing here" in rep.get("/nothing").text
    assert rep.get("/nothing", headers={"HX-Request": "true"}).mimetype == "text/plain"
    problem = rep.get("/nothing", headers={"Accept": "application/json"})
    assert problem.mimetype == "application/problem+json"
    assert problem.json["status"] == 404
    nobody = app_of(tenant, tmp_path).test_client()
    assert outcome(nobody.get("/profile", headers={"HX-Request": "true"})) == 401
    assert "You are offline" in nobody.get("/offline").text
    assert nobody.get("/worker.js").mimetype == "text/javascript"


def test_a_broken_page_tells_the_number_and_nothing_else(rep: FlaskClient, monkeypatch: Any) -> None:
    from trellis.web.pages import settings

    def fail(*_: Any) -> None:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr(settings, "may", fail)
    answer = rep.get("/settings")
    assert answer.status_code == 500
    assert "swordfish" not in answer.text
    assert "Traceback" not in answer.text
    assert answer.headers["X-Request-Id"] in answer.text


@pytest.mark.parametrize(
    ("state", "said"), [(None, "cannot be reached"), ("57P01", "cannot be reached"), ("53100", "no room left")]
)
def test_a_database_in_trouble_is_told_in_words(
    rep: FlaskClient, monkeypatch: Any, state: str | None, said: str
) -> None:
    """Neither the page nor its frame asks the database again."""
    from psycopg import OperationalError as Broken

    from trellis.identity import manager

    error = type("Broken", (Broken,), {"sqlstate": state})("the server is gone")

    def fail(*_: Any) -> None:
        raise sa.exc.OperationalError("SELECT", {}, error)

    monkeypatch.setattr(manager, "read_person", fail)
    answer = rep.get("/profile")
    assert answer.status_code == 503
    assert said in answer.text
    assert "<html" in answer.text
    told = rep.get("/profile", headers={"HX-Request": "true"})
    assert said in unquote(told.headers["X-Message"])
    form = rep.get("/profile", headers={"X-Requested-With": "fetch", "Accept": "application/json, text/html"})
    assert said in unquote(form.headers["X-Message"])
