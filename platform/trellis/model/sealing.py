"""Secrets at rest: sealed with the installation's key, opened only where they are used."""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

_PREFIX = "sealed:"
_keys: list[Fernet] = []


class NoKey(RuntimeError):
    """The installation's key was not given; `storage.secrets.use_installation_key` does it at the start."""


def use_keys(*keys: bytes) -> None:
    """Set the installation's keys: the first seals, all of them open (so that a key can be changed)."""
    _keys[:] = [Fernet(key) for key in keys]


def _cipher() -> MultiFernet:
    if not _keys:
        raise NoKey("no secret key: set TRELLIS_SECRET_KEY, or let storage.secrets make var/secret.key")
    return MultiFernet(_keys)


def seal(text: str) -> str:
    """A text, encrypted."""
    return _PREFIX + _cipher().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """The text that was sealed. Raises ValueError when it was sealed with another key."""
    try:
        return _cipher().decrypt(sealed.removeprefix(_PREFIX).encode()).decode()
    except InvalidToken as fault:
        raise ValueError("sealed with another key") from fault


def is_sealed(text: str) -> bool:
    """Whether a text was sealed with one of this installation's keys."""
    if not text.startswith(_PREFIX):
        return False
    try:
        unseal(text)
    except ValueError:
        return False
    return True
