"""How people come into a tenant: passwords, second factors, other companies' sign-ins, how long a session lasts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dc_field
from datetime import timedelta
from typing import Literal

from trellis.model.quiet import Quiet
from trellis.model.tracking import Tracking

SecondFactor = Literal["off", "optional", "required"]


@dataclass(frozen=True)
class Source:
    """A place outside that knows people: what is taken over from it when somebody signs in by it.

    `register`: whether somebody whom the tenant does not know becomes a person. `roles`: the roles that a group there
    gives here. `sync_roles`: whether these replace the person's roles at each sign-in. `trust_email`: whether an
    address that the source names is believed to be that person's own. `second_factor`: whether the source has asked
    for one, so that Trellis does not.
    """

    key: str
    label: str
    register: bool = False
    roles: Mapping[str, tuple[str, ...]] = dc_field(default_factory=dict)
    default_roles: tuple[str, ...] = ()
    sync_roles: bool = False
    trust_email: bool = False
    second_factor: bool = False


@dataclass(frozen=True)
class OAuthSource(Source):
    """An OpenID Connect provider (`issuer`), or a plain OAuth 2 one (the three addresses)."""

    client_id: str = ""
    secret: str = ""  # the name of the environment variable
    issuer: str = ""
    authorize_url: str = ""
    token_url: str = ""
    userinfo_url: str = ""
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    claims: Mapping[str, str] = dc_field(default_factory=dict)  # subject, email, name, groups


@dataclass(frozen=True)
class LdapSource(Source):
    """A directory that people's passwords are in."""

    server: str = ""
    start_tls: bool = False
    search: str = ""
    filter: str = ""
    bind_user: str = ""
    bind_password: str = ""  # the name of the environment variable
    username: str = ""  # "uid=%s,ou=people,dc=acme": how a name becomes the one to bind with, without a bind_user
    attributes: Mapping[str, str] = dc_field(default_factory=dict)  # user, email, first_name, last_name, groups


@dataclass(frozen=True)
class SamlSource(Source):
    """A SAML identity provider."""

    entity_id: str = ""
    sso_url: str = ""
    certificate: str = ""
    attributes: Mapping[str, str] = dc_field(default_factory=dict)  # email, name, groups


@dataclass(frozen=True)
class Lockout:
    """After how many failures an account is closed, and for how long."""

    attempts: int = 10
    lasts: timedelta = timedelta(minutes=15)


@dataclass(frozen=True)
class SessionLimits:
    """When a session ends: unused, at the latest, and both with "Stay signed in on this device"."""

    idle: timedelta = timedelta(hours=12)
    absolute: timedelta = timedelta(days=7)
    remember: timedelta = timedelta(days=30)


@dataclass(frozen=True)
class SignIn:
    """`sign_in:` of tenant.yaml, resolved."""

    password: bool = True
    min_length: int = 10
    second_factor: SecondFactor = "optional"
    lockout: Lockout = Lockout()
    sessions: SessionLimits = SessionLimits()
    oauth: Mapping[str, OAuthSource] = dc_field(default_factory=dict)
    ldap: LdapSource | None = None
    saml: Mapping[str, SamlSource] = dc_field(default_factory=dict)

    @property
    def takes_passwords(self) -> bool:
        """Whether the sign-in page has a form at all."""
        return self.password or self.ldap is not None

    def source(self, means: str) -> Source | None:
        """The source of a means: "oauth:company", "saml:company", "ldap"."""
        kind, _, key = means.partition(":")
        if kind == "ldap":
            return self.ldap
        sources: Mapping[str, Mapping[str, Source]] = {"oauth": self.oauth, "saml": self.saml}
        return sources.get(kind, {}).get(key)


@dataclass(frozen=True)
class MailTokens:
    """Where the tokens come from that are shown to a mail server instead of a password (OAuth 2.0, XOAUTH2)."""

    token_url: str
    client_id: str
    client_secret: str = ""  # the name of the environment variable
    refresh_token: str = ""  # the same; "": the program's own right (client credentials)
    scope: str = ""


@dataclass(frozen=True)
class Incoming:
    """The mailbox that mail comes in by, read by IMAP."""

    server: str
    port: int = 993
    security: Literal["starttls", "tls", "none"] = "tls"
    user: str = ""
    password: str = ""  # the name of the environment variable
    folder: str = "INBOX"
    every: timedelta = timedelta(minutes=2)
    oauth2: MailTokens | None = None


@dataclass(frozen=True)
class MailAccount:
    """The server that mail goes out by in one name, and the mailbox where the answers arrive."""

    server: str
    port: int = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password: str = ""  # the name of the environment variable
    sender: str = ""
    reply_to: str = ""
    key: str = ""  # "": the tenant's first
    rate: int = 0  # letters in a minute; 0: as many as there are
    incoming: Incoming | None = None
    track: Tracking | None = None  # None: nothing is said
    reply_tokens: bool = False  # answers arrive at an address of their letter's own: crm+token@…
    oauth2: MailTokens | None = None


@dataclass(frozen=True)
class MessageWay:
    """The gateway that messages of one channel go out by."""

    adapter: str
    url: str = ""
    secret: str = ""  # the name of the environment variable
    user: str = ""
    sender: str = ""
    rate: int = 0
    quiet: Quiet | None = None
    incoming: str = ""  # the name of the environment variable that answers are signed with; "": none are taken
