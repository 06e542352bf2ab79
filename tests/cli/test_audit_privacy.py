"""trellis audit and trellis privacy, as typed."""

from __future__ import annotations

import json
import zipfile
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
from trellis.storage.audit import note
from trellis.storage.catalogue import Catalogue
from trellis.storage.live import owner_connection
from trellis.storage.tenant import Tenant

CRM = """
entity: member
label: Member
title: name
fields:
  name: {type: text, required: true, search: true, personal: true}
  email: {type: email, personal: true}
"""


@pytest.fixture
def tenant(make_tenant: Callable[..., Tenant]) -> Tenant:
    return make_tenant(CRM)


@pytest.fixture
def trellis(
    tenant: Tenant, catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    @contextmanager
    def installation() -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(
            settings=SimpleNamespace(var=tmp_path / "var"), tenant=lambda slug: tenant, catalogue=catalogue
        )

    monkeypatch.setattr("trellis.cli.audit.installation", installation)
    monkeypatch.setattr("trellis.cli.privacy.installation", installation)
    return lambda *words, **more: CliRunner().invoke(main, list(words), catch_exceptions=False, **more)


@pytest.fixture
def store(tenant: Tenant) -> Store:
    return Store(tenant, Principal.system(Reader()))


def test_a_log_that_is_whole_prints_its_head(trellis: Callable[..., Result], tenant: Tenant) -> None:
    checked = trellis("audit", "verify", "--tenant", tenant.slug)
    head = trellis("audit", "head", tenant.slug).output.strip()
    assert checked.exit_code == 0
    assert checked.output == f"{tenant.slug}: 1 entries, nothing wrong. Head {head}\n"
    assert trellis("audit", "verify", "--tenant", tenant.slug, "--head", head).exit_code == 0


def test_what_was_tampered_with_is_named_and_ends_with_1(trellis: Callable[..., Result], tenant: Tenant) -> None:
    with tenant.begin() as connection:
        note(connection, tenant, "sign-in.failed", label="x")
    head = trellis("audit", "head", tenant.slug).output.strip()
    with owner_connection(tenant) as connection, connection.begin():
        for table in ("_audit", "_audit_seal"):
            connection.exec_driver_sql(f'ALTER TABLE "{table}" DISABLE TRIGGER USER')
        connection.exec_driver_sql("DELETE FROM \"_audit\" WHERE kind = 'sign-in.failed'")
    checked = trellis("audit", "verify", "--tenant", tenant.slug, "--head", head)
    assert checked.exit_code == 1
    assert "removed: Entry 2" in checked.output


@pytest.mark.parametrize("words", [("--head", "1:abc"), ("--tenant", "t", "--head", "nonsense")])
def test_a_head_that_is_none_is_told(trellis: Callable[..., Result], words: tuple[str, ...]) -> None:
    assert trellis("audit", "verify", *words).exit_code == 2


def test_the_log_is_taken_along(trellis: Callable[..., Result], tenant: Tenant, tmp_path: Path) -> None:
    out = tmp_path / "audit.jsonl"
    assert trellis("audit", "export", tenant.slug, "--out", str(out)).output == f"1 entries in {out}\n"
    [entry] = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert (entry["kind"], entry["number"], entry["previous"]) == ("company.created", 1, "0" * 64)
    assert '"company.log-exported"' in trellis("audit", "export", tenant.slug).output


def test_a_person_is_shown_given_out_and_erased(
    trellis: Callable[..., Result], tenant: Tenant, store: Store, tmp_path: Path
) -> None:
    id = str(store.create("member", {"name": "Pia Post", "email": "pia@post.example"}).id)
    twin = str(store.create("member", {"name": "P. Post", "email": "pia@post.example"}).id)
    shown = trellis("privacy", "show", tenant.slug, "member", id).output
    assert shown.startswith(f"Pia Post (member {id})\n  their records: 1 member\n")
    assert f"the same person? P. Post: --also member:{twin}" in shown
    out = tmp_path / "copy.zip"
    told = trellis("privacy", "export", tenant.slug, "member", id, "--also", f"member:{twin}", "--out", str(out)).output
    assert told.startswith(f"{out}: 2 records")
    with zipfile.ZipFile(out) as archive:
        assert "Pia Post" in archive.read("index.html").decode()
    asked = trellis("privacy", "erase", tenant.slug, "member", id, input="Pia\n")
    assert asked.exit_code == 1
    assert store.read("member", id).title == "Pia Post"
    done = trellis("privacy", "erase", tenant.slug, "member", id, "--reason", "asked", input="Pia Post\n")
    assert "Erased; the records are called Erased " in done.output
    assert store.read("member", id).title.startswith("Erased ")
    assert store.read("member", twin).title == "P. Post"
    assert trellis("privacy", "erase", tenant.slug, "member", id, "--yes").exit_code == 0


def test_who_is_not_there_is_told(trellis: Callable[..., Result], tenant: Tenant) -> None:
    gone = trellis("privacy", "show", tenant.slug, "member", "01a2b3c4-0000-7000-8000-000000000000")
    assert (gone.exit_code, "there is no such person" in gone.output) == (1, True)
    assert trellis("privacy", "show", tenant.slug, "mamber", "x").exit_code == 1
    assert trellis("privacy", "purge-log", tenant.slug).output == "0 lines removed\n"
