"""What differs between two versions of what a tenant stands on: added, removed, changed, renamed, by path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from trellis.config.merge import item_key
from trellis.config.stack import Configuration, stack

if TYPE_CHECKING:
    from trellis.config.layer import Layer

What = Literal["added", "removed", "changed", "renamed"]
MANIFESTS = ("template", "tenant")
CHOICES = ("choices", "values")
WAS = "was"


@dataclass(frozen=True)
class Change:
    """One difference. For what was renamed `path` is the new one and `old` the earlier key."""

    what: What
    path: tuple[str, ...]  # kind, key, and the way inside
    old: Any = None
    new: Any = None

    @property
    def name(self) -> str:
        """The path as i18n and `trellis check` write it."""
        return ".".join(self.path)

    @property
    def old_path(self) -> tuple[str, ...]:
        """Where it was before."""
        return (*self.path[:-1], str(self.old)) if self.what == "renamed" else self.path

    def __str__(self) -> str:
        if self.what == "renamed":
            return f"{'.'.join(self.old_path)} is called {self.path[-1]} now"
        if self.what == "changed":
            return f"{self.name}: {shown(self.old)} → {shown(self.new)}"
        return self.name


def compare(old: Sequence[Layer], new: Sequence[Layer]) -> list[Change]:
    """What differs between two stacks of layers, in the order of the newer."""
    before, after = stack(old), stack(new)
    return _without_echoes([*_documents(before, after), *_translations(before, after)])


def _without_echoes(changes: list[Change]) -> list[Change]:
    """The changes without those that only say a renamed thing's new name where it was named before."""
    names = {(str(change.old), str(change.new)) for change in changes if change.what == "renamed"}
    added = {change.path for change in changes if change.what == "added" and isinstance(change.new, str)}
    removed = {change.path for change in changes if change.what == "removed" and isinstance(change.old, str)}
    echoes = {
        path
        for old, new in names
        for parent in {path[:-1] for path in added if path[-1] == new} & {p[:-1] for p in removed if p[-1] == old}
        for path in ((*parent, old), (*parent, new))
    }
    return [
        change
        for change in changes
        if change.path not in echoes and not (change.what == "changed" and (str(change.old), str(change.new)) in names)
    ]


def _documents(before: Configuration, after: Configuration) -> Iterator[Change]:
    for kind in dict.fromkeys([*after.documents, *before.documents]):
        if kind in MANIFESTS:
            yield from _settings(kind, before, after)
            continue
        olds = {key: dict(document.data) for key, document in before.of(kind).items()}
        news = {key: dict(document.data) for key, document in after.of(kind).items()}
        for key in [*olds, *news]:
            for data in (olds.get(key), news.get(key)):
                if data is not None:
                    data.pop(kind, None)  # `entity: deal`: its identity, which is in the path
        yield from _mappings((kind,), olds, news)


def _settings(kind: str, before: Configuration, after: Configuration) -> Iterator[Change]:
    """Of a template's manifest only what a tenant meets: the settings that it may give a value to."""
    for key, document in after.of(kind).items():
        earlier = before.of(kind).get(key)
        if earlier is not None:
            olds, news = earlier.data.get("settings") or {}, document.data.get("settings") or {}
            yield from _mappings((kind, key, "settings"), olds, news)


def _mappings(path: tuple[str, ...], old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    moved = {
        value[WAS]: key
        for key, value in new.items()
        if isinstance(value, dict) and value.get(WAS) in old and key not in old and value[WAS] not in new
    }
    for key, value in new.items():
        was = next((o for o, n in moved.items() if n == key), None)
        if was is not None:
            yield Change("renamed", (*path, key), was, key)
            yield from _values((*path, key), _without_was(old[was]), _without_was(value))
        elif key in old:
            yield from _values((*path, key), _without_was(old[key]), _without_was(value))
        else:
            yield Change("added", (*path, key), None, value)
    for key, value in old.items():
        if key not in new and key not in moved:
            yield Change("removed", (*path, key), value)


def _without_was(value: Any) -> Any:
    return {k: v for k, v in value.items() if k != WAS} if isinstance(value, dict) else value


def _values(path: tuple[str, ...], old: Any, new: Any) -> Iterator[Change]:
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _mappings(path, old, new)
    elif isinstance(old, list) and isinstance(new, list) and (items := _keyed(old, new, path[-1])) is not None:
        yield from _items(path, *items)
    else:
        yield Change("changed", path, old, new)


def _keyed(old: list[Any], new: list[Any], word: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Both lists by their items' keys, if every item has one of its own."""
    keyed = []
    for items in (old, new):
        keys = [_key(item, word) for item in items]
        if None in keys or len(set(keys)) != len(keys):
            return None
        keyed.append({str(key): _inner(str(key), item) for key, item in zip(keys, items, strict=True)})
    return keyed[0], keyed[1]


def _key(item: Any, word: str) -> str | None:
    """What names an item; of a choice `{cat: Cat}` the key, not the label."""
    if word in CHOICES and isinstance(item, dict) and len(item) == 1:
        return str(next(iter(item)))
    return item_key(item)


def _inner(key: str, item: Any) -> Any:
    """What an item says: of `{high: {color: red}}` the inner mapping, of `{cat: Cat}` its label."""
    inner = item.get(key) if isinstance(item, dict) and len(item) == 1 else None
    if isinstance(inner, str) and inner != key:
        return {"label": inner}
    return inner if isinstance(inner, dict) else item


def _items(path: tuple[str, ...], old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    found = list(_mappings(path, old, new))
    yield from found
    if not found and list(old) != list(new):
        yield Change("changed", path, list(old), list(new))


def _translations(before: Configuration, after: Configuration) -> Iterator[Change]:
    """Texts in other languages that read otherwise; those that are new go with what they are the text of."""
    for language, texts in after.translations.items():
        earlier = before.translations.get(language, {})
        for path, (text, _) in texts.items():
            if path in earlier and earlier[path][0] != text:
                yield Change("changed", ("i18n", language, path), earlier[path][0], text)


def shown(value: Any) -> str:
    """A value in a few characters."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "nothing"
    if isinstance(value, list | dict):
        keys = [item_key(item) or "…" for item in value] if isinstance(value, list) else list(value)
        text = ", ".join(str(key) for key in keys)
    else:
        text = str(value).strip()
    first = text.splitlines()[0] if text else "''"
    return first if len(first) <= 60 and first == text else f"{first[:57]}…"
