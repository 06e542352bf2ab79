"""Carrying an upgrade out: the revision, what of the seed data is new, and the tenant's folder where it has one."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trellis.packaging.provision import system_store
from trellis.records.transfer import load_data
from trellis.storage.apply import ApplyRefused as Refused
from trellis.storage.apply import apply

if TYPE_CHECKING:
    from trellis.config.layer import Layer
    from trellis.config.workspace import Workspace
    from trellis.packaging.upgrading.planning import Upgrade
    from trellis.storage.catalogue import Catalogue
    from trellis.storage.tenant import Tenant

__all__ = ["Refused", "carry_out", "write_own"]


def carry_out(
    catalogue: Catalogue, upgrade: Upgrade, who: str, *, allow_destroy: bool = False
) -> tuple[Tenant, list[str]]:
    """Apply an upgrade; the tenant as it is then, and what of the seed data could not be loaded. Raises Refused."""
    assert upgrade.plan is not None
    before = set(upgrade.tenant.model.entities)
    applied = apply(catalogue, upgrade.plan, who, upgrade.why, allow_destroy=allow_destroy)
    return applied, load_new(applied, upgrade.layers, set(applied.model.entities) - before)


def load_new(tenant: Tenant, layers: Sequence[Layer], entities: set[str]) -> list[str]:
    """Load seed data of entities that are new: what the tenant made of the others' records is its own business."""
    files = [
        path
        for layer in layers
        if layer.path is not None
        for path in sorted((layer.path / "data" / "seed").glob("*"))
        if path.stem in entities
    ]
    if not files:
        return []
    with tempfile.TemporaryDirectory(prefix="trellis-") as place:
        folder = Path(place) / "data" / "seed"
        folder.mkdir(parents=True)
        for path in files:
            shutil.copy(path, folder / path.name)
        return list(load_data(system_store(tenant), [Path(place)], "seed").failures)


def write_own(workspace: Workspace, upgrade: Upgrade, before: Layer) -> tuple[list[Path], list[Path]]:
    """Bring a tenant's folder along: (files that were written, files that say something else and stay).

    `before` is what the upgrade began with: what was live, or the folder where it was put right.
    """
    folder = before.path or workspace.root / "tenants" / upgrade.tenant.slug
    old = before.text()
    written, differing = [], []
    for name, text in upgrade.own.text().items():
        path = folder / name
        if text == old.get(name) or not path.is_file():
            continue
        if path.read_bytes().decode("utf-8", "replace").removeprefix("\ufeff") == old.get(name, "").removeprefix(
            "\ufeff"
        ):
            path.write_bytes(text.encode())
            written.append(path)
        else:
            differing.append(path)
    return written, differing
