"""`sign_in:` and `mail:` of tenant.yaml, and what is said about those that cannot work."""

# ruff: noqa: E501  (YAML and the lines said about it stand on one line each)
from __future__ import annotations

from datetime import timedelta

import pytest

from trellis.automation.mail.account import mail_secrets
from trellis.config.report import one_line
from trellis.model.sign_in import MailAccount, SignIn

WRONG = {
    "a secret in the YAML": (
        "sign_in: {oauth: {acme: {issuer: 'https://id.acme.example', client_id: x, client_secret: hush}}}",
        "a.yaml:2:90: E205 sign_in.oauth.acme.client_secret: expected {env: NAME}, with the name of an environment variable",
    ),
    "a variable of another tenant's": (
        "sign_in: {oauth: {acme: {issuer: 'https://id.acme.example', client_id: x, client_secret: {env: OTHER__SECRET}}}}",
        "a.yaml:2:96: E208 sign_in.oauth.acme.client_secret.env: 'OTHER__SECRET' is not written as expected here",
    ),
    "a provider without an address": (
        "sign_in: {oauth: {acme: {client_id: x, client_secret: {env: X}}}}",
        "a.yaml:2:19: E219 sign_in.oauth.acme: 'acme' has no address (write its `issuer`",
    ),
    "a role that there is not": (
        "sign_in: {saml: {acme: {entity_id: a, sso_url: 'https://a.example', certificate: x, roles: {staff: admins}}}}",
        "a.yaml:2:100: E313 sign_in.saml.acme.roles.staff: unknown role 'admins' (did you mean 'admin'?)",
    ),
    "nobody could sign in": ("sign_in: {password: false}", "a.yaml:2:21: E219 sign_in.password: nobody could sign in"),
    "too short": (
        "sign_in: {password: {min_length: 4}}",
        "a.yaml:2:34: E219 sign_in.password.min_length: min_length is between 8 and 64",
    ),
    "no duration": (
        "sign_in: {sessions: {idle: soon}}",
        "a.yaml:2:28: E208 sign_in.sessions.idle: 'soon' is not written as expected here",
    ),
    "out of bounds": (
        "sign_in: {lockout: {for: 3 weeks}}",
        "a.yaml:2:26: E219 sign_in.lockout.for: for is between 1 minutes and 1 days",
    ),
    "the wrong way round": (
        "sign_in: {sessions: {idle: 2 days, absolute: 1 day}}",
        "a.yaml:2:21: E219 sign_in.sessions: `absolute` has to be longer than `idle`",
    ),
    "a word that there is not": (
        "sign_in: {second_factor: always}",
        "a.yaml:2:26: E206 sign_in.second_factor: ",
    ),
    "a reader without a password": (
        "sign_in: {ldap: {server: 'ldaps://l.example', search: dc=x, bind_user: cn=r}}",
        "a.yaml:2:11: E219 sign_in.ldap: `bind_user` needs its password",
    ),
    "a name that goes nowhere": (
        "sign_in: {ldap: {server: 'ldaps://l.example', search: dc=x, username: uid=me}}",
        "a.yaml:2:71: E219 sign_in.ldap.username: `username` has one %s",
    ),
    "no sender": (
        "mail: {server: smtp.acme.example, from: Acme}",
        "a.yaml:2:41: E219 mail.from: 'Acme' is no e-mail address",
    ),
    "a token in the open": (
        "mail: {server: s.example, security: none, user: crm, from: crm@a.example, oauth2: {token_url: 'https://t.example', client_id: x, refresh_token: {env: R}}}",
        "a.yaml:2:75: E219 mail.oauth2: a token goes by an encrypted way only",
    ),
    "nobody's token": (
        "mail: {server: s.example, from: crm@a.example, oauth2: {token_url: 'https://t.example', client_id: x}}",
        "a.yaml:2:48: E219 mail.oauth2: nothing here proves who asks for tokens",
    ),
    "a role's word": ("---\nrole: boss\nsecond_factor: optional", "a.yaml:4:16: E206 second_factor: "),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told(name: str, compile_yaml) -> None:
    text, expected = WRONG[name]
    compiled = compile_yaml(f"tenant: acme\n{text}")
    assert [line for line in map(one_line, compiled.problems) if line.startswith(expected)], list(
        map(one_line, compiled.problems)
    )
    assert compiled.profile is None


@pytest.mark.parametrize(
    ("text", "is_told"),
    [
        ("ldap: {server: 'ldap://ldap.acme.example', search: dc=acme}", True),
        ("ldap: {server: 'ldap://ldap.acme.example', search: dc=acme, start_tls: true}", False),
        ("ldap: {server: 'ldap://localhost:3890', search: dc=acme}", False),
        ("oauth: {a: {issuer: 'http://id.acme.example', client_id: x, client_secret: {env: X}}}", True),
    ],
)
def test_a_way_that_is_not_encrypted_is_told(text: str, is_told: bool, compile_yaml) -> None:
    compiled = compile_yaml(f"tenant: acme\nsign_in: {{{text}}}")
    assert ([p.code for p in compiled.problems] == ["W612"]) is is_told
    assert compiled.profile is not None


def test_nothing_said_means_the_defaults(compile_yaml) -> None:
    profile = compile_yaml("tenant: acme").profile
    assert profile.sign_in == SignIn()
    assert profile.mail is None
    assert profile.sign_in.source("oauth:acme") is None


def test_everything_said(compile_yaml) -> None:
    profile = compile_yaml(
        """
        tenant: acme
        sign_in:
          password: {min_length: 14}
          second_factor: required
          lockout: {attempts: 5, for: 1 hour}
          sessions: {idle: 30 minutes, absolute: 10 hours, remember: 14 days}
          oauth:
            acme: {issuer: "https://id.acme.example/", client_id: x, client_secret: {env: OIDC}, roles: {staff: boss}}
          ldap: {server: "ldaps://ldap.acme.example", search: "dc=acme", attributes: {user: sAMAccountName}}
        mail: {server: smtp.acme.example, security: tls, from: "Acme <crm@acme.example>"}
        ---
        role: boss
        second_factor: required
        """
    ).profile
    sign_in = profile.sign_in
    assert (sign_in.password, sign_in.min_length, sign_in.second_factor) == (True, 14, "required")
    assert (sign_in.lockout.attempts, sign_in.lockout.lasts) == (5, timedelta(hours=1))
    assert sign_in.sessions.absolute == timedelta(hours=10)
    assert sign_in.oauth["acme"].issuer == "https://id.acme.example"
    assert sign_in.oauth["acme"].roles == {"staff": ("boss",)}
    assert sign_in.source("ldap").attributes["user"] == "sAMAccountName"
    assert sign_in.source("ldap").attributes["email"] == "mail"
    assert profile.mail == MailAccount("smtp.acme.example", 465, "tls", sender="Acme <crm@acme.example>")


def test_a_mailbox_is_opened_as_the_account_unless_it_has_a_password(compile_yaml) -> None:
    profile = compile_yaml(
        """
        tenant: acme
        mail:
          server: smtp.example.com
          user: crm@acme.example
          from: crm@acme.example
          oauth2: {token_url: "https://t.example/token", client_id: x, client_secret: {env: APP}, refresh_token: {env: AGREED}}
          incoming: {server: imap.example.com, user: crm@acme.example}
          accounts:
            help: {from: help@acme.example, incoming: {server: imap.example.com, user: help, password: {env: HELP}}}
            own: {from: own@acme.example, server: smtp.other.example, user: own, password: {env: OWN}}
        """
    ).profile
    assert profile is not None
    assert profile.mail is not None
    assert profile.mail.incoming is not None
    first, others = profile.mail, profile.mail_accounts
    assert first.oauth2 is not None
    assert first.incoming.oauth2 == first.oauth2
    assert (others["help"].oauth2, others["help"].incoming.oauth2) == (first.oauth2, None)
    assert others["own"].oauth2 is None
    assert mail_secrets(first) == ["APP", "AGREED"]
    assert mail_secrets(others["help"]) == ["HELP", "APP", "AGREED"]
