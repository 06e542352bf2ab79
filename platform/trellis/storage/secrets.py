"""The installation's secret key: from TRELLIS_SECRET_KEY, else a file that is made on the first start."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet

from trellis.model.sealing import use_keys_from

OLD = "TRELLIS_SECRET_KEY_OLD"  # while one passphrase takes another's place


def installation_key(var: Path) -> bytes:
    """The key that seals. TRELLIS_SECRET_KEY may be any passphrase; var/secret.key is only readable by its owner."""
    return installation_keys(var)[0]


def installation_keys(var: Path) -> list[bytes]:
    """The keys: the first seals, the others open what was sealed before it. See storage/rotation.py."""
    if given := os.environ.get("TRELLIS_SECRET_KEY"):
        old = os.environ.get(OLD)
        return [_as_key(given), *([_as_key(old)] if old else [])]
    path = key_file(var)
    if not path.exists():
        _make_key(path)
    keys = [_as_key(line) for line in path.read_text(encoding="ascii").split()]
    return [*keys, *([_as_key(old)] if (old := os.environ.get(OLD)) else [])]


def key_file(var: Path) -> Path:
    """Where the keys lie, one to a line, when the environment has none."""
    return var / "secret.key"


def write_keys(var: Path, keys: Sequence[bytes]) -> None:
    """Put keys into the file in one step: nobody ever sees it half-written."""
    path = key_file(var)
    draft = _draft(path, b"\n".join(keys) + b"\n")
    draft.replace(path)


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = _draft(path, Fernet.generate_key())
    # Of several processes that start at once, one's key stands.
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()


def _draft(path: Path, content: bytes) -> Path:
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _as_key(text: str) -> bytes:
    try:
        Fernet(text)
    except ValueError:
        return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
    return text.encode()


def use_installation_key(var: Path) -> None:
    """Let secrets be sealed and opened; called at the start of every process, which follows a new key by itself."""
    use_keys_from(lambda: installation_keys(var))


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
