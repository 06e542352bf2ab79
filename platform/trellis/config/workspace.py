"""Where the layers are: the core at the root, templates/<name>, tenants/<slug>."""

from __future__ import annotations

from pathlib import Path

from trellis.config.layer import FOLDERS, ROOT_FILES, Layer, layer_from_files, read_documents, read_layer

__all__ = ["Workspace"]
MANIFESTS = {"templates": "template.yaml", "tenants": "tenant.yaml"}
HERE = Path(__file__).parents[3]  # the folder that this Trellis stands in, with the core it comes with


class Workspace:
    """A folder with the core CRM's layer, industry templates and tenants."""

    def __init__(self, root: Path | str = ".") -> None:
        self.root = Path(root)

    def core(self) -> Layer:
        """The core CRM."""
        return read_layer(self.root, "core", self._shown(self.root))

    def templates(self) -> list[str]:
        """The names of the templates."""
        return self._names("templates", "template.yaml")

    def tenants(self) -> list[str]:
        """The slugs of the tenants."""
        return self._names("tenants", "tenant.yaml")

    def template(self, name: str) -> Layer:
        """A template's layer."""
        return self._layer("templates", name)

    def tenant(self, slug: str) -> Layer:
        """A tenant's layer."""
        return self._layer("tenants", slug)

    def layers_for_tenant(self, slug: str) -> list[Layer]:
        """The core, the tenant's template with what that builds on, and the tenant."""
        return self._below(self.tenant(slug))

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
        while (name := _builds_on(layers[0])) is not None:
            base = self.template(name)
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


def _builds_on(layer: Layer) -> str | None:
    for document in read_documents(layer).documents:
        word = {"tenant": "template", "template": "builds_on"}.get(document.kind)
        if word is not None:
            value = document.data.get(word)
            name = value.split(" ")[0] if isinstance(value, str) else ""
            return name if name and name not in ("core", "nothing") else None
    return None


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
