"""Encrypted ways to mail servers: certificates are checked, and what is wrong is said in words."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from tests.automation.mail.conftest import Serve
from tests.automation.mail.imap import PASSWORD, USER, Post, imap_server
from tests.automation.mail.mailbox import Mailbox, mail_server

from trellis.automation.mail.account import Account
from trellis.automation.mail.delivery import deliver
from trellis.automation.mail.incoming.mailbox import opened
from trellis.automation.mail.letter import Letter
from trellis.automation.mail.trust import NotTrusted
from trellis.model.sign_in import Incoming

LETTER = Letter("Hello", "Hello", ("You",))


def send(mailbox: Mailbox, security: str) -> None:
    account = Account("127.0.0.1", mailbox.port, security, "crm@acme.example", is_tenants=True)  # type: ignore[arg-type]
    deliver(account, LETTER.message(account, "ann@x.example", uuid4()), "ann@x.example", timeout=5)


def read(post: Post, security: str = "tls") -> Iterator[int]:
    with opened(Incoming("127.0.0.1", post.port, security, USER), PASSWORD, timeout=5) as mailbox:  # type: ignore[arg-type]
        yield from mailbox.after(0)


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_letters_go_by_an_encrypted_way(certified: Serve, security: str) -> None:
    with mail_server(**{security: certified()}) as mailbox:
        send(mailbox, security)
        assert mailbox.recipients == ["ann@x.example"]


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize(
    ("address", "over", "said"),
    [("127.0.0.2", False, "another machine"), ("127.0.0.1", True, "out of date")],
)
def test_a_wrong_certificate_is_refused_in_words(
    certified: Serve, security: str, address: str, over: bool, said: str
) -> None:
    with mail_server(**{security: certified(address, over=over)}) as mailbox:
        with pytest.raises(NotTrusted, match=f"the certificate of 127.0.0.1 is not accepted: .*{said}"):
            send(mailbox, security)
        assert mailbox.letters == []


def test_an_authority_that_nobody_knows_is_refused(certified: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    with mail_server(tls=certified()) as mailbox:
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(NotTrusted, match="nobody whom we trust has signed it"):
            send(mailbox, "tls")


def test_a_server_that_does_not_speak_tls_is_told(certified: Serve) -> None:
    with mail_server() as mailbox, pytest.raises(NotTrusted, match="no encrypted connection to"):
        send(mailbox, "tls")


def test_mailboxes_are_read_by_an_encrypted_way(certified: Serve) -> None:
    with imap_server(certified()) as post:
        assert list(read(post)) == []
    with imap_server(certified("127.0.0.2")) as post, pytest.raises(NotTrusted, match="another machine"):
        list(read(post))


def test_mailboxes_are_read_by_starttls(certified: Serve) -> None:
    with imap_server(starttls=certified()) as post:
        assert list(read(post, "starttls")) == []
    with imap_server(starttls=certified("127.0.0.2")) as post, pytest.raises(NotTrusted, match="another machine"):
        list(read(post, "starttls"))
