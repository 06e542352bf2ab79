"""The installation's secret key: from TRELLIS_SECRET_KEY, else a file that is made on the first start."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet

from trellis.model.sealing import use_keys


def installation_key(var: Path) -> bytes:
    """The key. TRELLIS_SECRET_KEY may be any passphrase; var/secret.key is only readable by its owner."""
    if given := os.environ.get("TRELLIS_SECRET_KEY"):
        return _as_key(given)
    path = var / "secret.key"
    var.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f"secret.key.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(Fernet.generate_key())
            file.flush()
            os.fsync(file.fileno())
        # Of several processes that start at once, one's key stands, and it is never seen half-written.
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return _as_key(path.read_text(encoding="ascii").strip())


def _as_key(text: str) -> bytes:
    try:
        Fernet(text)
    except ValueError:
        return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
    return text.encode()


def use_installation_key(var: Path) -> None:
    """Let fields of type secret be sealed and opened; called once at the start of every process."""
    use_keys(installation_key(var))


class MissingSecret(LookupError):
    """The YAML names a secret, and the environment does not have it."""


def secret_name(slug: str, name: str) -> str:
    """The environment variable of a secret. Its prefix keeps tenants from naming each other's, or the platform's."""
    return f"TENANT_{slug.upper().replace('-', '_')}__{name}"


def tenant_secret(slug: str, name: str, environ: Mapping[str, str] = os.environ) -> str:
    """A tenant's secret, by the name that its YAML gives. Raises MissingSecret."""
    variable = secret_name(slug, name)
    found = environ.get(variable)
    if not found:
        raise MissingSecret(f"the environment variable {variable} is not set")
    return found
