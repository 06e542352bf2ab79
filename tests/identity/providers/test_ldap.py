"""Signing in with a directory's password. The directory is a stand-in for python-ldap, which has to be compiled."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.web.frame_tenants import PASSWORD, YAML, add_person, app_of, outcome, sign_in

from trellis.identity.accounts import find_account
from trellis.storage.secrets import secret_name, use_installation_key

PEOPLE = {
    "anna": ("uid=anna,ou=people,dc=acme", "annas password", ["cn=bosses"]),
    "nora": ("uid=nora,ou=people,dc=acme", "noras password", ["cn=staff"]),
}


class InvalidCredentials(Exception):
    """A wrong password."""


class Away(Exception):
    """The directory does not answer."""


class Directory(ModuleType):
    """The part of python-ldap that is used, with some people in it."""

    OPT_NETWORK_TIMEOUT, OPT_TIMEOUT, OPT_REFERRALS, SCOPE_SUBTREE = 1, 2, 3, 4
    OPT_X_TLS_REQUIRE_CERT, OPT_X_TLS_DEMAND, OPT_X_TLS_NEWCTX = 5, 6, 7
    INVALID_CREDENTIALS = InvalidCredentials
    LDAPError = Exception

    def __init__(self) -> None:
        super().__init__("ldap")
        self.bound: list[str] = []
        self.searched: list[str] = []
        self.options: dict[int, Any] = {}
        self.tls = False
        self.away = False
        self.filter = ModuleType("ldap.filter")
        self.filter.escape_filter_chars = lambda text: re.sub(r"([*()\\\0])", r"\\\1", text)  # type: ignore[attr-defined]

    def set_option(self, option: int, value: Any) -> None:
        self.options[option] = value

    def initialize(self, server: str) -> Directory:
        if self.away:
            raise Away(server)
        return self

    def start_tls_s(self) -> None:
        self.tls = True

    def simple_bind_s(self, name: str, password: str) -> None:
        self.bound.append(name)
        if (name, password) == ("cn=reader", "reader password") or password == "":
            return  # an empty password is a guest's: every directory says yes
        if password not in [p for dn, p, _groups in PEOPLE.values() if dn == name]:
            raise InvalidCredentials

    def search_s(self, base: str, scope: int, filter: str, fields: list[str]) -> list[Any]:
        self.searched.append(filter)
        found = re.search(r"uid=([^)]*)\)", filter)
        if found is None or found[1] not in PEOPLE:
            return []
        dn, _password, groups = PEOPLE[found[1]]
        said = {"mail": f"{found[1]}@x.example", "givenName": found[1].title(), "sn": "Berg"}
        return [(dn, {**{k: [v.encode()] for k, v in said.items()}, "memberOf": [g.encode() for g in groups]})]


@pytest.fixture
def directory(monkeypatch: pytest.MonkeyPatch) -> Directory:
    made = Directory()
    monkeypatch.setitem(sys.modules, "ldap", made)
    monkeypatch.setitem(sys.modules, "ldap.filter", made.filter)
    return made


@pytest.fixture
def world(make_tenant: Any, directory: Directory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    use_installation_key(tmp_path)

    def make(more: str, beside: str = "") -> Any:
        source = f"server: 'ldaps://ldap.acme.example', search: 'ou=people,dc=acme'{more}"
        tenant = make_tenant(YAML, profile=f"sign_in: {{ldap: {{{source}}}{beside}}}\n")
        monkeypatch.setenv(secret_name(tenant.slug, "LDAP"), "reader password")
        return tenant, app_of(tenant, tmp_path)

    return make


READER = ", bind_user: cn=reader, bind_password: {env: LDAP}"
DIRECT = ", username: 'uid=%s,ou=people,dc=acme'"


@pytest.mark.parametrize("way", [READER, DIRECT], ids=["by a reader", "directly"])
def test_the_directorys_password_lets_in(world: Any, directory: Directory, way: str) -> None:
    tenant, app = world(f"{way}, filter: '(objectClass=person)'")
    add_person(tenant, "anna@x.example", "rep")
    assert outcome(sign_in(app.test_client(), "anna", "wrong password")) == 422
    client = app.test_client()
    assert sign_in(client, "anna", "annas password").status_code == 302
    assert "/profile" in client.get("/profile").text
    assert directory.searched[-1] == "(&(objectClass=person)(uid=anna))"
    assert directory.options[directory.OPT_X_TLS_REQUIRE_CERT] == directory.OPT_X_TLS_DEMAND
    assert directory.options[directory.OPT_NETWORK_TIMEOUT] == 10


def test_an_empty_password_is_nobodys(world: Any, directory: Directory) -> None:
    tenant, app = world(DIRECT)
    add_person(tenant, "anna@x.example", "rep")
    for password in ("", "\0"):
        assert outcome(sign_in(app.test_client(), "anna", password)) == 422
    assert directory.bound == []


def test_a_name_is_no_filter(world: Any, directory: Directory) -> None:
    _tenant, app = world(READER)
    sign_in(app.test_client(), "*)(uid=anna", "annas password")
    assert directory.searched[-1] == r"(uid=\*\)\(uid=anna)"


def test_the_own_password_goes_beside_it_or_not(world: Any, directory: Directory) -> None:
    tenant, app = world(READER)
    add_person(tenant, "anna@x.example", "rep")
    assert sign_in(app.test_client(), "anna@x.example", PASSWORD).status_code == 302
    tenant, app = world(READER, ", password: false")
    add_person(tenant, "anna@x.example", "rep")
    assert outcome(sign_in(app.test_client(), "anna@x.example", PASSWORD)) == 422
    assert sign_in(app.test_client(), "anna", "annas password").status_code == 302
    assert "Forgot it?" not in app.test_client().get("/login").text


def test_registration_and_roles_by_groups(world: Any, directory: Directory) -> None:
    tenant, app = world(f"{READER}, register: true, roles: {{cn=bosses: admin}}, default_roles: [rep]")
    boss, staff = app.test_client(), app.test_client()
    sign_in(boss, "anna", "annas password")
    sign_in(staff, "nora", "noras password")
    assert boss.get("/admin/users").status_code == 200
    assert staff.get("/admin/users").status_code == 403
    assert staff.get("/e/account/").status_code == 200
    account = find_account(tenant, "nora@x.example")
    assert account is not None
    assert account.name == "Nora Berg"


def test_a_directory_that_is_away_lets_nobody_in(world: Any, directory: Directory) -> None:
    tenant, app = world(READER)
    add_person(tenant, "anna@x.example", "rep")
    directory.away = True
    assert outcome(sign_in(app.test_client(), "anna", "annas password")) == 422


def test_start_tls(world: Any, directory: Directory) -> None:
    tenant, app = world(f"{DIRECT}, start_tls: true")
    add_person(tenant, "anna@x.example", "rep")
    sign_in(app.test_client(), "anna", "annas password")
    assert directory.tls
