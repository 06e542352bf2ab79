"""What a property of a document is given: a plain value, a formula, or a mapping or list of such."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from trellis.formula.env import Env
from trellis.formula.formula import Formula
from trellis.formula.types import Value
from trellis.model.speaking import speak


@dataclass(frozen=True, slots=True)
class Given:
    """A value as it was written, or the formula that computes it."""

    formula: Formula | None = None
    plain: Any = None
    parts: Mapping[str, Given] | tuple[Given, ...] | None = None
    translations: Mapping[str, Given] | None = None  # of a text, by language
    is_spoken: bool = False  # a text for people: its values are written as their reader does

    def evaluate(self, env: Env) -> Value:
        """The value for a record in hand; a text in the reader's language, as far as it is translated."""
        if (own := in_language(self, env.reader.language)) is not self:
            return own.evaluate(env)
        if self.formula is not None:
            return self.formula.evaluate(replace(env, speak=speak) if self.is_spoken else env)
        if isinstance(self.parts, Mapping):
            return {key: part.evaluate(env) for key, part in self.parts.items()}
        if self.parts is not None:
            return [part.evaluate(env) for part in self.parts]
        return self.plain

    def formulas(self) -> Iterator[Formula]:
        """Every formula in it."""
        if self.formula is not None:
            yield self.formula
        parts = self.parts.values() if isinstance(self.parts, Mapping) else self.parts or ()
        for part in parts:
            yield from part.formulas()


def in_language(given: Given, language: str) -> Given:
    """A text as it is written in a language; as it stands where it is not translated."""
    tag = language.replace("_", "-") if given.translations else ""
    while tag:
        if given.translations and (found := given.translations.get(tag)) is not None:
            return found
        tag = tag.rpartition("-")[0]
    return given
