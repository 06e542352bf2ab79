"""Where a tenant's own layer speaks of what the new version of its template changes: looked at three ways."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from trellis.config.layer import read_documents
from trellis.config.merge import is_list_edit, item_key
from trellis.config.stack import DIRECTIVES
from trellis.packaging.upgrading.compare import MANIFESTS, Change, shown

if TYPE_CHECKING:
    from trellis.config.layer import Layer
    from trellis.config.problem import Mark
    from trellis.config.source import Place

Why = Literal["both", "same", "removed", "renamed", "added"]
SENTENCES: dict[Why, str] = {
    "both": "{name}: the template's {old} became {new}; the tenant's {own} stays",
    "same": "{name}: the template says {own} by now, as the tenant does; the tenant's line can go",
    "removed": "{name} is gone from the template; what the tenant says of it has nothing to stand on",
    "renamed": "{name} is called {new} now",
    "added": "{name}: the template has one of its own by now; the tenant's is laid upon it",
}


@dataclass(frozen=True)
class Touch:
    """Something that both the new version and the tenant have a word about."""

    why: Why
    path: tuple[str, ...]  # what the tenant speaks of
    change: Change
    own: Any
    mark: Mark
    key_mark: Mark | None = None  # of the key that was renamed or removed

    @property
    def text(self) -> str:
        """What to know about it."""
        name = ".".join(self.change.old_path if self.why in ("renamed", "removed") else self.path)
        return SENTENCES[self.why].format(
            name=name, old=shown(self.change.old), new=shown(self.change.new), own=shown(self.own)
        )


@dataclass(frozen=True)
class Said:
    """One thing that a layer says: a value at a path, or that everything at a path is set aside."""

    path: tuple[str, ...]
    value: Any
    places: tuple[Place, ...]  # of the kind, the key and every step to the value
    whole: bool = False  # it stands for all there is: `replace: true`, a list written anew


def sayings(layer: Layer) -> Iterator[Said]:
    """Every value that a layer gives, by its path, and what it replaces whole."""
    for document in read_documents(layer).documents:
        if document.kind in MANIFESTS:
            continue
        path, place = (document.kind, document.key), document.place
        head = (place.children[document.kind], place.children[document.kind])
        if document.data.get("replace") is True:
            yield Said(path, "a document of its own", head, whole=True)
            continue
        for key, value in document.data.items():
            if key != document.kind and key not in DIRECTIVES:
                yield from _said((*path, key), value, (*head, place.children[key]))


def _said(path: tuple[str, ...], value: Any, places: tuple[Place, ...]) -> Iterator[Said]:
    place = places[-1]
    if is_list_edit(value):
        for word in ("add", "remove", "edit"):
            given = value.get(word)
            if isinstance(given, dict):
                for key, inner in given.items():
                    yield from _said((*path, key), inner, (*places, place.children[word].children[key]))
            for at, item in enumerate(given if isinstance(given, list) else []):
                where = place.children[word].children[at]
                yield Said((*path, item_key(item) or "…"), word, (*places, where))
    elif isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _said((*path, key), inner, (*places, place.children[key]))
    else:
        yield Said(path, value, places, whole=isinstance(value, list))


def touches(own: Layer, changes: Sequence[Change]) -> list[Touch]:
    """What the tenant and the new version both speak of, each place once."""
    found: dict[tuple[Why, tuple[str, ...], str], Touch] = {}
    for said in sayings(own):
        for change in changes:
            if (touch := _touch(said, change)) is not None:
                about = change.old_path if touch.why in ("renamed", "removed", "added") else touch.path
                found.setdefault((touch.why, about, touch.mark.file), touch)
    return list(found.values())


def _touch(said: Said, change: Change) -> Touch | None:
    about = change.old_path
    inside = said.path[: len(about)] == about  # the tenant speaks of it, or of something in it
    if change.what == "renamed":
        return _made("renamed", said, change, len(about)) if inside else None
    if change.what == "removed" and inside:
        return None if said.value is None else _made("removed", said, change, len(about))
    if change.what == "added" and inside:
        why: Why = "same" if said.path == about and said.value == change.new else "added"
        return _made(why, said, change, len(about))
    if change.what == "changed" and inside:
        return _made("same" if said.value == change.new else "both", said, change, len(said.path))
    if said.whole and about[: len(said.path)] == said.path and about != said.path:
        return _made("both", said, change, len(said.path))
    return None


def _made(why: Why, said: Said, change: Change, depth: int) -> Touch:
    place = said.places[min(depth, len(said.places)) - 1]
    return Touch(why, said.path, change, said.value, said.places[-1].mark, place.key_mark)
