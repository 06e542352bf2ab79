"""Signing in by OpenID Connect, against a provider on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.identity.providers.oidc import SECRET, Provider, come_back, running
from tests.web.frame_tenants import YAML, add_person, app_of

from trellis.identity.accounts import find_account
from trellis.identity.elsewhere import identities_of
from trellis.identity.sign_in_log import sign_in_history
from trellis.storage.secrets import secret_name, use_installation_key

ANNA = {"sub": "a-17", "email": "anna@x.example", "email_verified": True, "name": "Anna", "groups": ["staff"]}


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running(Provider(dict(ANNA))) as provider:
        yield provider


@pytest.fixture
def world(make_tenant: Any, provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make a tenant with the provider; `more` is YAML of its settings."""
    use_installation_key(tmp_path)

    def make(more: str = "", **app: Any) -> Any:
        source = f"issuer: '{provider.issuer}', client_id: trellis, client_secret: {{env: OIDC}}, label: Acme ID"
        tenant = make_tenant(YAML, profile=f"sign_in: {{oauth: {{company: {{{source}{more}}}}}}}\n")
        monkeypatch.setenv(secret_name(tenant.slug, "OIDC"), SECRET)
        return tenant, app_of(tenant, tmp_path, **app)

    return make


def events(tenant: Any, email: str = "anna@x.example") -> list[str]:
    account = find_account(tenant, email)
    assert account is not None
    return [entry.event for entry in sign_in_history(tenant, account.id)]


def test_somebody_who_is_known_comes_in_and_goes_where_they_wanted(world: Any, provider: Provider) -> None:
    tenant, app = world()
    person = add_person(tenant, "anna@x.example", "rep")
    client = app.test_client()
    page = client.get("/login?next=/profile").text
    assert 'href="/login/oauth/company?next=/profile"' in page
    assert "Continue with Acme ID" in page
    answer = come_back(client, provider, "?next=/profile")
    assert answer.location == "/profile"
    assert "with Acme ID" in client.get("/profile").text
    assert events(tenant) == ["in", "linked"]
    (linked,) = identities_of(tenant, person)
    assert (linked.means, linked.subject) == ("oauth:company", "a-17")


def test_the_subject_counts_not_the_address(world: Any, provider: Provider) -> None:
    tenant, app = world()
    add_person(tenant, "anna@x.example", "rep")
    come_back(app.test_client(), provider)
    provider.claims |= {"email": "anna.married@x.example"}
    assert come_back(app.test_client(), provider).location == "/"
    provider.claims |= {"sub": "somebody-else", "email": "anna@x.example"}  # her old address was given away
    assert come_back(app.test_client(), provider).location == "/login"


def test_an_address_that_nobody_vouches_for_is_not_believed(world: Any, provider: Provider) -> None:
    tenant, app = world()
    add_person(tenant, "anna@x.example", "admin")
    provider.claims["email_verified"] = False
    client = app.test_client()
    assert come_back(client, provider).location == "/login"
    assert "may not come in here" in client.get("/login").text
    assert client.get("/profile").status_code == 302


def test_strangers_are_registered_only_where_the_yaml_says(world: Any, provider: Provider) -> None:
    tenant, app = world()
    assert come_back(app.test_client(), provider).location == "/login"
    assert find_account(tenant, "anna@x.example") is None

    tenant, app = world(", register: true, roles: {staff: rep, bosses: [admin, rep]}, sync_roles: true")
    client = app.test_client()
    assert come_back(client, provider).location == "/"
    assert client.get("/e/account/").status_code == 200
    assert client.get("/admin/users").status_code == 403
    assert events(tenant) == ["in", "linked", "registered"]
    provider.claims["groups"] = ["bosses"]
    boss = app.test_client()
    come_back(boss, provider)
    assert boss.get("/admin/users").status_code == 200
    provider.claims["groups"] = []
    come_back(app.test_client(), provider)
    assert boss.get("/admin/users").status_code == 403  # also in a session that is open


def test_groups_may_stand_at_the_userinfo_address(world: Any, provider: Provider) -> None:
    tenant, app = world(", register: true, roles: {bosses: admin}, claims: {groups: member_of}")
    provider.userinfo = {"member_of": ["bosses"]}
    client = app.test_client()
    come_back(client, provider)
    assert client.get("/admin/users").status_code == 200
    provider.userinfo = {"member_of": ["bosses"], "sub": "somebody-else"}
    assert come_back(app.test_client(), provider).location == "/login"
    assert tenant


@pytest.mark.parametrize(
    "wrong",
    [
        {"forged": True},
        {"nonce": "another"},
        {"claims": {**ANNA, "aud": "another-client"}},
        {"claims": {**ANNA, "iss": "https://evil.example"}},
        {"claims": {**ANNA, "exp": 1}},
        {"named": "https://evil.example"},
        {"claims": {"email": "anna@x.example", "email_verified": True}},
    ],
    ids=str,
)
def test_tokens_that_are_not_right(world: Any, provider: Provider, wrong: dict[str, Any]) -> None:
    tenant, app = world()
    add_person(tenant, "anna@x.example", "admin")
    for name, value in wrong.items():
        setattr(provider, name, value)
    client = app.test_client()
    assert come_back(client, provider).location == "/login"
    assert client.get("/profile").status_code == 302


def test_what_was_not_begun_in_this_browser_does_not_end_in_it(world: Any, provider: Provider) -> None:
    tenant, app = world()
    add_person(tenant, "anna@x.example", "rep")
    began = app.test_client().get("/login/oauth/company")
    with provider.app().test_client() as there:
        back = there.get(began.location.removeprefix(provider.issuer)).location
    victim = app.test_client()
    assert victim.get(back.removeprefix("http://localhost")).location == "/login"
    assert "begun in another browser" in victim.get("/login").text
    assert "begun in another browser" not in victim.get("/login").text
    assert victim.get("/profile").status_code == 302


def test_a_provider_that_is_away_and_a_secret_that_is_missing(
    world: Any, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant, app = world()
    client = app.test_client()
    monkeypatch.delenv(secret_name(tenant.slug, "OIDC"))
    client.get("/login/oauth/company")
    assert "not set up completely" in client.get("/login").text
    provider.discovery = lambda: []  # type: ignore[method-assign, assignment, return-value]
    tenant, app = world()
    client = app.test_client()
    client.get("/login/oauth/company")
    assert "did not answer" in client.get("/login").text
    assert client.get("/login/oauth/nothing").status_code == 404


def test_the_second_factor_is_ours_unless_the_yaml_says(world: Any, provider: Provider, make_tenant: Any) -> None:
    from trellis.identity import second_factor

    for more, location in (("", "/login/code"), (", second_factor: theirs", "/")):
        tenant, app = world(more)
        person = add_person(tenant, "anna@x.example", "rep")
        table = tenant.tables.platform.factor
        with tenant.begin() as connection:
            connection.execute(sa.insert(table).values(user=person, secret="sealed:x"))
        assert second_factor.has_factor(tenant, person)
        assert come_back(app.test_client(), provider).location == location


def test_somebody_who_may_not_sign_in_may_not_by_this_either(world: Any, provider: Provider) -> None:
    tenant, app = world()
    add_person(tenant, "anna@x.example", "rep", active=False)
    assert come_back(app.test_client(), provider).location == "/login"
