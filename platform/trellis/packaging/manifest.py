"""What a template says of itself in template.yaml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dc_field
from typing import TYPE_CHECKING, Any

from trellis.config.workspace import manifest_of

if TYPE_CHECKING:
    from trellis.config.layer import Document, Layer
    from trellis.config.source import Place


class NoTemplate(ValueError):
    """A layer is not a template."""


@dataclass(frozen=True)
class Manifest:
    """A template's name and version, and what it needs and asks for."""

    name: str
    version: str
    label: str = ""
    description: str = ""
    license: str = ""
    author: str = ""
    builds_on: str = ""
    requires: Mapping[str, str] = dc_field(default_factory=dict)
    languages: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """`veterinary 1.0.0`"""
        return f"{self.name} {self.version}"

    def as_json(self) -> dict[str, Any]:
        """The manifest for a package and for programs."""
        return {
            "template": self.name,
            "version": self.version,
            "label": self.label,
            "description": self.description,
            "license": self.license,
            "author": self.author,
            "builds_on": self.builds_on,
            "requires": dict(self.requires),
            "languages": list(self.languages),
            "settings": list(self.settings),
        }


def manifest(layer: Layer) -> Manifest:
    """A template's manifest. Raises NoTemplate."""
    document = manifest_of(layer)
    if document is None or document.kind != "template":
        where = layer.folder or layer.name
        raise NoTemplate(f"{where} is no template: it has no template.yaml that begins with `template: <name>`")
    return read_manifest(document)


def read_manifest(document: Document) -> Manifest:
    """The manifest that a template.yaml's document is."""
    texts = {key: place.raw or "" for key, place in document.place.children.items()}
    data = document.data
    author = data.get("author")
    settings = data.get("settings")
    return Manifest(
        name=document.key,
        version=texts.get("version", ""),
        label=texts.get("label", "") or document.key.replace("-", " ").capitalize(),
        description=texts.get("description", ""),
        license=texts.get("license", ""),
        author=str(author.get("name", "")) if isinstance(author, Mapping) else texts.get("author", ""),
        builds_on=texts.get("builds_on", ""),
        requires=_texts(document.place.children.get("requires")),
        languages=_words(data.get("languages")),
        settings=tuple(str(key) for key in settings) if isinstance(settings, Mapping) else (),
    )


def _texts(place: Place | None) -> dict[str, str]:
    """The characters as written: `trellis: 1.10` is not 1.1."""
    return {str(key): inner.raw or "" for key, inner in place.children.items()} if place is not None else {}


def _words(value: Any) -> tuple[str, ...]:
    return tuple(str(v) for v in value) if isinstance(value, Sequence) and not isinstance(value, str) else ()
