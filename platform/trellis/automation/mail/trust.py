"""Encrypted ways to mail servers: whose certificates are believed, and what is said of one that is not."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

OUTDATED, OTHER_NAME = 10, (62, 64)  # of OpenSSL; the second of numbers


class NotTrusted(OSError):
    """A server's certificate is not believed: the text says whose, and why."""


def trusted() -> ssl.SSLContext:
    """Certificates are checked, always: by the system's authorities, or those of SSL_CERT_FILE."""
    return ssl.create_default_context()


@contextmanager
def in_words(server: str) -> Iterator[None]:
    """Says in words what is wrong with an encrypted way. Raises NotTrusted."""
    try:
        yield
    except ssl.SSLCertVerificationError as refused:
        if refused.verify_code == OUTDATED:
            why = "it is out of date"
        elif refused.verify_code in OTHER_NAME:
            why = "it is that of another machine"
        else:
            why = f"nobody whom we trust has signed it ({refused.verify_message})"
        raise NotTrusted(f"the certificate of {server} is not accepted: {why}") from refused
    except ssl.SSLError as refused:
        said = (refused.reason or "").replace("_", " ").lower()
        why = "it does not speak TLS there" if "wrong version" in said or "packet" in said else said or "it broke off"
        raise NotTrusted(f"no encrypted connection to {server}: {why}") from refused
