"""A mailbox that is read by IMAP. Nothing in it is changed: what was read is noted here, not there."""

from __future__ import annotations

import imaplib
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

from trellis.automation.mail.tokens import Tokens
from trellis.automation.mail.trust import in_words, trusted
from trellis.automation.outgoing.machines import connect
from trellis.model.sign_in import Incoming

TIMEOUT = 30.0  # seconds for each answer of the server
LARGEST = 30_000_000  # bytes of one message; of a larger one only the head is read
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


class _Checked(imaplib.IMAP4):
    """IMAP to a machine whose address is looked at first."""

    def _create_socket(self, timeout: float | None) -> socket.socket:
        return connect(self.host, self.port, timeout)


class _CheckedTls(imaplib.IMAP4_SSL):
    """The same with TLS from the beginning; the certificate is that of the name."""

    def _create_socket(self, timeout: float | None) -> socket.socket:
        plain = connect(self.host, self.port, timeout)
        wrapped: socket.socket = self.ssl_context.wrap_socket(plain, server_hostname=self.host)
        return wrapped


class Refused(Exception):
    """The server does not do what it is asked: the text says what it said."""


class Mailbox:
    """One folder, open for reading."""

    def __init__(self, server: imaplib.IMAP4, folder: str) -> None:
        self._server = server
        quoted = '"' + folder.replace("\\", "\\\\").replace('"', '\\"') + '"'
        self._ask("select", quoted, readonly=True)
        validity = server.response("UIDVALIDITY")[1]
        self.uidvalidity = int(validity[0]) if validity and validity[0] else 0

    def after(self, uid: int) -> list[int]:
        """The numbers of the messages that came after one, the oldest first."""
        found = self._numbers(f"UID {uid + 1}:*")
        return sorted(n for n in found if n > uid)  # `*` is the last message, also when it is an older one

    def since(self, moment: datetime) -> list[int]:
        """The numbers of the messages that came since a day."""
        return sorted(self._numbers(f"SINCE {moment.day:02d}-{_MONTHS[moment.month - 1]}-{moment.year}"))

    def message(self, uid: int) -> tuple[bytes, bool]:
        """A message as it came, and whether that is all of it; a very large one without its content."""
        sized = b" ".join(part for part in self._fetch(uid, "(RFC822.SIZE)") if isinstance(part, bytes))
        size = re.search(rb"RFC822\.SIZE (\d+)", sized)
        whole = size is None or int(size[1]) <= LARGEST
        for part in self._fetch(uid, "(BODY.PEEK[])" if whole else "(BODY.PEEK[HEADER])"):
            if isinstance(part, tuple):
                return part[1], whole
        return b"", whole  # somebody has deleted it meanwhile

    def _numbers(self, wanted: str) -> list[int]:
        (data,) = self._ask("uid", "SEARCH", wanted)[:1]
        return [int(n) for n in (data or b"").split()]

    def _fetch(self, uid: int, what: str) -> list[Any]:
        return self._ask("uid", "FETCH", str(uid), what)

    def _ask(self, command: str, *given: Any, **named: Any) -> list[Any]:
        answer, data = getattr(self._server, command)(*given, **named)
        if answer != "OK":
            said = b" ".join(part for part in data if isinstance(part, bytes)).decode("utf-8", "replace")
            raise Refused(f"the mail server said: {said[:200]}")
        return list(data)


@contextmanager
def opened(incoming: Incoming, password: str | Tokens, timeout: float = TIMEOUT) -> Iterator[Mailbox]:
    """The folder of an account. Raises Refused, OSError, imaplib's errors, OutgoingFailed; certificates are checked."""
    with in_words(incoming.server):
        server = _server(incoming, timeout)
    try:
        if incoming.security == "starttls":
            with in_words(incoming.server):
                server.starttls(ssl_context=trusted())
        try:
            _sign_in(server, incoming.user, password)
        except imaplib.IMAP4.error as refused:
            raise Refused(f"the mail server refuses the sign-in: {refused}") from refused
        yield Mailbox(server, incoming.folder)
    finally:
        with suppress(OSError, imaplib.IMAP4.error):
            server.logout()
        with suppress(OSError):
            server.shutdown()


def _sign_in(server: imaplib.IMAP4, user: str, password: str | Tokens) -> None:
    if isinstance(password, str):
        server.login(user, password)
        return
    proofs = [password.proof(user).encode()]
    try:  # a refusal comes as a question that is answered with nothing
        server.authenticate("XOAUTH2", lambda _asked: proofs.pop() if proofs else b"")
    except imaplib.IMAP4.error:
        password.forget()
        raise


def _server(incoming: Incoming, timeout: float) -> imaplib.IMAP4:
    if incoming.security == "tls":
        return _CheckedTls(incoming.server, incoming.port, ssl_context=trusted(), timeout=timeout)
    return _Checked(incoming.server, incoming.port, timeout=timeout)
