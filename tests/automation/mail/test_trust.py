"""Encrypted ways to mail servers: certificates are checked, and what is wrong is said in words."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.automation.mail.imap import PASSWORD, USER, Post, imap_server
from tests.automation.mail.mailbox import Mailbox, mail_server

from trellis.automation.mail.account import Account
from trellis.automation.mail.delivery import deliver
from trellis.automation.mail.incoming.mailbox import opened
from trellis.automation.mail.letter import Letter
from trellis.automation.mail.trust import NotTrusted
from trellis.model.sign_in import Incoming

LETTER = Letter("Hello", "Hello", ("You",))


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _sign(builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey, over: bool = False) -> x509.Certificate:
    today = datetime.now(UTC)
    until = today - timedelta(days=1) if over else today + timedelta(days=1)
    dated = builder.not_valid_before(today - timedelta(days=2)).not_valid_after(until)
    return dated.serial_number(x509.random_serial_number()).sign(key, hashes.SHA256())


Serve = Callable[..., ssl.SSLContext]


@pytest.fixture
def certified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Serve:
    """An authority of our own that is trusted, and how a server gets a certificate of it."""
    root = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder().subject_name(_name("Test CA")).issuer_name(_name("Test CA"))
    ca = _sign(
        builder.public_key(root.public_key()).add_extension(x509.BasicConstraints(ca=True, path_length=0), True), root
    )
    (tmp_path / "ca.pem").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))

    def serve(address: str = "127.0.0.1", *, over: bool = False) -> ssl.SSLContext:
        own = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
        plain = x509.CertificateBuilder().subject_name(_name("mail")).issuer_name(ca.subject)
        made = _sign(plain.public_key(own.public_key()).add_extension(names, False), root, over)
        key = own.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (tmp_path / "own.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM) + key)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(tmp_path / "own.pem")
        return context

    return serve


def send(mailbox: Mailbox, security: str) -> None:
    account = Account("127.0.0.1", mailbox.port, security, "crm@acme.example", is_tenants=True)  # type: ignore[arg-type]
    deliver(account, LETTER.message(account, "ann@x.example", uuid4()), "ann@x.example", timeout=5)


def read(post: Post) -> Iterator[int]:
    with opened(Incoming("127.0.0.1", post.port, "tls", USER), PASSWORD, timeout=5) as mailbox:
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
