"""A tenant's own layer: the last of a revision's layers, and the only one that the browser changes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from trellis.config.layer import FOLDERS, MAX_FILES, MAX_LAYER_BYTES, Layer
from trellis.config.reader import MAX_BYTES, Content, read_yaml

MANIFEST = "tenant.yaml"
YAML = (".yaml", ".yml")
PAPERS = (".html", ".md", ".css", ".txt", ".svg")  # what stands in documents/ beside YAML
LONGEST_PATH = 160
_PART = re.compile(r"[^\W_][\w .()+-]{0,79}")


class BadPath(ValueError):
    """A file that cannot be part of a layer; the text says why, as a msgid."""


@dataclass(frozen=True)
class OwnLayer(Layer):
    """A layer that somebody is writing: what is read of it is not kept, as it is another one with the next letter."""

    def contents(self) -> Iterator[tuple[str, Content]]:
        """Every YAML file, read."""
        for path in sorted(self.files):
            if path.endswith(YAML):
                yield path, read_yaml(self.files[path], self.display(path), self.name)


def own_layer(layers: Sequence[Layer], slug: str) -> Layer:
    """The tenant's own layer; an empty one for a tenant that was made without any."""
    return layers[-1] if layers else Layer(f"tenants/{slug}", {}, f"tenants/{slug}")


def texts_of(layer: Layer) -> dict[str, str]:
    """A layer's files as text."""
    return dict(sorted(layer.text().items(), key=lambda item: order_of(item[0])))


def order_of(path: str) -> tuple[bool, str, str]:
    """The manifest first, then folder by folder."""
    return path != MANIFEST, path.partition("/")[0], path


def with_files(layers: Sequence[Layer], slug: str, files: Mapping[str, str]) -> list[Layer]:
    """The layers with other files in the tenant's own."""
    own = own_layer(layers, slug)
    return [*layers[:-1], OwnLayer(own.name, dict(files), own.folder)]


def clean_path(path: str) -> str:
    """A path within the layer, as typed or as a ZIP names it. Raises BadPath."""
    path = path.strip().replace("\\", "/").removeprefix("./")
    if path == MANIFEST:
        return path
    parts = path.split("/")
    if len(path) > LONGEST_PATH or len(parts) > 6 or not all(_PART.fullmatch(p) and ".." not in p for p in parts):
        raise BadPath("Use letters, digits, spaces, - and _ in names of files, and / between folders.")
    if parts[0] not in FOLDERS or len(parts) < 2:
        raise BadPath("A file stands in schemas, workflows, i18n, tests or documents, or is tenant.yaml.")
    if parts[0] != "documents" and not path.endswith(YAML):
        raise BadPath("The name ends in .yaml.")
    if parts[0] == "documents" and not path.endswith((*YAML, *PAPERS)):
        raise BadPath("Documents are .html, .md, .css, .txt, .svg or .yaml files.")
    return path


def check_size(files: Mapping[str, str]) -> None:
    """Whether the files may be a layer. Raises BadPath."""
    if len(files) > MAX_FILES or sum(map(size_of, files.values())) > MAX_LAYER_BYTES:
        raise BadPath("The configuration is too large: at most 2,000 files and 20 MB.")
    if any("\x00" in text or not _is_text(text) for text in files.values()):
        raise BadPath("There is a character in it that is no text.")
    if any(size_of(text) > MAX_BYTES for text in files.values()):
        raise BadPath("A file is too large: at most 1 MB.")


def _is_text(text: str) -> bool:
    """Whether the text can be written as UTF-8: half a character cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def size_of(text: str) -> int:
    """How many bytes a text takes."""
    return len(text.encode("utf-8", "surrogatepass"))


def changed_paths(before: Mapping[str, str], after: Mapping[str, str]) -> Iterable[str]:
    """The files in which two versions of a layer differ."""
    return sorted((p for p in {*before, *after} if before.get(p) != after.get(p)), key=order_of)
