"""trellis import and export, as typed."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result

from trellis.cli import main
from trellis.storage.tenant import Tenant


@pytest.fixture
def trellis(tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command against the sample tenant, in a folder of its own."""

    @contextmanager
    def installation() -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(settings=SimpleNamespace(var=tmp_path / "var"), tenant=lambda slug: tenant)

    monkeypatch.setattr("trellis.cli.import_.installation", installation)
    monkeypatch.setattr("trellis.cli.export.installation", installation)
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(main, list(words), catch_exceptions=False)


def outcomes(path: str) -> list[list[str]]:
    return list(csv.reader(Path(path).read_text("utf-8-sig").splitlines()))


def test_a_file_goes_in_and_out(trellis: Callable[..., Result]) -> None:
    Path("accounts.csv").write_text("name,industry,employees\nAcme,Food,12\nGlobex,mining,1\n=Evil,other,\n", "utf-8")
    dry = trellis("import", "t", "account", "accounts.csv", "--dry-run")
    assert "Would be: 3 rows: 2 created, 0 updated, 0 skipped, 1 failed" in dry.output
    done = trellis("import", "t", "account", "accounts.csv", "--outcome", "told.csv")
    assert done.exit_code == 1
    assert "accounts.csv:3: industry: “mining” is not one of the choices: Retail, Food, Other." in done.output
    header, acme, globex, evil = outcomes("told.csv")
    assert header == ["row", "outcome", "id", "message"]
    assert [acme[1], globex[1], evil[1]] == ["created", "failed", "created"]
    assert [row[0] for row in (acme, globex, evil)] == ["2", "3", "4"]

    out = trellis("export", "t", "account", "--columns", "name,industry", "--filter", "employees > 1")
    assert out.output.splitlines() == ["name,industry", "Acme,food"]
    trellis("export", "t", "account", "--out", "all.csv", "--excel")
    assert Path("all.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert "'=Evil" in Path("all.csv").read_text("utf-8-sig")
    again = trellis("import", "t", "account", "all.csv")
    assert again.exit_code == 0
    assert "2 rows: 0 created, 0 updated, 2 skipped, 0 failed" in again.output


def test_what_does_not_fit_is_told(trellis: Callable[..., Result]) -> None:
    Path("a.csv").write_text("nam\nAcme\n", "utf-8")
    wrong = trellis("import", "t", "account", "a.csv")
    assert wrong.exit_code == 2
    assert "a.csv: column 'nam': account has no field 'nam' (did you mean 'name'?)" in wrong.output
    assert "no entity acount" in trellis("import", "t", "acount", "a.csv").output
    assert not Path("a.outcome.csv").exists()
    assert "no entity acount" in trellis("export", "t", "acount").output
    assert trellis("export", "t", "account", "--filter", "employees >").exit_code == 1
    Path("map.yaml").write_text("colums: {}\n", "utf-8")
    assert "did you mean 'columns'" in trellis("import", "t", "account", "a.csv", "--map", "map.yaml").output
