"""Handing one letter to a mail server. Where a tenant says which, it is one outside, as for every request."""

from __future__ import annotations

import smtplib
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from trellis.automation.mail.trust import in_words, trusted
from trellis.automation.outgoing.machines import connect

if TYPE_CHECKING:
    from email.message import EmailMessage

    from trellis.automation.mail.account import Account

TIMEOUT = 15  # seconds for each answer of the server


class _Checked(smtplib.SMTP):
    """SMTP to a machine whose address is looked at first."""

    def _get_socket(self, host: str, port: int, timeout: Any) -> socket.socket:
        return connect(host, port, timeout)


class _CheckedTls(smtplib.SMTP_SSL):
    """The same with TLS from the beginning; the certificate is that of the name."""

    def _get_socket(self, host: str, port: int, timeout: Any) -> socket.socket:
        return self.context.wrap_socket(connect(host, port, timeout), server_hostname=host)


def deliver(account: Account, message: EmailMessage, to: str, timeout: float = TIMEOUT) -> None:
    """Hand a letter over. Raises smtplib's exceptions, OSError, OutgoingFailed; certificates are checked, always."""
    with in_words(account.server):
        connected = _connected(account, timeout)
    try:
        if account.security == "starttls":
            with in_words(account.server):
                connected.starttls(context=trusted())
        _sign_in(connected, account)
        connected.send_message(message, to_addrs=[to])
        with suppress(OSError, smtplib.SMTPException):  # the letter is taken: a bad good-bye sends it no second time
            connected.quit()
    finally:
        connected.close()


def _sign_in(connected: smtplib.SMTP, account: Account) -> None:
    if account.tokens is None:
        if account.user:
            connected.login(account.user, account.password)
        return
    proof = account.tokens.proof(account.user)
    connected.ehlo_or_helo_if_needed()
    try:  # a refusal comes as a question that is answered with nothing
        connected.auth("XOAUTH2", lambda asked=None: proof if asked is None else "")
    except smtplib.SMTPAuthenticationError:
        account.tokens.forget()
        raise


def _connected(account: Account, timeout: float) -> smtplib.SMTP:
    if account.security == "tls":
        encrypted = _CheckedTls if account.is_tenants else smtplib.SMTP_SSL
        return encrypted(account.server, account.port, timeout=timeout, context=trusted())
    plain = _Checked if account.is_tenants else smtplib.SMTP
    return plain(account.server, account.port, timeout=timeout)
