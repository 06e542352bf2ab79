"""The servers that mail goes out by: the tenant's own, else the installation's; and the mailboxes that are read."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote, urlsplit

import structlog

from trellis.automation.mail.tokens import Tokens, tokens_of
from trellis.model.tracking import Tracking
from trellis.storage.secrets import MissingSecret, tenant_secret

if TYPE_CHECKING:
    from trellis.model.sign_in import Incoming, MailAccount
    from trellis.storage.tenant import Tenant

log = structlog.get_logger()
INSTALLATION = "TRELLIS_SMTP_URL"  # smtp://user:password@host:587 · smtps://…:465 · smtp://localhost:25?security=none
SENDER = "TRELLIS_MAIL_FROM"
Security = Literal["starttls", "tls", "none"]


@dataclass(frozen=True)
class Account:
    """Where letters are handed over, and in whose name."""

    server: str
    port: int
    security: Security
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)
    reply_to: str = ""
    key: str = ""
    rate: int = 0  # letters in a minute; 0: as many as there are
    is_tenants: bool = False  # a tenant has named the server: it has to lie outside
    track: Tracking | None = None
    reply_tokens: bool = False
    tokens: Tokens | None = None  # where there are, they stand for the password

    @property
    def address(self) -> str:
        """The address alone."""
        return parseaddr(self.sender)[1]


def account_of(tenant: Tenant, environ: Mapping[str, str] = os.environ, *, key: str = "") -> Account | None:
    """The first account or the one of that key; None when it is not set up, or has no password (the log tells)."""
    said = tenant.profile.mail_accounts.get(key) if key else tenant.profile.mail
    if said is None:
        return _installation(environ) if not key else None
    try:
        password = tenant_secret(tenant.slug, said.password, environ) if said.password else ""
        tokens = tokens_of(tenant.slug, said.oauth2, environ) if said.oauth2 is not None else None
    except MissingSecret as missing:
        log.warning("no mail is sent", tenant=tenant.slug, why=str(missing))
        return None
    return Account(
        said.server,
        said.port,
        said.security,
        said.sender,
        said.user,
        password,
        said.reply_to,
        said.key,
        said.rate,
        is_tenants=True,
        track=said.track,
        reply_tokens=said.reply_tokens,
        tokens=tokens,
    )


def is_set_up(tenant: Tenant) -> bool:
    """Whether letters can go out."""
    return account_of(tenant) is not None


def accounts_said(tenant: Tenant) -> Iterator[MailAccount]:
    """Every account that the tenant's manifest names, the first one first."""
    if tenant.profile.mail is not None:
        yield tenant.profile.mail
    yield from tenant.profile.mail_accounts.values()


def mail_secrets(said: MailAccount) -> list[str]:
    """The secrets that an account and its mailbox need, by the names that the manifest gives them."""
    proofs: list[MailAccount | Incoming] = [said, *([said.incoming] if said.incoming is not None else [])]
    found = [proof.password for proof in proofs]
    for proof in proofs:
        if proof.oauth2 is not None:
            found += [proof.oauth2.client_secret, proof.oauth2.refresh_token]
    return [name for name in dict.fromkeys(found) if name]


def key_of(tenant: Tenant, named: str) -> str | None:
    """The key of the account that is named by its key or its address; None when there is none."""
    for said in accounts_said(tenant):
        if named and named.lower() in (said.key.lower(), parseaddr(said.sender)[1].lower()):
            return said.key
    return None


def own_addresses(tenant: Tenant) -> frozenset[str]:
    """The addresses that letters of ours come from."""
    found = {parseaddr(text)[1].lower() for said in accounts_said(tenant) for text in (said.sender, said.reply_to)}
    installed = _installation(os.environ)
    return frozenset(found | ({installed.address.lower()} if installed is not None else set())) - {""}


def _installation(environ: Mapping[str, str]) -> Account | None:
    given, sender = environ.get(INSTALLATION), environ.get(SENDER)
    if not given or not sender:
        return None
    parts = urlsplit(given)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        log.warning("no mail is sent", why=f"{INSTALLATION} is no address like smtp://user:password@host:587")
        return None
    security: Security = "tls" if parts.scheme == "smtps" else "starttls"
    if "security=none" in parts.query:
        security = "none"
    port = parts.port or {"tls": 465, "starttls": 587, "none": 25}[security]
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return Account(parts.hostname, port, security, sender, user, password)
