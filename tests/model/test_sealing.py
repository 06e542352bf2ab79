"""Secrets are sealed with the installation's key, which may be changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from trellis.formula.reader import Reader
from trellis.model import sealing
from trellis.model.fields import make_type
from trellis.storage.secrets import installation_key


@pytest.fixture(autouse=True)
def keys() -> Iterator[None]:
    before = list(sealing._keys)
    sealing.use_keys(Fernet.generate_key())
    yield
    sealing._keys[:] = before


def test_a_secret_is_never_seen() -> None:
    type = make_type("secret")
    value = type.parse("pa55", Reader())
    shown = [
        type.display(value, Reader()),
        type.search_text(value),
        str(type.to_json(value)),
        str(type.to_columns(value)),
    ]
    assert not any("pa55" in text for text in shown)
    assert sealing.unseal(value) == "pa55"
    assert type.parse(value, Reader()) == value
    assert type.same(value, type.parse("pa55", Reader()))
    assert not type.same(value, type.parse("other", Reader()))


def test_an_old_key_still_opens_and_a_strange_one_does_not() -> None:
    old, new = Fernet.generate_key(), Fernet.generate_key()
    sealing.use_keys(old)
    sealed = sealing.seal("x")
    sealing.use_keys(new, old)
    assert sealing.unseal(sealed) == "x"
    sealing.use_keys(new)
    assert not sealing.is_sealed(sealed)
    with pytest.raises(ValueError, match="another key"):
        sealing.unseal(sealed)
    sealing.use_keys()
    with pytest.raises(sealing.NoKey):
        sealing.seal("x")


def test_the_installation_keeps_its_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRELLIS_SECRET_KEY", raising=False)
    key = installation_key(tmp_path / "var")
    assert installation_key(tmp_path / "var") == key
    assert (tmp_path / "var" / "secret.key").stat().st_mode & 0o077 == 0
    assert [path.name for path in (tmp_path / "var").iterdir()] == ["secret.key"]
    monkeypatch.setenv("TRELLIS_SECRET_KEY", "a passphrase")
    assert installation_key(tmp_path / "var") != key
    Fernet(installation_key(tmp_path / "elsewhere"))
