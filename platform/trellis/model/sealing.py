"""Secrets at rest: sealed with the installation's key, opened only where they are used."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

PREFIX = "sealed:"
FRESH = 5.0  # seconds that the keys are believed to be the latest
_keys: list[Fernet] = []
_source: list[Callable[[], Sequence[bytes]]] = []
_read_at = [0.0]


class NoKey(RuntimeError):
    """The installation's key was not given; `storage.secrets.use_installation_key` does it at the start."""


def use_keys(*keys: bytes) -> None:
    """Set the installation's keys: the first seals, all of them open (so that a key can be changed)."""
    _source.clear()
    _keys[:] = [Fernet(key) for key in keys]


def use_keys_from(source: Callable[[], Sequence[bytes]]) -> None:
    """Take the keys from where they may change while this process runs: it follows within seconds."""
    use_keys(*source())
    _source[:] = [source]
    _read_at[0] = time.monotonic()


def _follow(*, now: bool = False) -> None:
    """Read the keys anew if it is time to, or if something does not open with those that are known."""
    if _source and (now or time.monotonic() - _read_at[0] > FRESH):
        _read_at[0] = time.monotonic()
        _keys[:] = [Fernet(key) for key in _source[0]()]


def _cipher() -> MultiFernet:
    _follow()
    if not _keys:
        raise NoKey("no secret key: set TRELLIS_SECRET_KEY, or let storage.secrets make var/secret.key")
    return MultiFernet(_keys)


def seal(text: str) -> str:
    """A text, encrypted."""
    return PREFIX + _cipher().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """The text that was sealed. Raises ValueError when it was sealed with another key."""
    token = sealed.removeprefix(PREFIX).encode()
    try:
        return _cipher().decrypt(token).decode()
    except InvalidToken:
        _follow(now=True)  # another process may have changed the key a moment ago
    try:
        return _cipher().decrypt(token).decode()
    except InvalidToken as fault:
        raise ValueError("sealed with another key") from fault


def is_sealed(text: str) -> bool:
    """Whether a text was sealed with one of this installation's keys."""
    if not text.startswith(PREFIX):
        return False
    try:
        unseal(text)
    except ValueError:
        return False
    return True


def is_current(sealed: str) -> bool:
    """Whether a text was sealed with the key that seals now. Asks no source: whoever rotates knows the keys."""
    try:
        _keys[0].decrypt(sealed.removeprefix(PREFIX).encode())
    except InvalidToken:
        return False
    return True


def reseal(sealed: str) -> str:
    """The same secret, sealed with the key that seals now. Raises ValueError when no key opens it."""
    return sealed if is_current(sealed) else seal(unseal(sealed))
