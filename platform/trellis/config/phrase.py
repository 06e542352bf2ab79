"""A sentence in English that can still be said in another language."""

from __future__ import annotations

from collections.abc import Mapping


class Phrase(str):
    """What is said, with the pattern it was made by and what was put into it: pages word it for their reader."""

    __slots__ = ("params", "pattern")
    pattern: str
    params: Mapping[str, object]


def phrase(pattern: str, **params: object) -> Phrase:
    """`phrase("unknown name '{name}'", name="x")`; a list is written with commas, a tuple with `or`."""
    said = Phrase(pattern.format(**{key: _written(value) for key, value in params.items()}))
    said.pattern, said.params = pattern, params
    return said


def as_it_is(sentence: str) -> Phrase:
    """A sentence with nothing to put into it, braces and all."""
    return phrase(sentence.replace("{", "{{").replace("}", "}}"))


def _written(value: object) -> object:
    if isinstance(value, list | tuple):
        return (", " if isinstance(value, list) else " or ").join(str(item) for item in value)
    return value
