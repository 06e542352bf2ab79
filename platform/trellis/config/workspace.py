"""Where the layers are: the core at the root, templates/<name>, tenants/<slug>, and the store of installed templates.

An installed template lies at `<store>/<name>/<version>/`, several versions beside each other. `template: retail ^1.4`
is the newest version that fits, wherever it lies; of the same one, that in templates/ (somebody is at work on it).
"""

from __future__ import annotations

from pathlib import Path

from trellis.config.layer import FOLDERS, ROOT_FILES, Document, Layer, layer_from_files, read_documents, read_layer
from trellis.config.versions import newest, order

__all__ = ["Workspace"]
MANIFESTS = {"templates": "template.yaml", "tenants": "tenant.yaml"}
HERE = Path(__file__).parents[3]  # the folder that this Trellis stands in, with the core it comes with


class Workspace:
    """A folder with the core CRM's layer, industry templates and tenants, and the store of installed templates."""

    def __init__(self, root: Path | str = ".", store: Path | None = None) -> None:
        self.root = Path(root)
        self.store = store

    def core(self) -> Layer:
        """The core CRM."""
        return read_layer(self.root, "core", self._shown(self.root))

    def templates(self) -> list[str]:
        """The names of the templates, those that are installed among them."""
        return sorted({*self._names("templates", "template.yaml"), *self.installed()})

    def tenants(self) -> list[str]:
        """The slugs of the tenants."""
        return self._names("tenants", "tenant.yaml")

    def installed(self) -> dict[str, list[str]]:
        """The versions in the store by template, the oldest first."""
        found: dict[str, list[str]] = {}
        for path in self.store.glob("*/*/template.yaml") if self.store is not None else ():
            if not path.parts[-3].startswith("."):
                found.setdefault(path.parts[-3], []).append(path.parts[-2])
        return {name: sorted(versions, key=order) for name, versions in found.items()}

    def versions(self, name: str) -> dict[str, Path]:
        """Where each version of a template lies, the oldest first."""
        found = {v: self.store / name / v for v in self.installed().get(name, ()) if self.store is not None}
        own = self.root / "templates" / name
        if (own / "template.yaml").is_file():
            found[_version(own / "template.yaml")] = own
        return {version: found[version] for version in sorted(found, key=order)}

    def template(self, name: str, wanted: str = "") -> Layer:
        """A template's layer: the newest version that a range takes, the newest of all if it takes none."""
        there = self.versions(name)
        version = newest(there, wanted) or newest(there)
        if version is None or there[version].parent == self.root / "templates":
            return self._layer("templates", name)
        return read_layer(there[version], f"templates/{name}", f"templates/{name}@{version}")

    def tenant(self, slug: str) -> Layer:
        """A tenant's layer."""
        return self._layer("tenants", slug)

    def layers_for_tenant(self, slug: str) -> list[Layer]:
        """The core, the tenant's template with what that builds on, and the tenant."""
        return self.layers_for(self.tenant(slug))

    def layers_for(self, layer: Layer) -> list[Layer]:
        """A layer with everything that its manifest builds on before it."""
        return self._below(layer)

    def layers_for_path(self, path: Path | str) -> list[Layer]:
        """The layers that end in what stands at a path: a tenant, a template, the core, or loose YAML on the core."""
        path = Path(path)
        if path.is_file():
            return self._for_file(path)
        resolved, root = path.resolve(), self.root.resolve()
        if resolved == root:
            return [self.core()]
        for folder, name in MANIFESTS.items():
            if resolved.parent == root / folder or (path / name).is_file():
                layer = read_layer(path, f"{folder}/{path.resolve().name}")
                return self._below(layer)
        if (path / "schemas").is_dir() or (path / "workflows").is_dir():
            layer = read_layer(path, path.resolve().name)
            return [layer] if not self._has_core() else [self.core(), layer]
        if (around := self._layer_around(path)) is not None:
            return self.layers_for_path(around)
        return self._loose(path, sorted(p for p in path.rglob("*") if p.suffix in (".yaml", ".yml")))

    def stacks_for_path(self, path: Path | str) -> list[list[Layer]]:
        """As layers_for_path; a folder that holds several templates or tenants, and is no layer itself, gives each."""
        return [self.layers_for_path(inner) for inner in layers_in(Path(path)) or [Path(path)]]

    def _for_file(self, path: Path) -> list[Layer]:
        layer = self._layer_around(path)
        return self._loose(path.parent, [path]) if layer is None else self.layers_for_path(layer)

    def _layer_around(self, path: Path) -> Path | None:
        """The layer's folder that a file or folder is in."""
        resolved, root = path.resolve(), self.root.resolve()
        for parent in resolved.parents:
            if any((parent / name).is_file() for name in ROOT_FILES):
                return parent
            if parent == root:
                return root if resolved.relative_to(root).parts[0] in FOLDERS else None
        return None

    def _loose(self, folder: Path, paths: list[Path]) -> list[Layer]:
        shown = self._shown(folder)
        files: dict[str, str | bytes] = {p.relative_to(folder).as_posix(): p.read_bytes() for p in paths}
        layer = layer_from_files(folder.resolve().name, files, shown)
        return self._below(layer)

    def _below(self, layer: Layer) -> list[Layer]:
        """The layer with everything that its manifest builds on before it."""
        layers = [layer]
        seen = {layer.name}
        while (found := _builds_on(layers[0])) is not None:
            name, wanted = found
            base = self.template(name, wanted)
            if not base.files and layer.path is not None and (beside := layer.path.parent / name).is_dir():
                base = read_layer(beside, f"templates/{name}")
            if base.name in seen or not base.files:
                break
            seen.add(base.name)
            layers.insert(0, base)
        return [self.core(), *layers] if self._has_core() else layers

    def _has_core(self) -> bool:
        return (self.root / "schemas").is_dir()

    def _layer(self, folder: str, name: str) -> Layer:
        path = self.root / folder / name
        return read_layer(path, f"{folder}/{name}", self._shown(path))

    def _names(self, folder: str, manifest: str) -> list[str]:
        return sorted(p.parent.name for p in (self.root / folder).glob(f"*/{manifest}"))

    def _shown(self, path: Path) -> str:
        """The path as a person who stands in the working folder writes it, else from the workspace's root."""
        for base in (Path.cwd(), self.root.resolve()):
            try:
                shown = path.resolve().relative_to(base).as_posix()
            except ValueError:
                continue
            return "" if shown == "." else shown
        return path.as_posix()


def manifest_of(layer: Layer) -> Document | None:
    """The document of a layer's template.yaml or tenant.yaml."""
    return next((d for d in read_documents(layer).documents if d.kind in ("tenant", "template")), None)


def _builds_on(layer: Layer) -> tuple[str, str] | None:
    """The name of the template that a layer stands on, and the versions of it that it takes."""
    document = manifest_of(layer)
    if document is None:
        return None
    value = document.data.get({"tenant": "template", "template": "builds_on"}[document.kind])
    name, _, wanted = value.partition(" ") if isinstance(value, str) else ("", "", "")
    if not name or name in ("core", "nothing"):
        return None
    requires = document.place.children.get("requires")
    if not wanted and requires is not None and name in requires.children:
        wanted = requires.children[name].raw or ""
    return name, wanted.strip()


def _version(manifest: Path) -> str:
    """The version that a template's manifest says."""
    document = manifest_of(layer_from_files(manifest.parent.name, {manifest.name: manifest.read_bytes()}))
    place = document.place.children.get("version") if document is not None else None
    return (place.raw or "") if place is not None else ""


def layers_in(path: Path) -> list[Path]:
    """The templates and tenants that a folder holds beside each other or by their kind, if it is no layer itself."""
    if not path.is_dir() or any((path / name).exists() for name in ("schemas", "workflows", *MANIFESTS.values())):
        return []
    places = [(path, name) for name in MANIFESTS.values()]
    places += [(path / folder, name) for folder, name in MANIFESTS.items()]
    return [manifest.parent for folder, name in places for manifest in sorted(folder.glob(f"*/{name}"))]


def find_root(path: Path) -> Path:
    """The nearest folder upwards that holds a core: schemas/ beside templates/ or tenants/.

    Without one: this Trellis's own for a template or tenant that stands alone, else the working folder.
    """
    for start in (path.resolve(), Path.cwd()):
        for folder in (start, *start.parents):
            is_layer = (folder / "template.yaml").is_file() or (folder / "tenant.yaml").is_file()
            if (
                not is_layer
                and (folder / "schemas").is_dir()
                and ((folder / "templates").is_dir() or (folder / "tenants").is_dir())
            ):
                return folder
    alone = any((path / name).is_file() for name in MANIFESTS.values()) or layers_in(path)
    return HERE if alone and (HERE / "schemas").is_dir() else Path.cwd()
