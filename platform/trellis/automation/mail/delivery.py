"""Handing one letter to a mail server."""

from __future__ import annotations

import smtplib
import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from email.message import EmailMessage

    from trellis.automation.mail.account import Account

TIMEOUT = 15  # seconds for each answer of the server


def deliver(account: Account, message: EmailMessage, to: str, timeout: float = TIMEOUT) -> None:
    """Hand a letter over. Raises smtplib's exceptions and OSError; certificates are checked, always."""
    with _connected(account, timeout) as server:
        if account.security == "starttls":
            server.starttls(context=ssl.create_default_context())
        if account.user:
            server.login(account.user, account.password)
        server.send_message(message, to_addrs=[to])


def _connected(account: Account, timeout: float) -> smtplib.SMTP:
    if account.security == "tls":
        return smtplib.SMTP_SSL(account.server, account.port, timeout=timeout, context=ssl.create_default_context())
    return smtplib.SMTP(account.server, account.port, timeout=timeout)
