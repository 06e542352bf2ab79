"""A new template: from the skeleton that comes along, or from a template or tenant that there is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from trellis import CORE_VERSION, __version__
from trellis.config.layer import read_layer
from trellis.config.workspace import manifest_of
from trellis.model.compile.outline import RESERVED_ENTITIES
from trellis.packaging.contents import MANIFEST, contents

SKELETON = Path(__file__).parent / "skeleton"
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
ENTITY = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


class NotMade(ValueError):
    """A template was not made, and why."""


@dataclass(frozen=True)
class Beginning:
    """What a new template is called."""

    name: str
    label: str = ""
    entity: str = "job"
    author: str = "Your company"
    license: str = "Apache-2.0"

    def check(self) -> None:
        """Raise NotMade for what cannot be a name."""
        if not NAME.fullmatch(self.name) or len(self.name) > 48:
            raise NotMade(
                f"'{self.name}' cannot be a template's name: small letters, digits and single hyphens, at most 48"
            )
        if not ENTITY.fullmatch(self.entity) or len(self.entity) > 40 or self.entity in RESERVED_ENTITIES:
            raise NotMade(f"'{self.entity}' cannot be an entity's name: small letters, digits and _, such as work_item")

    def words(self) -> dict[str, str]:
        """What stands for each placeholder of the skeleton."""
        label = self.label or _human(self.name)
        entity = _human(self.entity)
        return {
            "__name__": self.name,
            "__label__": _quoted(label),
            "__label_zh__": _quoted(label),
            "__entity_label__": entity,
            "__entity_plural__": f"{entity[:-1]}ies" if entity.endswith("y") else f"{entity}s",
            "__entity_zh__": "作业" if self.entity == "job" else entity,
            "__entity__": self.entity,
            "__author__": _quoted(self.author),
            "__license__": self.license,
            "__platform__": ".".join(__version__.split(".")[:2]),
            "__core__": CORE_VERSION.split(".")[0],
        }


def begin(target: Path, beginning: Beginning) -> list[str]:
    """Write a new template into a folder that is not there yet; the paths of its files. Raises NotMade."""
    beginning.check()
    words = beginning.words()
    files = {}
    for path in sorted(SKELETON.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            name, text = path.relative_to(SKELETON).as_posix(), path.read_text("utf-8")
            for placeholder, value in words.items():
                name = name.replace(placeholder, value)
                text = text.replace(placeholder, value)
            files[name] = text.encode()
    return _write(target, files)


def begin_from(target: Path, beginning: Beginning, source: Path) -> list[str]:
    """Make a template of another's files, or of what a tenant has of its own; the paths of its files."""
    beginning.check()
    layer = read_layer(source, source.resolve().name)
    document = manifest_of(layer)
    if document is None:
        raise NotMade(f"{source} is neither a template nor a tenant: it has no template.yaml or tenant.yaml")
    files = dict(_own(source))
    if document.kind == "template":
        text = files[MANIFEST].decode()
        text = re.sub(r"(?m)^template:.*$", f"template: {beginning.name}", text, count=1)
        text = re.sub(r"(?m)^version:.*$", "version: 0.1.0", text, count=1)
        files[MANIFEST] = text.encode()
    else:
        files[MANIFEST] = _manifest_upon(beginning, str(document.data.get("template") or "")).encode()
    files.setdefault("README.md", f"# {beginning.label or _human(beginning.name)}\n".encode())
    return _write(target, files)


def _own(source: Path) -> dict[str, bytes]:
    """The files of a template or tenant that a template has."""
    if (source / MANIFEST).is_file():
        return dict(contents(source).files)
    from trellis.packaging.contents import belongs  # a tenant has no template.yaml, which `contents` asks for

    found = {p.relative_to(source).as_posix(): p for p in sorted(source.rglob("*")) if p.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if belongs(name)}


def _manifest_upon(beginning: Beginning, template: str) -> str:
    base, _, wanted = template.partition(" ")
    lines = [
        f"template: {beginning.name}",
        "version: 0.1.0",
        f"label: {_quoted(beginning.label or _human(beginning.name))}",
        "description: Say in one sentence whom it is for.",
    ]
    requires = {"trellis": f">={'.'.join(__version__.split('.')[:2])}", "core": f"^{CORE_VERSION.split('.')[0]}"}
    if base:
        lines.append(f"builds_on: {base}")
        requires[base] = wanted or ">=0.1"
    lines.append("requires: {" + ", ".join(f'{key}: "{value}"' for key, value in requires.items()) + "}")
    return "\n".join([*lines, f"author: {{name: {_quoted(beginning.author)}}}", f"license: {beginning.license}", ""])


def _write(target: Path, files: dict[str, bytes]) -> list[str]:
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise NotMade(f"{target} is there already")
    for name, data in files.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return sorted(files)


def _human(key: str) -> str:
    words = key.replace("-", " ").replace("_", " ")
    return words[:1].upper() + words[1:]


def _quoted(text: str) -> str:
    """A text as it stands in YAML, in quotes where it needs them."""
    plain = re.fullmatch(r"[A-Za-z\u00c0-\uffff][^:#{}\[\],&*!|>'\"%@`\n]*", text) is not None
    return text if plain and text == text.strip() else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
