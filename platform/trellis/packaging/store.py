"""The store of installed templates: `<store>/<name>/<version>/`, several versions beside each other.

It is files, not rows of the catalogue: layers are folders wherever they come from, `trellis check` and `plan` find them
without a database, and their `data/` is read from where they lie. No server needs it to serve, for a revision holds the
whole configuration; it is asked only when a tenant is made or changed. Where commands are run on several machines, the
store is a folder that all of them see (`TRELLIS_TEMPLATES`).
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trellis.config.layer import Layer, read_layer
from trellis.config.problem import did_you_mean
from trellis.config.workspace import Workspace
from trellis.model.compile import compile_layers
from trellis.packaging.keys import PublicKey, TrustedKeys
from trellis.packaging.manifest import manifest
from trellis.packaging.package import INDEX, SIGNATURE, unpack
from trellis.packaging.requirements import raise_unmet
from trellis.packaging.signer import index_in, signer_in
from trellis.storage.catalogue import BrokenConfiguration

if TYPE_CHECKING:
    from trellis.packaging.package import Package
    from trellis.packaging.usage import Use

KEYS = ".keys"


class NotInstalled(ValueError):
    """A package is not installed, or not taken away, and why."""


@dataclass(frozen=True)
class Installed:
    """One version of a template that tenants can be built on."""

    name: str
    version: str
    path: Path
    is_own: bool  # in templates/, where it is worked on; else in the store
    signer: PublicKey | None = None


class Store:
    """The templates of an installation."""

    def __init__(self, workspace: Workspace) -> None:
        if workspace.store is None:
            raise ValueError("a store needs a folder")
        self.workspace = workspace
        self.folder = workspace.store
        self.trusted = TrustedKeys(self.folder / KEYS)

    def list(self) -> Sequence[Installed]:
        """Every template in every version."""
        own = self.workspace.root / "templates"
        return [
            Installed(name, version, path, path.parent == own, signer_in(path))
            for name in self.workspace.templates()
            for version, path in self.workspace.versions(name).items()
        ]

    def install(self, package: Package, *, unsigned: bool = False, trust: bool = False) -> Installed:
        """Put a package into the store; one that is there already stays.

        Raises NotInstalled for a signature that is not trusted and for another package of the same version, and
        BrokenConfiguration if it does not work with the core and the templates that are here.
        """
        manifest = package.manifest
        self._check_signer(package, unsigned=unsigned, trust=trust)
        target = self.folder / manifest.name / manifest.version
        made = Installed(manifest.name, manifest.version, target, False, package.signer)
        if target.is_dir():
            if index_in(target) != package.index:
                raise NotInstalled(
                    f"{manifest.title} is installed already, with another content: a version is never changed. "
                    "Ask whoever made it for a new version."
                )
            return made
        self.check(package)
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=self.folder) as place:
            folder = Path(place) / manifest.version
            folder.mkdir()
            unpack(package, folder)
            (folder / INDEX).write_bytes(package.index)
            if package.signer is not None:
                (folder / SIGNATURE).write_text(f"{package.signer}\n", "utf-8")
            try:
                folder.rename(target)
            except OSError:
                if index_in(target) != package.index:  # else somebody has installed the same at the same moment
                    raise
        if trust and package.signer is not None:
            self.trusted.add(package.signer)
        return made

    def check(self, package: Package) -> Sequence[Layer]:
        """The layers that a package stands on, with it. Raises BrokenConfiguration and NotInstalled."""
        base = package.manifest.builds_on
        if base and base not in ("core", "nothing") and base not in self.workspace.templates():
            raise NotInstalled(f"{package.manifest.title} builds on {base}, which is not here: install that first")
        layers = self.workspace.layers_for(package.layer)
        raise_unmet(layers)
        compiled = compile_layers(layers)
        if not compiled.is_sound:
            raise BrokenConfiguration(compiled.problems)
        return layers

    def _check_signer(self, package: Package, *, unsigned: bool, trust: bool) -> None:
        signer, title = package.signer, package.manifest.title
        if signer is None:
            if not unsigned:
                raise NotInstalled(
                    f"{title} is not signed: nobody can say who made it, and whether it was changed on its way. "
                    "If you know where it comes from, install it with --unsigned."
                )
        elif not trust and not self.trusted.has(signer):
            raise NotInstalled(
                f"{title} is signed by “{signer.name}”, whose key is not trusted here ({signer.fingerprint}). Compare "
                "the fingerprint with what they tell you, by another way than the package came; then install with "
                "--trust, or use `trellis template trust` with their key."
            )

    def uninstall(self, name: str, version: str, used: Sequence[Use]) -> Sequence[str]:
        """Take a version (or, without one, every version) away that no tenant is built on; the versions that went.

        Tenants' data is not touched, nor their configuration: it stands whole in their revisions.
        """
        there = self.workspace.installed().get(name, [])
        if not there:
            own = self.workspace.root / "templates" / name
            if own.is_dir():
                raise NotInstalled(f"{name} was not installed: it lies in {own}, where it is worked on")
            hint = did_you_mean(name, self.workspace.installed())
            raise NotInstalled(f"{name} is not installed" + (f" ({hint})" if hint else ""))
        if version and version not in there:
            raise NotInstalled(f"{name} is not installed as {version}: {', '.join(there)}")
        going = [version] if version else list(there)
        holding = [use.slug for use in used if use.versions.get(name) in going]
        if holding:
            which = f"{name} {version}" if version else name
            raise NotInstalled(
                f"{which} is in use: {', '.join(holding)}. Upgrade these tenants to another version first."
            )
        left = set(self.workspace.versions(name)) - set(going)
        above = [] if left else [one.name for one in self.list() if _builds_on(one.path) == name]
        if above:
            raise NotInstalled(f"{', '.join(above)} builds on {name}: uninstall that first")
        for one in going:
            shutil.rmtree(self.folder / name / one)
        if not any((self.folder / name).iterdir()):
            (self.folder / name).rmdir()
        return going


def _builds_on(folder: Path) -> str:
    return manifest(read_layer(folder, folder.name)).builds_on
