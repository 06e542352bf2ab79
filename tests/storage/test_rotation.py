"""Another key: everything sealed is sealed anew, also after an interruption, and nothing is lost on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from trellis.formula.reader import Reader
from trellis.model import sealing
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.storage import rotation
from trellis.storage.rotation import count_old, sweep
from trellis.storage.secrets import installation_keys, key_file, use_installation_key, write_keys
from trellis.storage.tenant import Tenant

OLD, NEW, OTHER = (Fernet.generate_key() for _ in range(3))


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before, source = list(sealing._keys), list(sealing._source)
    monkeypatch.delenv("TRELLIS_SECRET_KEY", raising=False)
    monkeypatch.setattr(rotation, "AT_ONCE", 3)
    sealing.use_keys(OLD)
    yield
    sealing._keys[:] = before
    sealing._source[:] = source


@pytest.fixture
def safe(make_tenant: Callable[..., Tenant]) -> Tenant:
    """Ten records with a secret, one without, a webhook and a second factor."""
    tenant = make_tenant("entity: safe\nfields: {name: {type: text}, pin: {type: secret}}\n")
    store = Store(tenant, Principal.system(Reader()))
    for n in range(10):
        store.create("safe", {"name": f"S{n}", "pin": f"pin {n}"})
    store.create("safe", {"name": "sealed: only a word"})
    tables = tenant.tables.platform
    hook = {"id": uuid4(), "name": "x", "url": "x", "entity": "*", "events": ["created"], "owner": uuid4()}
    with tenant.begin() as connection:
        connection.execute(sa.insert(tables.webhook).values(**hook, secret=sealing.seal("hook"), state="paused"))
        connection.execute(sa.insert(tables.factor).values(user=uuid4(), secret=sealing.seal("totp")))
    return tenant


def secrets_of(tenant: Tenant) -> list[str]:
    found = []
    with tenant.begin() as connection:
        for table, column in rotation.sealed_columns(tenant):
            if table.name in ("safe", "_webhook", "_factor"):
                rows = connection.execute(sa.select(column).where(column.is_not(None)))
                found += [sealing.unseal(value) for (value,) in rows]
    return sorted(found)


def test_everything_is_sealed_anew(safe: Tenant) -> None:
    before = secrets_of(safe)
    assert len(before) == 12
    sealing.use_keys(NEW, OLD)
    assert count_old(safe) == 12
    swept = sweep(safe)
    assert (swept.resealed, swept.lost, count_old(safe)) == (12, 0, 0)
    sealing.use_keys(NEW)  # the old key is gone
    assert secrets_of(safe) == before
    store = Store(safe, Principal.system(Reader()))
    assert store.list("safe", columns=["name"], where=['name == "sealed: only a word"']).rows


def test_an_interrupted_one_goes_on(safe: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    before = secrets_of(safe)
    sealing.use_keys(NEW, OLD)
    real, calls = rotation._sweep_some, []

    def killed(*args: object) -> object:
        calls.append(args)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(rotation, "_sweep_some", killed)
    with pytest.raises(KeyboardInterrupt):
        sweep(safe)
    monkeypatch.setattr(rotation, "_sweep_some", real)
    assert 0 < count_old(safe) < 12
    assert secrets_of(safe) == before
    sweep(safe)
    sealing.use_keys(NEW)
    assert secrets_of(safe) == before


def test_what_no_key_opens_is_left_as_it_is(safe: Tenant) -> None:
    sealing.use_keys(OTHER)
    assert sweep(safe).lost == 12
    sealing.use_keys(NEW, OLD)
    assert sweep(safe).resealed == 12


def test_a_process_follows_a_new_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_installation_key(tmp_path)
    first = sealing.seal("one")
    [old] = installation_keys(tmp_path)
    assert key_file(tmp_path).stat().st_mode & 0o077 == 0
    write_keys(tmp_path, [NEW, old])
    elsewhere = Fernet(NEW).encrypt(b"two").decode()
    assert sealing.unseal(f"sealed:{elsewhere}") == "two"  # at once: it does not open with what was known
    assert sealing.unseal(first) == "one"
    assert sealing.is_current(sealing.seal("three"))
    assert Fernet(NEW).decrypt(sealing.seal("four").removeprefix("sealed:").encode()) == b"four"
    assert key_file(tmp_path).stat().st_mode & 0o077 == 0


def test_passphrases_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRELLIS_SECRET_KEY", "first")
    use_installation_key(tmp_path)
    sealed = sealing.seal("x")
    monkeypatch.setenv("TRELLIS_SECRET_KEY", "second")
    monkeypatch.setenv("TRELLIS_SECRET_KEY_OLD", "first")
    use_installation_key(tmp_path)
    assert not sealing.is_current(sealed)
    assert sealing.unseal(sealing.reseal(sealed)) == "x"
    assert not key_file(tmp_path).exists()
