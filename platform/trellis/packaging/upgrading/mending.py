"""Carrying what a tenant wrote along when its template gives something another name: exactly where that name stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trellis.config.layer import Layer, read_documents
from trellis.model.compile.compiled import compile_draft
from trellis.packaging.upgrading.compare import Change
from trellis.packaging.upgrading.touching import touches

if TYPE_CHECKING:
    from trellis.config.problem import Mark

ROUNDS = 20
NEVER = "W608"  # a value that a choice never has: advice, but after a rename it is a condition that never holds


@dataclass(frozen=True)
class Mend:
    """A name in a tenant's file that was written anew."""

    mark: Mark
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.mark}: {self.old} → {self.new}"


@dataclass(frozen=True)
class Splice:
    """A word at a place, and what shall stand there."""

    mark: Mark
    old: str
    new: str


def mend(below: Sequence[Layer], own: Layer, changes: Sequence[Change]) -> tuple[Layer, list[Mend]]:
    """The tenant's layer with the names that the new version has, and where they were changed.

    Keys go by the comparison of the versions; names in lists and formulas by what does not compile any more because
    of them, and only if the word that stands there is one that was renamed, to one thing.
    """
    names = _names(changes)
    if not names:
        return own, []
    done: list[Mend] = []
    for _ in range(ROUNDS):
        splices = [*_keys(own, changes), *_translations(own, changes)] or list(_broken(below, own, names))
        mended, made = _splice(own, splices)
        if not made:
            break
        own = mended
        done += made
    return own, done


def _names(changes: Iterable[Change]) -> Mapping[str, str]:
    """What was renamed, where the old word means one new word."""
    found: dict[str, set[str]] = {}
    for change in changes:
        if change.what == "renamed":
            found.setdefault(str(change.old), set()).add(str(change.new))
    return {old: next(iter(new)) for old, new in found.items() if len(new) == 1}


def _keys(own: Layer, changes: Sequence[Change]) -> Iterator[Splice]:
    for touch in touches(own, changes):
        if touch.why == "renamed" and touch.key_mark is not None:
            yield Splice(touch.key_mark, str(touch.change.old), str(touch.change.new))


def _translations(own: Layer, changes: Sequence[Change]) -> Iterator[Splice]:
    renamed = [change for change in changes if change.what == "renamed"]
    for texts in read_documents(own).translations.values():
        for path, (_, place) in texts.items():
            for change in renamed:
                before = ".".join(change.old_path)
                if path == before or path.startswith(f"{before}."):
                    yield Splice(place.key_mark, path, change.name + path[len(before) :])
                    break


def _broken(below: Sequence[Layer], own: Layer, names: Mapping[str, str]) -> Iterator[Splice]:
    for problem in compile_draft([*below, own]).problems:
        mark = problem.mark
        if mark is None or mark.layer != own.name or not (problem.is_error or problem.code == NEVER):
            continue
        word = _word_at(own, mark)
        if word in names:
            yield Splice(mark, word, names[word])


_WORD = re.compile(r"[a-z][a-z0-9_-]*")


def _word_at(own: Layer, mark: Mark) -> str:
    """The word at a place; a quote, or the sign of a descending column, may stand before it."""
    line = _line(own, mark)
    match = _WORD.match(line.lstrip("'\"-=")) if line else None
    word = match[0] if match else ""
    while word and word.endswith("-"):
        word = word[:-1]
    return word.partition(".")[0]


def _line(own: Layer, mark: Mark) -> str:
    for path in own.files:
        if own.display(path) == mark.file:
            lines = own.text()[path].split("\n")
            return lines[mark.line - 1][mark.column - 1 :] if mark.line <= len(lines) else ""
    return ""


def _splice(own: Layer, splices: Iterable[Splice]) -> tuple[Layer, list[Mend]]:
    """Put words in the place of words; what does not stand where it should is left alone."""
    texts = own.text()
    by_file = {own.display(path): path for path in texts}
    made: list[Mend] = []
    for one in sorted(set(splices), key=lambda s: (s.mark.file, s.mark.line, -s.mark.column)):
        path = by_file.get(one.mark.file)
        lines = texts[path].split("\n") if path is not None else []
        if path is None or one.mark.line > len(lines):
            continue
        line = lines[one.mark.line - 1]
        start = one.mark.column - 1
        while start < len(line) and line[start] in "'\"-=":
            start += 1
        end = start + len(one.old)
        if line[start:end] != one.old or re.match(r"\w", line[end:]):
            continue
        lines[one.mark.line - 1] = line[:start] + one.new + line[end:]
        texts[path] = "\n".join(lines)
        made.append(Mend(one.mark, one.old, one.new))
    return (replace(own, files=texts) if made else own), made
