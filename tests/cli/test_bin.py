"""trellis bin, as typed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result

from trellis.cli import main
from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.storage.tenant import Tenant


@pytest.fixture
def trellis(tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    @contextmanager
    def installation() -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(settings=SimpleNamespace(var=tmp_path / "var"), tenant=lambda slug: tenant)

    monkeypatch.setattr("trellis.cli.bin.installation", installation)
    return lambda *words: CliRunner().invoke(main, ["bin", *words], catch_exceptions=False)


def test_the_bin_is_shown_and_emptied_by_age(trellis: Callable[..., Result], tenant: Tenant) -> None:
    store = Store(tenant, Principal.system(Reader()))
    assert trellis("list", "t").output == "The bin is empty.\n"
    store.delete("account", store.create("account", {"name": "Gone"}).id)
    assert trellis("list", "t").output == "account: 1, each stays until it is deleted for good\n"
    assert trellis("purge", "t").output == "Nothing is old enough.\n"
    for age in ("1 day", "40000 days"):
        assert trellis("purge", "t", "--older-than", age).output == "Nothing is old enough.\n"
    assert (
        trellis("purge", "t", "--older-than", "0 days", "--dry-run").output == "account: 1 would be deleted for good\n"
    )
    assert trellis("purge", "t", "--older-than", "0 days").output == "account: 1 deleted for good\n"
    assert trellis("list", "t").output == "The bin is empty.\n"


@pytest.mark.parametrize("age", ["soon", "-3 days", ""])
def test_an_age_that_is_none_is_told(trellis: Callable[..., Result], age: str) -> None:
    result = trellis("purge", "t", "--older-than", age)
    assert result.exit_code == 2
    assert f"'{age}' is no length of time; write 90 days" in result.output
