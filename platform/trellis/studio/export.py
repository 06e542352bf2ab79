"""The live configuration back into a folder, as it was published: comments and all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trellis.config.layer import Layer, read_layer
from trellis.studio.own import BadPath, clean_path, own_layer

if TYPE_CHECKING:
    from trellis.storage.catalogue import Revision


@dataclass(frozen=True)
class Export:
    """What writing a layer into a folder does: files that are new, changed, taken out, the same."""

    folder: Path
    texts: dict[str, str]
    new: tuple[str, ...]
    changed: tuple[str, ...]
    gone: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether the folder says all of it already."""
        return not (self.new or self.changed or self.gone)

    def write(self) -> None:
        """Do it. `data/` and whatever is no part of a configuration stays as it is."""
        for path in (*self.new, *self.changed):
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(self.texts[path], "utf-8", newline="\n")
        for path in self.gone:
            (self.folder / path).unlink()


def plan_export(revision: Revision, slug: str, folder: Path) -> Export:
    """What writing the tenant's own layer into a folder would do."""
    texts = {safe(path): text for path, text in own_layer(revision.layers, slug).text().items()}
    there = read_layer(folder, slug).text() if folder.is_dir() else Layer(slug, {}).text()
    return Export(
        folder,
        texts,
        tuple(sorted(p for p in texts if p not in there)),
        tuple(sorted(p for p in texts if p in there and texts[p] != there[p])),
        tuple(sorted(p for p in there if p not in texts)),
    )


def safe(path: str) -> str:
    """A path that lies within the folder, whatever a revision says. Raises BadPath."""
    if path.startswith("/") or "\\" in path or any(part in ("", ".", "..") for part in path.split("/")):
        return clean_path(path)  # says what is wrong with it
    if ":" in path.split("/")[0]:
        raise BadPath("Use letters, digits, spaces, - and _ in names of files, and / between folders.")
    return path
