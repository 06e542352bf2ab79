"""The way out: never to the inside, whatever name it goes by; limits of time and size; redirects are not followed."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trellis.automation.outgoing import Limits, OutgoingFailed, OutgoingRefused, check_address, request, send
from trellis.automation.outgoing.addresses import VARIABLE, Allowed, is_outside

INSIDE = """
127.0.0.1 127.8.8.8 0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 100.64.0.1
100.127.255.255 169.254.169.254 169.254.0.1 192.0.0.1 192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1
239.255.255.255 240.0.0.1 255.255.255.255 ::1 :: fe80::1 fc00::1 fd00:ec2::254 ff02::1 fec0::1 2001:db8::1
::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::127.0.0.1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 2002:7f00:1::
2002:a00:1:: 2001:0:53aa:64c:0:fbff:f5ff:fffe 100::1
""".split()
OUTSIDE = (
    "1.1.1.1 8.8.8.8 100.63.255.255 100.128.0.1 172.32.0.1 2606:4700:4700::1111 ::ffff:8.8.8.8 64:ff9b::808:808".split()
)


@pytest.fixture(autouse=True)
def nothing_inside_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mail server of other tests allows this machine's own addresses for as long as it stands."""
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.mark.parametrize("address", INSIDE)
def test_the_inside_is_never_outside(address: str) -> None:
    assert not is_outside(ip_address(address))


@pytest.mark.parametrize("address", OUTSIDE)
def test_the_outside_is(address: str) -> None:
    assert is_outside(ip_address(address))


@given(st.ip_addresses(v=4))
def test_an_address_that_is_mapped_is_judged_as_the_one_it_carries(address: object) -> None:
    assert is_outside(ip_address(f"::ffff:{address}")) == is_outside(address)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://[::1]/",
        "http://[::ffff:169.254.169.254]/latest/meta-data",
        "http://169.254.169.254/latest/meta-data",
        "http://0/",
    ],
)
def test_other_ways_of_writing_the_inside(url: str) -> None:
    with pytest.raises(OutgoingRefused) as refused:
        send("GET", url)
    assert refused.value.code == "address"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://x/",
        "//example.com",
        "https://",
        "http://user:pw@example.com/",
        "http://exa mple.com/",
        "http://example.com/\r\nX: y",
        "http://example.com:99999/",
        "http://" + "a" * 2000,
        "",
    ],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(OutgoingRefused) as refused:
        check_address(url)
    assert refused.value.code == "url"


def test_one_bad_address_of_several_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request.socket, "getaddrinfo", resolver("8.8.8.8", "10.0.0.1"))
    with pytest.raises(OutgoingRefused):
        check_address("https://example.com/")


def test_what_the_operator_lets_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "127.0.0.0/8, erp.example.internal fd00::/8")
    allowed = Allowed.from_environment()
    assert allowed.lets("x", ip_address("127.0.0.9"))
    assert allowed.lets("ERP.example.internal.", ip_address("10.0.0.1"))
    assert not allowed.lets("erp.example.com", ip_address("10.0.0.1"))
    monkeypatch.setenv(VARIABLE, "10.0.0.0/99")
    with pytest.raises(ValueError, match="is no network"):
        Allowed.from_environment()


# a machine on loopback, which the operator lets through


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "127.0.0.1")


Serve = Callable[[Callable[[socket.socket], None]], str]


@pytest.fixture
def serve(inside: None) -> Iterator[Serve]:
    listeners: list[socket.socket] = []

    def start(answer: Callable[[socket.socket], None]) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def run() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    try:
                        connection.recv(65536)
                        answer(connection)
                    except OSError:
                        pass

        threading.Thread(target=run, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for listener in listeners:
        listener.close()


def text(body: bytes, status: str = "200 OK", extra: bytes = b"") -> Callable[[socket.socket], None]:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n".encode()
    return lambda connection: connection.sendall(head + extra + b"\r\n" + body)


def test_an_answer(serve: Serve) -> None:
    answer = send("POST", serve(text(b"fine")) + "/x?y=1", body=b"{}")
    assert (answer.status, answer.body) == (200, b"fine")


def test_a_redirect_is_an_answer_and_is_not_followed(serve: Serve) -> None:
    answer = send("POST", serve(text(b"", "302 Found", b"Location: http://127.0.0.1:1/\r\n")), body=b"{}")
    assert answer.status == 302


def test_a_redirect_that_is_followed_does_not_lead_inside(serve: Serve) -> None:
    url = serve(text(b"", "302 Found", b"Location: http://169.254.169.254/\r\n"))
    with pytest.raises(OutgoingRefused):
        send("GET", url, limits=Limits(redirects=3))


def test_a_redirect_that_is_followed(serve: Serve) -> None:
    there = serve(text(b"there"))
    here = serve(text(b"", "302 Found", f"Location: {there}/\r\n".encode()))
    assert send("GET", here, limits=Limits(redirects=1)).body == b"there"
    loop: list[str] = []
    loop.append(serve(lambda c: text(b"", "302 Found", f"Location: {loop[0]}/\r\n".encode())(c)))
    with pytest.raises(OutgoingFailed) as failed:
        send("GET", loop[0], limits=Limits(redirects=3))
    assert failed.value.code == "protocol"


def test_the_name_is_resolved_once_and_the_checked_address_is_connected_to(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = serve(text(b"pinned")).rpartition(":")[2]
    asked: list[object] = []
    real = socket.getaddrinfo

    def rebinding(host: str, *args: object, **options: object) -> object:
        if host == "rebind.example":
            asked.append(host)
            host = "127.0.0.1" if len(asked) == 1 else "127.0.0.2"
        return real(host, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    assert send("GET", f"http://rebind.example:{port}/").body == b"pinned"
    assert len(asked) == 1


def test_a_long_answer_is_cut_or_refused(serve: Serve) -> None:
    url = serve(text(b"x" * 5000))
    assert len(send("GET", url, limits=Limits(size=1000)).body) == 1000
    with pytest.raises(OutgoingFailed) as failed:
        send("GET", url, limits=Limits(size=1000, whole=True))
    assert failed.value.code == "size"


def slowly(connection: socket.socket) -> None:
    for letter in b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100:
        connection.sendall(bytes([letter]))
        time.sleep(0.05)


@pytest.mark.parametrize("answer", [lambda connection: time.sleep(3), slowly], ids=["silent", "slow"])
def test_who_takes_too_long(serve: Serve, answer: Callable[[socket.socket], None]) -> None:
    began = time.monotonic()
    with pytest.raises(OutgoingFailed) as failed:
        send("GET", serve(answer), limits=Limits(total=0.5))
    assert failed.value.code == "timeout"
    assert time.monotonic() - began < 2.5


def test_nobody_there_and_no_http(serve: Serve, inside: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(OutgoingFailed) as failed:
        send("GET", f"http://127.0.0.1:{port}/")
    assert failed.value.code == "connection"
    with pytest.raises(OutgoingFailed) as failed:
        send("GET", serve(lambda connection: connection.sendall(b"hello\r\n\r\n")))
    assert failed.value.code == "protocol"


def test_no_tls_where_tls_is_asked_for(serve: Serve) -> None:
    with pytest.raises(OutgoingFailed) as failed:
        send("GET", serve(text(b"plain")).replace("http:", "https:"))
    assert failed.value.code == "tls"


def resolver(*addresses: str) -> Callable[..., object]:
    return lambda host, port, **_: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in addresses]
