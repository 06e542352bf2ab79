"""Sending one request: the name is resolved once, its addresses are checked, and the checked one is connected to."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

import urllib3
from urllib3.exceptions import HTTPError, SSLError

from trellis.automation.outgoing.addresses import Allowed, refused
from trellis.automation.outgoing.refusal import OutgoingFailed, OutgoingRefused

PORTS = {"http": 80, "https": 443}
LONGEST_URL = 2000
REDIRECTS = (301, 302, 303, 307, 308)
PRIVATE = frozenset({"authorization", "cookie", "proxy-authorization"})  # headers that go to no other machine


@dataclass(frozen=True)
class Limits:
    """What a request may take."""

    connect: float = 5  # seconds
    total: float = 15  # seconds, from the first byte to the last, however slowly they come
    size: int = 1 << 20  # bytes of the answer that are read
    whole: bool = False  # an answer that is longer is a failure; else it is cut
    redirects: int = 0  # that are followed, each checked like the first address


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    url: str = ""


def check_address(url: str) -> None:
    """Whether an address may be sent to at all, as far as can be told now. Raises OutgoingRefused or OutgoingFailed."""
    _resolve(_parse(url), Allowed.from_environment())


def send(
    method: str,
    url: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    limits: Limits | None = None,
) -> Answer:
    """Send a request to the outside, and read its answer. Raises OutgoingRefused or OutgoingFailed."""
    limits = limits or Limits()
    ends = time.monotonic() + limits.total
    allowed, sent = Allowed.from_environment(), dict(headers or {})
    for _ in range(limits.redirects + 1):
        parsed = _parse(url)
        answer = _send_once(method, parsed, _resolve(parsed, allowed), body, sent, limits, ends)
        location = answer.headers.get("location")
        if answer.status not in REDIRECTS or not location or not limits.redirects:
            return answer
        url = urljoin(url, location)
        if urlsplit(url)[:2] != parsed[:2]:
            sent = {name: value for name, value in sent.items() if name.lower() not in PRIVATE}
        if answer.status == 303 or (answer.status in (301, 302) and method == "POST"):
            method, body = "GET", None
    raise OutgoingFailed("protocol", f"more than {limits.redirects} redirects")


def _parse(url: str) -> SplitResult:
    """The parts of an address, if it is one that may be sent to."""
    if len(url) > LONGEST_URL or any(c.isspace() or ord(c) < 32 for c in url):
        raise OutgoingRefused("url", "the address is too long or has blanks in it")
    try:
        parsed = urlsplit(url)
        _ = parsed.port
    except ValueError as error:
        raise OutgoingRefused("url", "this is no address") from error
    if parsed.scheme not in PORTS or not parsed.hostname:
        raise OutgoingRefused("url", "an address begins with https:// or http:// and the name of a machine")
    if parsed.username is not None or parsed.password is not None:
        raise OutgoingRefused("url", "an address holds no name and password")
    return parsed


def _resolve(url: SplitResult, allowed: Allowed) -> list[str]:
    """The addresses of the machine, all of them outside."""
    host = url.hostname or ""
    try:
        ascii_host = host.encode("idna").decode() if not host.isascii() else host
        found = socket.getaddrinfo(ascii_host, url.port or PORTS[url.scheme], type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise OutgoingFailed("dns", f"there is no machine {host}") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if (inside := refused(host, addresses, allowed)) is not None:
        raise OutgoingRefused("address", f"{host} is {inside}, which lies inside")
    return addresses


def _send_once(
    method: str,
    url: SplitResult,
    addresses: list[str],
    body: bytes | None,
    headers: Mapping[str, str],
    limits: Limits,
    ends: float,
) -> Answer:
    failure: OutgoingFailed | None = None
    for address in addresses[:2]:  # the next one only when this one cannot be connected to
        try:
            return _exchange(method, url, address, body, headers, limits, ends)
        except OutgoingFailed as error:
            if error.code != "connection":
                raise
            failure = error
    raise failure or OutgoingFailed("dns", "the machine has no address")


def _exchange(
    method: str,
    url: SplitResult,
    address: str,
    body: bytes | None,
    headers: Mapping[str, str],
    limits: Limits,
    ends: float,
) -> Answer:
    """One connection to one address, whose name is in the request and, for TLS, checked against the certificate."""
    host = url.hostname or ""
    port = url.port or PORTS[url.scheme]
    left = ends - time.monotonic()
    if left <= 0:
        raise OutgoingFailed("timeout", f"no answer within {limits.total:.0f} seconds")
    options: dict[str, Any] = {"timeout": urllib3.Timeout(connect=min(limits.connect, left), read=left), "maxsize": 1}
    if url.scheme == "https":
        options |= {"server_hostname": host, "assert_hostname": host, "cert_reqs": "CERT_REQUIRED"}
        options["ssl_context"] = ssl.create_default_context()
    pool_class = urllib3.HTTPSConnectionPool if url.scheme == "https" else urllib3.HTTPConnectionPool
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    shown = f"[{host}]" if ":" in host else host
    named = {"Host": shown if port == PORTS[url.scheme] else f"{shown}:{port}", "Accept-Encoding": "identity"}
    pool = pool_class(address, port, **options)
    watch = _Watch(pool, left)
    try:
        answer = pool.urlopen(
            method,
            path,
            body=body,
            headers={**headers, **named},
            retries=False,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
        )
        try:
            content = _read(answer, limits)
            given = {name.lower(): value for name, value in answer.headers.items()}
            return Answer(answer.status, given, content, url.geturl())
        finally:
            answer.close()
    except (HTTPError, OSError, ValueError) as error:
        raise _failure(error, is_late=watch.is_over, limits=limits) from error
    finally:
        watch.end()
        pool.close()


def _read(answer: urllib3.BaseHTTPResponse, limits: Limits) -> bytes:
    """As much of the answer as is wanted."""
    content = b""
    while len(content) <= limits.size and (block := answer.read(min(65536, limits.size + 1 - len(content)))):
        content += block
    if len(content) > limits.size and limits.whole:
        raise OutgoingFailed("size", f"the answer is longer than {limits.size} bytes")
    return content[: limits.size]


class _Watch:
    """Breaks the connection when the time is over: a machine that sends a byte a second is never silent."""

    def __init__(self, pool: urllib3.HTTPConnectionPool, seconds: float) -> None:
        self.is_over = False
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._break)
        self._timer.daemon = True
        made = pool.ConnectionCls.connect
        watch = self

        class Watched(pool.ConnectionCls):  # type: ignore[name-defined, misc]
            """A connection whose socket is known to the watch."""

            def connect(self) -> None:
                made(self)
                watch._sockets.append(self.sock)

        pool.ConnectionCls = Watched
        self._timer.start()

    def _break(self) -> None:
        self.is_over = True
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        """The request is over."""
        self._timer.cancel()


def _failure(error: Exception, *, is_late: bool, limits: Limits) -> OutgoingFailed:
    """What went wrong, in our words: a library's may hold more of the inside than a tenant should read."""
    causes, cause = [], error
    while cause is not None and cause not in causes:
        causes.append(cause)
        cause = getattr(cause, "reason", None) or cause.__cause__  # type: ignore[assignment]
        if not isinstance(cause, Exception):
            break
    if is_late:
        return OutgoingFailed("timeout", f"no answer within {limits.total:.0f} seconds")
    if any(isinstance(c, (urllib3.exceptions.NewConnectionError, ConnectionRefusedError)) for c in causes):
        return OutgoingFailed("connection", "nobody answers at this address")
    if any(isinstance(c, (TimeoutError, urllib3.exceptions.TimeoutError)) for c in causes):
        return OutgoingFailed("timeout", f"no answer within {limits.total:.0f} seconds")
    if any(isinstance(c, (ssl.SSLError, SSLError)) for c in causes):
        return OutgoingFailed("tls", "the certificate is not good for this name, or there is no TLS")
    return OutgoingFailed("protocol", "the connection was broken off, or the answer is no HTTP")
