"""The installation's key, which seals secrets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cryptography.fernet import Fernet

from trellis.model import sealing


@pytest.fixture(autouse=True)
def key() -> Iterator[bytes]:
    """A key of this test's own."""
    before = list(sealing._keys)
    made = Fernet.generate_key()
    sealing.use_keys(made)
    yield made
    sealing._keys[:] = before
