"""Tokens instead of passwords: got once, shown by XOAUTH2, got anew when a server does not take them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs
from uuid import uuid4

import pytest
from tests.automation.mail.conftest import Serve
from tests.automation.mail.imap import USER, imap_server
from tests.automation.mail.mailbox import loopback, mail_server

from trellis.automation.mail import tokens
from trellis.automation.mail.account import Account
from trellis.automation.mail.delivery import deliver
from trellis.automation.mail.incoming.mailbox import Refused, opened
from trellis.automation.mail.letter import Letter
from trellis.automation.mail.tokens import NoToken, Tokens
from trellis.automation.outgoing import OutgoingRefused
from trellis.model.sign_in import Incoming

LETTER = Letter("Hello", "Hello", ("You",))


class Giver(BaseHTTPRequestHandler):
    """Gives tokens, as it is told."""

    asked: ClassVar[list[dict[str, str]]] = []
    answer: ClassVar[tuple[int, Any]] = (200, {})

    def do_POST(self) -> None:
        """Give one."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.asked.append({name: values[0] for name, values in parse_qs(body).items()})
        status, said = self.answer
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(said).encode())

    def log_message(self, *_said: Any) -> None:
        """Nothing is written."""


@pytest.fixture
def giver() -> Iterator[str]:
    """Where tokens are given out: a server on loopback."""
    tokens._known.clear()
    Giver.asked.clear()
    Giver.answer = 200, {"access_token": "good", "expires_in": 3600}
    server = ThreadingHTTPServer(("127.0.0.1", 0), Giver)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    with loopback():
        yield f"http://127.0.0.1:{server.server_port}/token"
    server.shutdown()
    server.server_close()


def mine(url: str, **other: str) -> Tokens:
    return Tokens(url, "trellis", **{"secret": "s3cret", "refresh": "agreed", **other})


def test_a_letter_goes_and_a_mailbox_opens_by_one_token(certified: Serve, giver: str) -> None:
    with mail_server(starttls=certified()) as mailbox:
        mailbox.token = "good"
        account = Account(
            "127.0.0.1", mailbox.port, "starttls", "crm@acme.example", USER, is_tenants=True, tokens=mine(giver)
        )
        deliver(account, LETTER.message(account, "ann@x.example", uuid4()), "ann@x.example", timeout=5)
        assert mailbox.recipients == ["ann@x.example"]
    with (
        imap_server(certified(), token="good") as post,
        opened(Incoming("127.0.0.1", post.port, "tls", USER), mine(giver), timeout=5) as folder,
    ):
        assert folder.after(0) == []
    wanted = {"client_id": "trellis", "client_secret": "s3cret"}
    assert Giver.asked == [{"grant_type": "refresh_token", "refresh_token": "agreed", **wanted}]


def test_a_token_that_is_not_taken_is_got_anew(certified: Serve, giver: str) -> None:
    with mail_server(starttls=certified()) as mailbox:
        mailbox.token = "better"
        account = Account("127.0.0.1", mailbox.port, "starttls", "crm@acme.example", USER, tokens=mine(giver))
        message = LETTER.message(account, "ann@x.example", uuid4())
        with pytest.raises(Exception, match="not accepted"):
            deliver(account, message, "ann@x.example", timeout=5)
        Giver.answer = 200, {"access_token": "better", "expires_in": 3600}
        deliver(account, message, "ann@x.example", timeout=5)
    with imap_server(certified(), token="best") as post:
        incoming = Incoming("127.0.0.1", post.port, "tls", USER)
        with pytest.raises(Refused, match="refuses the sign-in"), opened(incoming, mine(giver), timeout=5):
            pass
    mine(giver).token()
    assert len(Giver.asked) == 3


def test_a_program_has_a_right_of_its_own(giver: str) -> None:
    Giver.answer = 200, {"access_token": "good", "expires_in": "30"}
    app = mine(giver, refresh="", scope="https://outlook.office365.com/.default")
    assert (app.token(), app.token()) == ("good", "good")
    assert [asked["grant_type"] for asked in Giver.asked] == ["client_credentials"] * 2, "it ends too soon to be kept"
    assert Giver.asked[0]["scope"] == "https://outlook.office365.com/.default"


@pytest.mark.parametrize(
    ("status", "answer", "said"),
    [
        (
            400,
            {"error": "invalid_grant", "error_description": "It is revoked.\r\nTrace 1"},
            "It is revoked.$",
        ),
        (200, {"token_type": "Bearer"}, "status 200"),
        (200, {"access_token": "one\1two"}, "no token"),
        (500, ["no"], "status 500"),
    ],
)
def test_who_gives_none_says_why(giver: str, status: int, answer: Any, said: str) -> None:
    Giver.answer = status, answer
    with pytest.raises(NoToken, match=said) as refused:
        mine(giver).token()
    assert "agreed" not in str(refused.value)
    assert "s3cret" not in str(refused.value) + repr(mine(giver))


def test_tokens_are_asked_for_outside_only() -> None:
    with pytest.raises(OutgoingRefused, match="lies inside"):
        mine("http://127.0.0.1:1/token").token()
