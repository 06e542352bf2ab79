"""`trellis template`, as typed: what is said, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.packaging.vets import MANIFEST, SECOND, packed

from trellis.cli.installation import Installation
from trellis.cli.template import command
from trellis.packaging.keys import SigningKey, make_key
from trellis.packaging.package import build
from trellis.packaging.store import Store
from trellis.storage.catalogue import Catalogue
from trellis.web.settings import Settings


@pytest.fixture
def here(store: Store, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Commands work on the test's installation."""
    monkeypatch.setenv("TRELLIS_ROOT", str(store.workspace.root))
    monkeypatch.setenv("TRELLIS_TEMPLATES", str(store.folder))
    monkeypatch.chdir(tmp_path)

    @contextmanager
    def opened() -> Iterator[Installation]:
        yield Installation(Settings.from_environment(), catalogue, store.workspace)

    monkeypatch.setattr("trellis.cli._template.installing.installation", opened)
    monkeypatch.setattr("trellis.cli._template.upgrading.installation", opened)
    return tmp_path


def run(*words: str) -> Result:
    result = CliRunner().invoke(command, list(words))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def vet(folder: Path) -> Path:
    """The template in files, as whoever makes it has it."""
    (folder / "vet" / "schemas").mkdir(parents=True)
    (folder / "vet" / "template.yaml").write_text(MANIFEST.format(version="1.1.0"), "utf-8")
    (folder / "vet" / "schemas" / "animal.yaml").write_text(SECOND, "utf-8")
    return folder / "vet"


def test_from_the_folder_to_the_store(here: Path, store: Store) -> None:
    assert "fingerprint" in run("key", "paws.key", "--name", "Paws").output
    folder = vet(here)
    for _ in range(2):  # the same once more is the same
        packed_ = run("pack", str(folder), "--sign", "paws.key", "--root", str(here))
        assert packed_.exit_code == 0, packed_.output
    (folder / "README.md").write_text("# More\n", "utf-8")
    again = run("pack", str(folder), "--sign", "paws.key", "--root", str(here))
    assert again.exit_code == 1
    assert "raise `version`" in again.output
    (folder / "schemas" / "animal.yaml").write_text("entity: animal\nfeilds: {}\n", "utf-8")
    broken = run("pack", str(folder), "--root", str(here))
    assert broken.exit_code == 1
    assert "E203" in broken.output

    file = "vet-1.1.0.template.zip"
    shown = run("show", file).output
    assert "signed by  Paws" in shown
    assert "not trusted here" in shown
    assert "trellis >=1.0, core ^1" in shown
    refused = run("install", file)
    assert refused.exit_code == 1
    assert "whose key is not trusted here" in refused.output
    assert run("trust", "paws.key.pub").exit_code == 0
    assert run("install", file).exit_code == 0
    assert list(store.workspace.versions("vet")) == ["1.1.0"]
    assert "vet" in run("list").output
    assert run("uninstall", "vet").exit_code == 0
    assert run("trust", "Paws", "--remove").exit_code == 0
    assert "not installed" in run("uninstall", "vet").output


def test_what_is_no_package_is_told_in_a_sentence(here: Path) -> None:
    (here / "no.zip").write_bytes(b"nothing")
    for word in ("show", "install"):
        result = run(word, "no.zip")
        assert result.exit_code == 1
        assert result.output.startswith("Error: no.zip is no package of a template")


def test_an_upgrade_shows_first_and_does_when_told(
    here: Path, store: Store, key: SigningKey, clinics: list[str], catalogue: Catalogue
) -> None:
    again = run("upgrade", "plain-vet")
    assert "plain-vet is on it already." in again.output
    package = packed("1.1.0", SECOND, key)
    (here / "new.zip").write_bytes(build(package.manifest, package.files, key))
    assert run("install", "new.zip").exit_code == 0
    assert "plain-vet is on vet 1.0.0: trellis template upgrade plain-vet 1.1.0" in run("list").output

    shown = run("upgrade", "own-vet", "--yes")
    assert shown.exit_code == 1  # it would lose a column
    assert "vet 1.0.0 → 1.1.0" in shown.output
    assert "entity.animal.fields.breed is called race now" in shown.output
    assert "schemas/own.yaml:6:3: breed → race" in shown.output
    assert "the tenant's Pet stays" in shown.output
    assert "it needs --allow-destroy" in shown.output
    assert {catalogue.entry(slug).revision for slug in clinics} == {1}

    done = run("upgrade", "--all", "--template", "vet", "--allow-destroy", "--yes", "--format", "json")
    assert done.exit_code == 0, done.output
    told = {one["tenant"]: one for one in json.loads(done.output)}
    assert {slug: (one["outcome"], one["revision"]) for slug, one in told.items()} == {
        "own-vet": ("done", 2),
        "plain-vet": ("done", 2),
    }
    refused = run("uninstall", "vet", "1.1.0")
    assert refused.exit_code == 1
    assert "in use: own-vet, plain-vet" in refused.output
    assert "race: {label: Kind of animal}" in (here / "tenants/own-vet/schemas/own.yaml").read_text("utf-8")


def test_a_strange_key_of_the_same_name_is_not_trusted(here: Path) -> None:
    make_key(here / "a.key", "Paws")
    make_key(here / "b.key", "Paws")
    run("trust", "a.key.pub")
    assert run("pack", str(vet(here)), "--sign", "b.key", "--root", str(here)).exit_code == 0
    assert run("install", "vet-1.1.0.template.zip").exit_code == 1
