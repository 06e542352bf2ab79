"""Where somebody is signed in, and how that ends."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.web.frame_tenants import YAML, add_person, app_of, signed_in_client, token_of

from trellis.identity.api_keys import create_key, find_key
from trellis.identity.devices import device_of
from trellis.identity.sessions import browsers

LIMITS = "sign_in: {sessions: {idle: 30 minutes, absolute: 4 hours, remember: 10 days}}\n"


@pytest.fixture
def tenant(same_tenant: Any) -> Any:
    tenant = same_tenant(YAML, profile=LIMITS)
    add_person(tenant, "anna@x.example", "admin")
    return tenant


def post(client: Any, address: str, **data: str) -> Any:
    return client.post(address, data={"csrf_token": token_of(client.get("/profile").text), **data})


def person_of(tenant: Any, email: str = "anna@x.example") -> Any:
    from trellis.identity.accounts import find_account

    account = find_account(tenant, email)
    assert account is not None
    return account.id


def shift(tenant: Any, **columns: timedelta) -> None:
    """As if the sessions were older."""
    table = tenant.tables.platform.session
    with tenant.begin() as connection:
        connection.execute(sa.update(table).values({k: table.c[k] - by for k, by in columns.items()}))


def ends(tenant: Any) -> datetime:
    with tenant.begin() as connection:
        found: datetime = connection.execute(sa.select(tenant.tables.platform.session.c.expires_at)).scalar_one()
        return found


def test_one_ends_one_or_all_others(tenant: Any, tmp_path: Path) -> None:
    app = app_of(tenant, tmp_path)
    here, phone, third = (signed_in_client(app, "anna@x.example") for _ in range(3))
    page = here.get("/profile").text
    assert page.count("this browser") == 1
    others = re.findall(r'name="session" value="(\w+)"', page)
    assert len(others) == 2
    post(here, "/profile/sign-out", session=others[0])
    assert sorted(c.get("/profile").status_code for c in (phone, third)) == [200, 302]
    post(here, "/profile/sign-out-elsewhere")
    assert [c.get("/profile").status_code for c in (here, phone, third)] == [200, 302, 302]


def test_nobody_ends_sessions_of_others(tenant: Any, tmp_path: Path) -> None:
    add_person(tenant, "rep@x.example", "rep")
    app = app_of(tenant, tmp_path)
    anna, rep = signed_in_client(app, "anna@x.example"), signed_in_client(app, "rep@x.example")
    (hers,) = browsers(tenant, person_of(tenant))
    post(rep, "/profile/sign-out", session=hers.id)
    assert anna.get("/profile").status_code == 200
    (his,) = browsers(tenant, person_of(tenant, "rep@x.example"))
    post(anna, f"/admin/users/{person_of(tenant, 'rep@x.example')}/sign-out", session=his.id)
    assert rep.get("/profile").status_code == 302


def test_other_roles_give_a_session_another_secret(tenant: Any, tmp_path: Path) -> None:
    person = add_person(tenant, "rep@x.example", "rep")
    app = app_of(tenant, tmp_path)
    client = signed_in_client(app, "rep@x.example")
    name = app.config["SESSION_COOKIE_NAME"]
    before = client.get_cookie(name)
    assert before is not None
    client.get("/profile")
    (first,) = browsers(tenant, person)
    user = tenant.tables.entity["user"]
    with tenant.begin() as connection:
        connection.execute(sa.update(user).where(user.c.id == person).values(roles=["rep", "admin"]))
    client.get("/profile", headers={"HX-Request": "true"})  # a part of a page: others may be under way
    assert [one.id for one in browsers(tenant, person)] == [first.id]
    assert client.get("/admin/users").status_code == 200
    (second,) = browsers(tenant, person)
    assert second.id != first.id
    client.get("/profile")
    assert [one.id for one in browsers(tenant, person)] == [second.id]
    thief = app.test_client()
    thief.set_cookie(name, before.value)
    assert thief.get("/profile").status_code == 302


def test_a_session_ends_unused_and_at_the_latest(tenant: Any, tmp_path: Path) -> None:
    app = app_of(tenant, tmp_path)
    client = signed_in_client(app, "anna@x.example")
    assert ends(tenant) - datetime.now(UTC) <= timedelta(minutes=30)
    shift(tenant, seen_at=timedelta(minutes=20), expires_at=timedelta(minutes=20))
    assert client.get("/profile").status_code == 200  # which prolongs it
    assert ends(tenant) - datetime.now(UTC) > timedelta(minutes=29)
    old = timedelta(hours=3, minutes=50)
    shift(tenant, created_at=old, seen_at=timedelta(minutes=20))
    assert client.get("/profile").status_code == 200
    assert ends(tenant) - datetime.now(UTC) <= timedelta(minutes=10)
    shift(tenant, expires_at=timedelta(minutes=11))
    assert client.get("/profile").status_code == 302


def test_somebody_who_may_not_sign_in_any_more_is_out_for_good(tenant: Any, tmp_path: Path) -> None:
    person = add_person(tenant, "rep@x.example", "rep")
    app = app_of(tenant, tmp_path)
    client = signed_in_client(app, "rep@x.example")
    _key, secret = create_key(tenant, person, "Export")
    user = tenant.tables.entity["user"]
    for active, found in ((False, False), (True, True)):
        with tenant.begin() as connection:  # by import, by API, by hand
            connection.execute(sa.update(user).where(user.c.id == person).values(active=active))
        assert client.get("/profile").status_code == 302  # also when they may again: the session is over
        assert (find_key(tenant, secret) is not None) is found
    assert browsers(tenant, person) == []


@pytest.mark.parametrize(
    ("agent", "browser", "system"),
    [
        ("(Windows NT 10.0; Win64; x64) Chrome/130.0 Safari/537.36 Edg/130.0", "Edge", "Windows"),
        ("(iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Mobile/15E148 Safari/604.1", "Safari", "iPhone"),
        ("(X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0", "Firefox", "Linux"),
        ("(Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36", "Chrome", "Android"),
        ("(Macintosh; Intel Mac OS X 10_15_7) Chrome/130.0 Safari/537.36", "Chrome", "macOS"),
        ("curl/8.0", "", ""),
    ],
)
def test_browsers_by_name(agent: str, browser: str, system: str) -> None:
    device = device_of(f"Mozilla/5.0 {agent}")
    assert (device.browser, device.system) == (browser, system)
    assert device.is_hand_held == (system in ("iPhone", "Android"))
