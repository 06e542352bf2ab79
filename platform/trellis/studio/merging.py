"""Bringing a draft together with what a colleague has published meanwhile: line by line, as version control does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from merge3 import Merge3


@dataclass(frozen=True)
class Part:
    """A run of lines: settled (`text`), or changed by both (`mine`, `theirs`)."""

    text: str = ""
    mine: str = ""
    theirs: str = ""
    is_conflict: bool = False


def merge(base: str | None, mine: str | None, theirs: str | None) -> list[Part]:
    """What the two make of the base. A file that one has deleted and the other changed is one conflict."""
    if mine is None or theirs is None:
        return [Part(mine=mine or "", theirs=theirs or "", is_conflict=True)]
    merged = Merge3(_lines(base or ""), _lines(mine), _lines(theirs))
    parts: list[Part] = []
    for kind, *lines in merged.merge_groups():
        if kind == "conflict":
            _base, a, b = lines
            parts.append(Part(mine="".join(a), theirs="".join(b), is_conflict=True))
        else:
            parts.append(Part(text="".join(lines[0])))
    return parts


def conflicts(parts: Sequence[Part]) -> int:
    """How many decisions a person has to make."""
    return sum(p.is_conflict for p in parts)


def settle(parts: Sequence[Part], choices: Mapping[int, str]) -> str:
    """The text, with `mine`, `theirs` or `both` for each conflict by its number."""
    text = []
    number = 0
    for part in parts:
        if not part.is_conflict:
            text.append(part.text)
            continue
        chosen = choices.get(number, "mine")
        text.append({"theirs": part.theirs, "both": part.theirs + part.mine}.get(chosen, part.mine))
        number += 1
    return "".join(text)


def _lines(text: str) -> list[str]:
    """Lines with their ends; the last one gets one, so that lines of two versions are comparable."""
    return [line + "\n" for line in text.removesuffix("\n").split("\n")] if text else []
