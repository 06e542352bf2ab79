"""What files on disk would take back of what administrators have published in the browser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trellis.studio.differences import documents_of
from trellis.studio.merging import conflicts, merge, settle
from trellis.studio.own import changed_paths, own_layer

if TYPE_CHECKING:
    from datetime import datetime

    from trellis.config.layer import Layer
    from trellis.storage.catalogue import Catalogue, Revision

FILES = "files"


@dataclass(frozen=True)
class TakenBack:
    """A file whose published text the folder does not have, and the revision that brought it."""

    path: str
    documents: tuple[str, ...]
    number: int
    who: str
    why: str
    at: datetime

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        told = {"file": self.path, "documents": list(self.documents), "revision": self.number}
        return {**told, "who": self.who, "why": self.why, "at": self.at.isoformat()}


def taken_back(catalogue: Catalogue, slug: str, layers: Sequence[Layer]) -> list[TakenBack]:
    """What was published in the browser since files were last applied, and is not in these layers.

    Files that have it, and say more besides, take nothing back.
    """
    revisions = list(catalogue.revisions(slug))  # the newest first
    later: list[Revision] = []
    for one in revisions:
        if one.origin == FILES:
            break
        later.append(one)
    if not later:
        return []
    base_number = revisions[len(later)].number if len(later) < len(revisions) else later[-1].number
    told = [catalogue.revision(slug, base_number), *(catalogue.revision(slug, r.number) for r in reversed(later))]
    texts = [own_layer(r.layers, slug).text() for r in told]
    wanted = own_layer(layers, slug).text()
    found = []
    for path in changed_paths(texts[0], texts[-1]):
        live = texts[-1].get(path)
        if not _has(texts[0].get(path), wanted.get(path), live):
            by = next(n for n in range(len(told) - 1, 0, -1) if texts[n].get(path) != texts[n - 1].get(path))
            found.append(_told(told[by], path, live, wanted.get(path)))
    return found


def _has(base: str | None, wanted: str | None, live: str | None) -> bool:
    """Whether the text in hand has what was published on top of the base."""
    if wanted == live:
        return True
    if wanted is None or live is None:
        return False
    parts = merge(base or "", wanted, live)
    return not conflicts(parts) and settle(parts, {}).rstrip() == wanted.replace("\r\n", "\n").rstrip()


def _told(revision: Revision, path: str, live: str | None, wanted: str | None) -> TakenBack:
    old, new = documents_of(live, path), documents_of(wanted, path)
    documents = tuple(name for name in {**old, **new} if old.get(name) != new.get(name))
    return TakenBack(path, documents, revision.number, revision.who, revision.why, revision.at)
