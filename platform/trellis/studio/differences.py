"""What differs between two configurations: layer by layer, document by document, line by line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from trellis.config.layer import Layer, read_documents
from trellis.studio.own import changed_paths

AROUND = 3  # lines that stay the same, above and below a change
LONGEST = 4_000  # lines of a file that are compared


@dataclass(frozen=True)
class Line:
    """One line of a comparison: `sign` is " ", "-", "+" or "…" (lines left out); a number of 0: there is none."""

    sign: str
    text: str
    before: int = 0
    after: int = 0


@dataclass(frozen=True)
class FileDifference:
    """A file that two configurations have differently; `documents` are those of it that are new, changed or gone."""

    layer: str
    path: str
    is_new: bool
    is_gone: bool
    lines: tuple[Line, ...]
    documents: tuple[tuple[str, str], ...] = ()  # (what: new, changed, gone; kind.key)

    @property
    def added(self) -> int:
        """Lines that are new."""
        return sum(x.sign == "+" for x in self.lines)

    @property
    def removed(self) -> int:
        """Lines that are gone."""
        return sum(x.sign == "-" for x in self.lines)


def compare(before: Sequence[Layer], after: Sequence[Layer]) -> list[FileDifference]:
    """Every file that differs, the tenant's own layer first; layers are told apart by their names."""
    old, new = {x.name: x for x in before}, {x.name: x for x in after}
    found: list[FileDifference] = []
    for name in [*reversed([x.name for x in after]), *(n for n in old if n not in new)]:
        found += compare_layer(old.get(name) or Layer(name, {}), new.get(name) or Layer(name, {}))
    return found


def compare_layer(before: Layer, after: Layer) -> Iterator[FileDifference]:
    """The files of one layer that differ."""
    if before.digest == after.digest:
        return
    old, new = before.text(), after.text()
    for path in changed_paths(old, new):
        a, b = old.get(path), new.get(path)
        documents = tuple(_documents(a, b, path))
        yield FileDifference(
            after.name, path, a is None, b is None, tuple(line_difference(a or "", b or "")), documents
        )


def line_difference(before: str, after: str) -> Iterator[Line]:
    """The lines of two texts, the same ones only near a change."""
    a, b = before.splitlines()[:LONGEST], after.splitlines()[:LONGEST]
    end = 0
    for group in SequenceMatcher(None, a, b, autojunk=False).get_grouped_opcodes(AROUND):
        if group[0][1] > end:
            yield Line("…", "")
        for kind, i1, i2, j1, j2 in group:
            if kind == "equal":
                yield from (Line(" ", a[i], i + 1, j1 + i - i1 + 1) for i in range(i1, i2))
            else:
                yield from (Line("-", a[i], i + 1) for i in range(i1, i2))
                yield from (Line("+", b[j], 0, j + 1) for j in range(j1, j2))
        end = group[-1][2]
    if 0 < end < len(a):
        yield Line("…", "")


def _documents(before: str | None, after: str | None, path: str) -> Iterator[tuple[str, str]]:
    old, new = documents_of(before, path), documents_of(after, path)
    for name in {**new, **old}:
        if name not in old:
            yield "new", name
        elif name not in new:
            yield "gone", name
        elif old[name] != new[name]:
            yield "changed", name


def documents_of(text: str | None, path: str) -> Mapping[str, object]:
    """The documents of a file by `kind.key`, as plain data; none of what cannot be read."""
    if text is None or path.startswith("documents/"):
        return {}
    reading = read_documents(Layer("", {path: text}))
    found: dict[str, object] = {d.name: dict(d.data) for d in (*reading.documents, *reading.tests)}
    for language, texts in reading.translations.items():
        found[f"i18n.{language}"] = {key: value for key, (value, _place) in texts.items()}
    return found
