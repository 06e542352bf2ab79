"""Tokens shown to a mail server instead of a password: OAuth 2.0 (RFC 6749), XOAUTH2 of Google and Microsoft."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

import orjson

from trellis.automation.outgoing import OutgoingFailed
from trellis.automation.outgoing.request import Limits, send
from trellis.model.sign_in import MailTokens
from trellis.storage.secrets import tenant_secret

LIMITS = Limits(size=64_000, whole=True)
SOON = 120  # seconds before its end from which on a token is not used any more
USUAL = 3600  # how long one lasts where that is not said
MOST = 1000  # that are remembered


class NoToken(OSError):
    """No token was given: the text says who has refused it, and why."""


@dataclass(frozen=True)
class Tokens:
    """Who asks for tokens, and by what right."""

    url: str
    client: str
    secret: str = field(default="", repr=False)
    refresh: str = field(default="", repr=False)
    scope: str = ""

    def token(self) -> str:
        """A token that is good for a while yet. Raises NoToken, OutgoingFailed."""
        with _lock:
            known = _known.get(self)
        if known is not None and known[1] > time.monotonic():
            return known[0]
        token, lasts = self._ask()
        with _lock:
            if len(_known) >= MOST:
                _known.clear()
            _known[self] = token, time.monotonic() + max(0, lasts - SOON)
        return token

    def forget(self) -> None:
        """The server does not take the token: the next time another one is asked for."""
        with _lock:
            _known.pop(self, None)

    def proof(self, user: str) -> str:
        """What a mail server is told: whose mailbox, and the token."""
        return f"user={user}\1auth=Bearer {self.token()}\1\1"

    def _ask(self) -> tuple[str, float]:
        asked = {"grant_type": "refresh_token", "refresh_token": self.refresh}
        asked = asked if self.refresh else {"grant_type": "client_credentials"}
        asked |= {"client_id": self.client, "client_secret": self.secret, "scope": self.scope}
        body = urlencode({name: value for name, value in asked.items() if value}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        host = urlsplit(self.url).hostname or self.url
        try:
            answer = send("POST", self.url, body=body, headers=headers, limits=LIMITS)
        except OutgoingFailed as failed:
            raise type(failed)(failed.code, f"no token for the mailbox: {host}: {failed}") from failed
        try:
            said = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            said = None
        said = said if isinstance(said, dict) else {}
        token = said.get("access_token")
        if answer.status != 200 or not isinstance(token, str) or not token.isascii() or "\1" in token:
            why = str(said.get("error_description") or said.get("error") or f"status {answer.status}")
            raise NoToken(f"{host} gives no token for the mailbox: {why.splitlines()[0][:200]}")
        lasts = said.get("expires_in")
        return token, float(lasts) if isinstance(lasts, (int, float, str)) and str(lasts).isdigit() else USUAL


_lock = threading.Lock()
_known: dict[Tokens, tuple[str, float]] = {}


def tokens_of(slug: str, said: MailTokens, environ: Mapping[str, str] = os.environ) -> Tokens:
    """What a tenant's manifest says of tokens, with the secrets of the environment. Raises MissingSecret."""
    secret = tenant_secret(slug, said.client_secret, environ) if said.client_secret else ""
    refresh = tenant_secret(slug, said.refresh_token, environ) if said.refresh_token else ""
    return Tokens(said.token_url, said.client_id, secret, refresh, said.scope)
