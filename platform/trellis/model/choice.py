"""A choice of a choice field: the stored key, the label people see, and the list that holds them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from trellis.model.text import Text

COLORS = tuple("gray blue azure indigo purple pink red orange yellow lime green teal cyan".split())
"""The named colours of badges, stages and entities."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a choice field: `key` is stored, `label` is shown; `was` is the key it had before a rename."""

    key: str
    label: Text
    color: str = ""
    was: str | None = None

    def __str__(self) -> str:
        return str(self.label)


def fold(text: str) -> str:
    """Fold a label for comparing: case and outer or repeated blanks do not count."""
    return " ".join(text.split()).casefold()


@lru_cache(maxsize=4096)
def choices_by_key(choices: tuple[Choice, ...]) -> dict[str, Choice]:
    """The choices by key, in order."""
    return {choice.key: choice for choice in choices}


@lru_cache(maxsize=4096)
def _keys_by_label(choices: tuple[Choice, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, key in _names(choices):
        found.setdefault(fold(name), key)
    return found


def _names(choices: Iterable[Choice]) -> Iterator[tuple[str, str]]:
    """Every name a choice may be read by: keys first, then labels, translations and former keys."""
    listed = list(choices)
    yield from ((choice.key, choice.key) for choice in listed)
    yield from ((choice.label.source, choice.key) for choice in listed)
    for choice in listed:
        yield from ((name, choice.key) for name in choice.label.translations.values())
    yield from ((choice.was, choice.key) for choice in listed if choice.was)


def find_choice(choices: tuple[Choice, ...], text: str) -> Choice | None:
    """The choice that a person or a file means: by key, or by its label in any language, whatever the case."""
    by_key = choices_by_key(choices)
    if text in by_key:
        return by_key[text]
    key = _keys_by_label(choices).get(fold(text))
    return by_key[key] if key is not None else None
