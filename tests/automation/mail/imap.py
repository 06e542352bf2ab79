"""A real IMAP server on loopback, with one mailbox that a test puts messages into."""

from __future__ import annotations

import asyncio
import imaplib
import ssl
import threading
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from proxyprotocol.reader import ProxyProtocolReader
from pymap.backend.dict import DictBackend, Identity
from pymap.exceptions import InvalidAuth
from pymap.imap import IMAPServer
from pysasl import SASLAuth
from pysasl.creds.external import ExternalVerificationRequired
from pysasl.hashing import BuiltinHash
from pysasl.mechanism.oauth import OAuth2Mechanism
from tests.automation.mail.mailbox import loopback, settle

USER, PASSWORD = "crm", "secret"
ARGUMENTS: dict[str, Any] = {
    **{"host": None, "port": 0, "debug": False, "cert": None, "key": None, "tls": False},
    **{"passlib_cfg": None, "proxy_protocol": None},
    **{"demo_data": False, "demo_user": USER, "demo_password": PASSWORD},
}


@dataclass
class Post:
    """The mailbox: what arrives in it is there for whoever reads it."""

    port: int

    def arrives(self, *letters: bytes | str, folder: str = "INBOX") -> None:
        """Put messages into a folder."""
        with imaplib.IMAP4("127.0.0.1", self.port) as server:
            server.login(USER, PASSWORD)
            for letter in letters:
                raw = letter if isinstance(letter, bytes) else letter.encode()
                answer, said = server.append(folder, "", "", raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))  # type: ignore[arg-type]
                assert answer == "OK", said

    @property
    def incoming(self) -> str:
        """`incoming:` of an account."""
        return f"{{server: 127.0.0.1, port: {self.port}, security: none, user: {USER}, password: {{env: IMAP}}}}"


def _with_tokens(backend: Any, config: Any, token: str) -> None:
    """Let people in by that token alone, as XOAUTH2 has it."""

    async def authenticate(credentials: Any) -> Identity:
        try:
            credentials.verify(None)
        except ExternalVerificationRequired as asked:
            if asked.token == token:
                return Identity(USER, backend.login, None, frozenset())
        raise InvalidAuth

    only = property(lambda _config: SASLAuth([OAuth2Mechanism()]))
    config.__class__ = type("WithTokens", (type(config),), {"__slots__": (), "tls_auth": only})
    backend.login.authenticate = authenticate


@contextmanager
def imap_server(
    tls: ssl.SSLContext | None = None, *, starttls: ssl.SSLContext | None = None, token: str = ""
) -> Iterator[Post]:
    """A server for the time of a test; `tls`: from the beginning; `starttls`: later; `token`: instead of a password."""
    loop = asyncio.new_event_loop()
    started: list[Any] = []
    ready = threading.Event()

    async def serve() -> None:
        arguments = Namespace(**{**ARGUMENTS, "tls": starttls is not None})
        options = {"hash_context": BuiltinHash(rounds=1), "ssl_context": starttls}
        backend, config = await DictBackend.init(arguments, **options)
        if token:
            _with_tokens(backend, config, token)
        serving = ProxyProtocolReader(config.proxy_protocol).get_callback(IMAPServer(backend.login, config))
        server = await asyncio.start_server(serving, "127.0.0.1", 0, ssl=tls)
        started.append(server)
        ready.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(serve())
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        with loopback():
            yield Post(started[0].sockets[0].getsockname()[1])
    finally:
        loop.call_soon_threadsafe(started[0].close)
        settle(loop)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()
