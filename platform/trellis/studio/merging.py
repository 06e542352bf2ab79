"""Bringing a draft together with what a colleague has published meanwhile: line by line, as version control does.

Written here because the libraries that do it come under licences that would become ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher


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
    before, ours, others = _lines(base or ""), _lines(mine), _lines(theirs)
    parts: list[Part] = []
    at = (0, 0, 0)
    for start, a, b, length in _shared(before, ours, others):
        old, left, right = before[at[0] : start], ours[at[1] : a], others[at[2] : b]
        if left == right or right == old:
            parts.append(Part("".join(left)))
        elif left == old:
            parts.append(Part("".join(right)))
        else:
            parts.append(Part(mine="".join(left), theirs="".join(right), is_conflict=True))
        parts.append(Part("".join(before[start : start + length])))
        at = (start + length, a + length, b + length)
    return [part for part in parts if part.is_conflict or part.text]


def _shared(before: Sequence[str], ours: Sequence[str], others: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    """Runs of lines that stand in all three: where in each, and how many; at last the end, with none."""
    mine = SequenceMatcher(None, before, ours, autojunk=False).get_matching_blocks()
    theirs = SequenceMatcher(None, before, others, autojunk=False).get_matching_blocks()
    m = t = 0
    while m < len(mine) - 1 and t < len(theirs) - 1:
        one, other = mine[m], theirs[t]
        start, end = max(one.a, other.a), min(one.a + one.size, other.a + other.size)
        if start < end:
            yield start, one.b + start - one.a, other.b + start - other.a, end - start
        if one.a + one.size < other.a + other.size:
            m += 1
        else:
            t += 1
    yield len(before), len(ours), len(others), 0


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
