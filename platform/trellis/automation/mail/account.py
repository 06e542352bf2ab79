"""The server that mail goes out by: the tenant's own, else the installation's."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote, urlsplit

import structlog

from trellis.storage.secrets import MissingSecret, tenant_secret

if TYPE_CHECKING:
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


def account_of(tenant: Tenant, environ: Mapping[str, str] = os.environ) -> Account | None:
    """The account; None when none is set up, or its password is missing (which the log tells)."""
    said = tenant.profile.mail
    if said is None:
        return _installation(environ)
    try:
        password = tenant_secret(tenant.slug, said.password, environ) if said.password else ""
    except MissingSecret as missing:
        log.warning("no mail is sent", tenant=tenant.slug, why=str(missing))
        return None
    return Account(said.server, said.port, said.security, said.sender, said.user, password, said.reply_to)


def is_set_up(tenant: Tenant) -> bool:
    """Whether letters can go out."""
    return account_of(tenant) is not None


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
