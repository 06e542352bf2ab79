"""What several tests of mail share: an authority of our own, whose certificates are believed."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


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
