"""An installation with a store of templates, and two clinics on the first version of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.packaging.vets import CORE, FIRST, OWN, OWN_TEXTS, packed

from trellis.config.workspace import Workspace
from trellis.packaging.keys import SigningKey, make_key
from trellis.packaging.provision import provision, system_store
from trellis.packaging.store import Store
from trellis.storage.catalogue import Catalogue


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return make_key(tmp_path_factory.mktemp("keys") / "paws.key", "Paws & Co")


@pytest.fixture
def store(tmp_path: Path, key: SigningKey) -> Store:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "templates").mkdir()
    (tmp_path / "schemas" / "core.yaml").write_text(CORE, "utf-8")
    made = Store(Workspace(tmp_path, tmp_path / "store"))
    made.folder.mkdir()
    made.trusted.add(key.public)
    return made


@pytest.fixture
def clinic(store: Store, key: SigningKey, catalogue: Catalogue) -> Iterator[Callable[[str], str]]:
    """Makes tenants of the first version: `own-vet` has changed things, any other only uses it."""
    store.install(packed("1.0.0", FIRST, key))
    made: list[str] = []

    def make(slug: str) -> str:
        own = {"schemas/own.yaml": OWN, "i18n/zh-Hans.yaml": OWN_TEXTS} if slug == "own-vet" else {}
        folder = store.workspace.root / "tenants" / slug
        for name, text in {"tenant.yaml": f"tenant: {slug}\ntemplate: vet ^1.0  # ours\n", **own}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, "utf-8")
        assert provision(catalogue, slug, store.workspace.layers_for_tenant(slug), "test") == []
        made.append(slug)
        rex = {"name": "Rex", "breed": "Collie", "colour": "black", "species": "cat"}
        system_store(catalogue.get(slug)).create("animal", rex)
        return slug

    yield make
    for slug in made:
        catalogue.drop(slug)


@pytest.fixture
def clinics(clinic: Callable[[str], str]) -> list[str]:
    """One that only uses the template, and one that has changed things."""
    return [clinic("plain-vet"), clinic("own-vet")]
