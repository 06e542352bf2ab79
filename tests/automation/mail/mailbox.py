"""A real mail server on loopback, which keeps what it is given."""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from trellis.automation.outgoing.addresses import VARIABLE


@dataclass
class Mailbox:
    """What has arrived. `refuse`: what the server says to recipients instead of taking their mail."""

    letters: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    refuse: str = ""
    port: int = 0
    token: str = ""  # who signs in shows it by XOAUTH2

    async def auth_XOAUTH2(self, server: Any, args: list[str]) -> Any:
        """Let somebody in by the token; a refusal is said in a question first, as Google does."""
        said = base64.b64decode(args[1]) if len(args) > 1 else b""
        if said == f"user=crm\1auth=Bearer {self.token}\1\1".encode():
            return AuthResult(success=True, auth_data="crm")
        answer = await server.challenge_auth('{"status":"401"}')
        return AuthResult(success=False, handled=False, message="535 5.7.8 not accepted" if answer == b"" else "500 no")

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        """Take a recipient, or not."""
        if self.refuse:
            return self.refuse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """Keep a letter."""
        letter = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        self.recipients += envelope.rcpt_tos
        return "250 OK"

    @property
    def profile(self) -> str:
        """`mail:` of a tenant.yaml that sends here."""
        return (
            f"mail: {{server: 127.0.0.1, port: {self.port}, security: none, from: 'Acme <crm@acme.example>', "
            "reply_to: help@acme.example}\n"
        )

    def link(self) -> str:
        """The address that the last letter's button leads to."""
        text = self.letters[-1].get_body(("plain",))
        assert text is not None
        return next(line for line in text.get_content().splitlines() if line.startswith("http"))


@contextmanager
def loopback() -> Iterator[None]:
    """The operator lets mail go to this machine: else a tenant could have it sent to what lies inside."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = "127.0.0.0/8"
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before


@contextmanager
def mail_server(tls: ssl.SSLContext | None = None, starttls: ssl.SSLContext | None = None) -> Iterator[Mailbox]:
    """A server for the time of a test, which may speak TLS."""
    mailbox = Mailbox(port=_free_port())
    controller = Controller(mailbox, hostname="127.0.0.1", port=mailbox.port, ssl_context=tls, tls_context=starttls)
    controller.start()
    try:
        with loopback():
            yield mailbox
    finally:
        settle(controller.loop)
        controller.stop()


def settle(loop: asyncio.AbstractEventLoop) -> None:
    """Let a server end what it is at: a client that went away in the middle leaves nothing open."""

    async def end() -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        _done, pending = await asyncio.wait(tasks, timeout=0.1) if tasks else (set(), set())
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        await asyncio.sleep(0.01)  # for transports that close at the end of their turn

    asyncio.run_coroutine_threadsafe(end(), loop).result(5)


def _free_port() -> int:
    """The controller cannot choose one: it calls itself at the port that it was told."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port
